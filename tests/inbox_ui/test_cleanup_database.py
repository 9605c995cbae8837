"""What the cleanup leaves in the tables, and that it waits for nobody."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from stored_messages.models import Delivery, Message
from stored_messages.stored import Cleanup
from tests.inbox_ui.sending import ago, draft, inbox, sent_days_ago
from tests.services.waiting import CEILING


@pytest.fixture(autouse=True)
def _days(configure):
    configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)


def rows():
    return Message.objects.count(), Delivery.objects.count()


def test_nothing_of_what_expired_is_left(database, ada, ben):
    database.send([ada, ben], [sent_days_ago(30)])
    database.broadcast(sent_days_ago(30))

    assert database.cleanup() == Cleanup(expired=4, left_inbox=0, ownerless=0)
    assert rows() == (0, 0)


def test_a_date_that_was_changed_in_the_table_counts(database, ada):
    database.send([ada], [draft()])
    Message.objects.update(date=ago(180))

    assert database.cleanup(dry_run=True) == database.cleanup()
    assert rows() == (0, 0)


def test_a_broadcast_stays_an_hour_for_those_who_are_reading_it(database, ada, configure):
    configure(MESSAGE_EXPIRE_DAYS=None, INBOX_EXPIRE_DAYS=None)
    message = database.broadcast(sent_days_ago(20))
    database.mark_read(ada, [message.id])
    configure(MESSAGE_EXPIRE_DAYS=20)

    assert database.cleanup().expired == 1
    assert rows() == (1, 0)
    Message.objects.update(date=ago(20) - timedelta(hours=2))
    assert database.cleanup().expired == 1
    assert rows() == (0, 0)


def test_messages_that_nobody_has_go_after_a_day(database, ada):
    for days in (0, 2):
        database.send([], [sent_days_ago(days)])
    database.broadcast(sent_days_ago(2))
    database.send([ada], [sent_days_ago(2)])

    assert database.cleanup(dry_run=True) == database.cleanup() == Cleanup(0, 0, 1)
    assert rows() == (3, 1)


def test_a_message_whose_only_reader_is_gone_goes_with_them(database, ada, ben):
    database.send([ben], [sent_days_ago(2)])
    database.send([ada, ben], [sent_days_ago(2)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [ben.pk])

    assert database.cleanup(dry_run=True) == database.cleanup() == Cleanup(0, 0, 3)
    assert rows() == (1, 1)


def test_what_left_the_inbox_is_no_longer_in_the_index_of_the_unread(database, ada):
    database.send([ada], [sent_days_ago(15)])
    database.cleanup()

    assert not Delivery.objects.filter(read_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_it_passes_over_what_a_sender_is_holding(database, ada, ben):
    """On databases that can; on others a writer waits for the other for the moment of one batch."""
    if not connection.features.has_select_for_update_skip_locked:
        return
    held, _ = database.send([ada], [sent_days_ago(30), sent_days_ago(30)])
    cleaned = []

    def clean_up():
        try:
            cleaned.append(database.cleanup())
        finally:
            connections.close_all()

    with transaction.atomic():
        list(Delivery.objects.select_for_update().filter(message=held.id))
        thread = threading.Thread(target=clean_up)
        thread.start()
        thread.join(CEILING)
        assert cleaned == [Cleanup(2, 0, 0)]
    assert list(Message.objects.values_list("pk", flat=True)) == [int(held.id)]
    assert database.cleanup() == Cleanup(2, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_it_runs_beside_senders_and_readers(database, ada, ben):
    """Nobody's message is lost, and nobody gets an error or waits for ever."""
    database.send([ada, ben], [sent_days_ago(days) for days in (30, 15) for _ in range(50)])
    errors = []
    done = threading.Event()

    def in_a_thread(work):
        def run():
            try:
                work()
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def send():
        for i in range(15):
            database.send([ben, ada], [sent_days_ago(30), draft(f"fresh {i}")])
            database.mark_read(ada, [database.broadcast(draft("to all")).id])

    def clean_up():
        while not done.is_set():
            database.cleanup()

    senders = [in_a_thread(send) for _ in range(2)]
    cleaner = in_a_thread(clean_up)
    for sender in senders:
        sender.join(timeout=120)
    done.set()
    cleaner.join(timeout=120)

    assert errors == []
    assert database.cleanup(dry_run=True) == database.cleanup()
    fresh = sorted(2 * [f"fresh {i}" for i in range(15)])
    assert sorted(set(inbox(database, ada))) == sorted(set(fresh))
    assert sorted(text for text in inbox(database, ben) if text != "to all") == fresh
    assert rows()[0] == 50 + 30 + 30
