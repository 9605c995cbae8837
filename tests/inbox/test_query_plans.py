"""On PostgreSQL no statement of the inbox reads a large table from end to end, nor more rows than it is about."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from benchmarks.inbox import filling
from stored_messages import (
    STORED_INFO,
    add_message_for,
    archive,
    broadcast_message,
    dismiss,
    get_backend,
    inbox,
    mark_all_read,
    mark_read,
    mark_unread,
    summaries,
    summary,
)
from stored_messages.models import Delivery, Message
from tests.inbox.plans import TABLES, recorded_scans
from tests.inbox_ui.sending import ago

pytestmark = pytest.mark.usefixtures("large_tables", "db")

USERS = 2_000
EACH = 5
MANY = 400
BROADCASTS = 20
#: More than a page and the broadcasts beside it touch, and far less than there is of anything large.
FEW = 200


@pytest.fixture(scope="module")
def large_tables(django_db_setup, django_db_blocker):
    """Many users with something unread and more that was read; the first one with very much of both."""
    with django_db_blocker.unblock():
        try:
            filling.create_users(USERS)
            filling.fill_archives(50_000, USERS)
            filling.fill_archives(2 * MANY, 1)
            filling.fill_inboxes(USERS, EACH)
            filling.fill_inboxes(1, MANY)
            for _ in range(BROADCASTS):
                broadcast_message(STORED_INFO, "Everybody")
            filling.analyze()
            yield
        finally:
            get_backend()._flush()
            User.objects.all()._raw_delete(connection.alias)


@pytest.fixture(params=[0, 50], ids=["very much unread", "little unread"])
def reader(request):
    return User.objects.order_by("pk")[request.param]


def scans_of(run, *arguments, **keywords):
    """Run something and return its ways into the tables."""
    with recorded_scans() as scans:
        run(*arguments, **keywords)
    assert scans
    assert [scan for scan in scans if scan.kind == "Seq Scan" and scan.table in TABLES] == []
    return scans


def touched(scans):
    return sum(scan.rows for scan in scans)


@pytest.mark.parametrize("archived", [False, True], ids=["inbox", "archive"])
def test_the_rows_of_a_page_are_all_that_it_touches(reader, archived):
    backend = get_backend()
    positions = Delivery.objects.filter(user=reader).order_by("position")
    middle = positions[positions.count() // 2].position

    for before in (None, middle):
        assert touched(scans_of(backend._rows, reader, before, 21, archive=archived)) < FEW


@pytest.mark.parametrize("read", [inbox, archive])
def test_a_page_touches_no_more_than_that_and_what_is_unread(reader, read):
    cursor = read(reader).cursor

    for before in (None, cursor):
        assert touched(scans_of(read, reader, cursor=before)) < summary(reader).unread + FEW


def test_a_summary_reads_what_is_unread_from_the_index_that_covers_it(reader):
    scans = scans_of(summary, reader)

    assert touched(scans) < summary(reader).unread + FEW
    # Which of the broadcasts were read is asked in the one way or the other, as the statistics have it.
    assert ("Index Only Scan", "stored_messages_unread") in {
        (scan.kind, scan.index) for scan in scans if scan.table == "stored_messages_delivery"
    }


def test_summaries_of_many_users_are_read_from_the_indexes_that_cover_them():
    users = list(User.objects.order_by("pk")[USERS // 2 :])
    scans = scans_of(summaries, users)

    assert touched(scans) < len(users) * (EACH + 1) + FEW
    assert [(scan.kind, scan.index) for scan in scans] == [
        ("Index Only Scan", "stored_messages_unread"),
        ("Index Scan", "stored_msg_broadcasts"),
        ("Index Only Scan", "stored_messages_broadcasts"),
    ]


def test_what_is_done_to_one_message_touches_little_besides(reader):
    held = [
        inbox(reader).messages[-1],
        # Many have it, and no statistics know of it yet.
        add_message_for(User.objects.all(), STORED_INFO, "New"),
        broadcast_message(STORED_INFO, "New"),
    ]
    for message in held:
        for action in (get_backend().inbox_get, mark_read, mark_unread, dismiss):
            assert touched(scans_of(action, reader, message.id)) < FEW


def test_marking_all_read_touches_what_is_unread_a_few_times(reader):
    unread = summary(reader).unread

    assert touched(scans_of(mark_all_read, reader)) < 5 * unread + FEW
    assert summary(reader).unread == 0
    # With nothing to do, and with one that is new: what was read long ago is not looked at.
    for _ in range(2):
        assert touched(scans_of(mark_all_read, reader)) < unread + 2 * FEW
        add_message_for(reader, STORED_INFO, "New")


@pytest.mark.parametrize("expired", [0, 3000])
def test_a_cleanup_finds_what_it_looks_for_by_indexes(expired):
    first = Message.objects.order_by("pk")[expired].pk
    for days, model, key in ((200, Message, "pk"), (200, Delivery, "message")):
        model.objects.filter(**{f"{key}__lt": first}).update(date=ago(days))

    scans_of(get_backend().cleanup)

    assert not Message.objects.filter(pk__lt=first).exists()


def test_a_user_is_forgotten_without_a_look_at_the_others():
    user = User.objects.order_by("pk")[50]

    assert touched(scans_of(get_backend().forget_user, user.pk)) < FEW
