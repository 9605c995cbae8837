"""What the cleanup removes and what it leaves, in every store."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from stored_messages.stored import Cleanup
from tests.inbox_ui.sending import ago, archive, draft, inbox, sent_days_ago


@pytest.fixture(autouse=True)
def _days(configure):
    configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)


def delete_behind_the_orm(user):
    """As an administrator of the database would: no signal tells of it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [user.pk])


@pytest.fixture
def cleaned(backend):
    """Clean up, and assert that a dry run before it says the same and one after it says nothing."""

    def clean_up():
        would = backend.cleanup(dry_run=True)
        progress = []
        did = backend.cleanup(on_progress=progress.append)
        assert did == would
        assert sum(progress) == sum(did)
        assert backend.cleanup(dry_run=True) == Cleanup(0, 0, 0)
        assert backend.cleanup() == Cleanup(0, 0, 0)
        return did

    return clean_up


def test_there_is_nothing_to_do(backend, ada, cleaned):
    backend.send([ada], [draft("fresh")])
    backend.broadcast(draft("to all"))

    assert cleaned() == Cleanup(0, 0, 0)
    assert inbox(backend, ada) == ["fresh", "to all"]


def test_what_has_expired_goes(backend, ada, ben, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=None)
    backend.send([ada, ben], [sent_days_ago(30, "old"), sent_days_ago(19, "young")])
    backend.broadcast(sent_days_ago(30, "old to all"))
    read = backend.broadcast(sent_days_ago(29, "old and read"))
    backend.mark_read(ada, [read.id])
    configure(INBOX_EXPIRE_DAYS=20, MESSAGE_EXPIRE_DAYS=20)

    assert cleaned().expired > 0
    configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=None)
    assert archive(backend, ada) == archive(backend, ben) == ["young"]


def test_what_leaves_the_inbox_stays_in_the_archive_unread(backend, ada, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None)
    for days, text in ((15, "read"), (14, "unread"), (5, "fresh")):
        message = backend.send([ada], [sent_days_ago(days, text)])[0]
        if text == "read":
            backend.mark_read(ada, [message.id])
    before = [(row.id, row.read_at) for row in backend.archive_list(ada)]
    configure(INBOX_EXPIRE_DAYS=10)

    assert cleaned() == Cleanup(0, 1, 0)
    assert inbox(backend, ada) == ["fresh"]
    assert [(row.id, row.read_at) for row in backend.archive_list(ada)] == before
    assert backend.summary(ada).unread == 1


def test_it_left_the_inbox_for_good(backend, ada, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None)
    message = backend.send([ada], [sent_days_ago(15, "old")])[0]
    configure(INBOX_EXPIRE_DAYS=10)
    cleaned()
    configure(INBOX_EXPIRE_DAYS=None)

    assert inbox(backend, ada) == []
    assert backend.mark_read(ada, [message.id]) == []
    assert backend.dismiss(ada, [message.id]) == [message.ref]


def test_what_left_the_inbox_arrives_no_second_time(backend, ada, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None)
    message = backend.send([ada], [sent_days_ago(15, "old")])[0]
    configure(INBOX_EXPIRE_DAYS=10)
    cleaned()

    backend.inbox_store([ada], message)
    assert [row.position for row in backend.archive_list(ada)] == [message.position]


def test_never_expiring_messages_stay(backend, ada, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=None)
    backend.send([ada], [sent_days_ago(10_000, "ancient")])
    backend.broadcast(sent_days_ago(900, "old to all"))

    assert cleaned() == Cleanup(0, 0, 0)
    assert inbox(backend, ada) == ["ancient", "old to all"]


def test_the_inbox_of_a_user_deleted_behind_the_orm_goes(backend, ada, ben, cleaned):
    backend.send([ada, ben], [sent_days_ago(3, "both")])
    backend.send([ben], [sent_days_ago(2, "ben's")])
    delete_behind_the_orm(ben)

    did = cleaned()
    assert did.ownerless >= 2
    assert (did.expired, did.left_inbox) == (0, 0)
    assert inbox(backend, ada) == ["both"]
    assert archive(backend, ben) == []


def test_what_the_deleted_had_lately_stays_for_a_day(backend, ben, cleaned):
    backend.send([ben], [draft("just sent")])
    delete_behind_the_orm(ben)

    assert cleaned() == Cleanup(0, 0, 0)
    assert inbox(backend, ben) == ["just sent"]


def test_more_than_a_batch(backend, ada, cleaned, configure):
    configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=None)
    for days in (30, 15):
        backend.send([ada], [sent_days_ago(days, f"{days} {i}") for i in range(1100)])
    backend.send([ada], [draft("fresh")])
    configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)

    did = cleaned()
    assert (did.expired >= 1100, did.left_inbox) == (True, 1100)
    assert len(backend.archive_list(ada)) == 1101
    assert inbox(backend, ada) == ["fresh"]


def test_the_method_of_1_4_0_does_the_same(backend, ada, configure):
    backend.send([ada], [sent_days_ago(15, "old"), draft("fresh")])

    assert backend.expired_messages_cleanup() is None
    assert backend.cleanup(dry_run=True) == Cleanup(0, 0, 0)
    configure(INBOX_EXPIRE_DAYS=None)
    assert inbox(backend, ada) == ["fresh"]


def test_users_who_are_not_active_keep_what_they_have(backend, ada, cleaned):
    backend.send([ada], [sent_days_ago(3, "hers")])
    User.objects.update(is_active=False)

    assert cleaned() == Cleanup(0, 0, 0)
    assert inbox(backend, ada) == ["hers"]


def test_a_message_that_is_to_be_stored_soon_stays(backend, ada, cleaned):
    message = backend.create_message(21, "not stored yet", date=ago(5))

    assert cleaned() == Cleanup(0, 0, 0)
    backend.inbox_store([ada], message)
    assert inbox(backend, ada) == ["not stored yet"]
