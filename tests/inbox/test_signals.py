"""Who is told what, exactly, and what a receiver that fails may break: nothing."""

import logging
from functools import partial

import django
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from stored_messages import signals
from stored_messages.backends import signals as signals_of_1_4_0
from tests.inbox.conftest import SIGNALS
from tests.inbox.inboxes import archive, draft, send, unread


@pytest.fixture
def told(backend, sent_signals):
    """The signals sent so far, without what all of them carry, which is checked here; forgets them."""

    def told():
        told = []
        for name, carried in sent_signals:
            assert carried.pop("sender") is type(backend)
            assert carried.pop("using") == backend.using
            told.append((name, carried))
        sent_signals.clear()
        return told

    return told


@pytest.fixture
def connected():
    """Connect receivers for the time of the test."""
    receivers = []

    def connect(name, receiver):
        getattr(signals, name).connect(receiver, weak=False)
        receivers.append((name, receiver))

    yield connect
    for name, receiver in receivers:
        getattr(signals, name).disconnect(receiver)


def test_1_4_0_s_module_has_them_all():
    assert set(signals_of_1_4_0.__all__) == set(SIGNALS)
    for name in SIGNALS:
        assert getattr(signals_of_1_4_0, name) is getattr(signals, name)


def test_a_send(backend, ada, ben, told):
    message = send(backend, [ada, ben], "Hello")

    assert told() == [
        ("messages_stored", {"user_ids": [ada.pk, ben.pk], "messages": [message]}),
        ("archive_stored", {"user": ada, "message": message}),
        ("archive_stored", {"user": ben, "message": message}),
        ("inbox_stored", {"user": ada, "message": message}),
        ("inbox_stored", {"user": ben, "message": message}),
    ]


def test_several_messages_are_one_bulk_signal(backend, ada, told):
    sent = backend.send([ada], [draft("1"), draft("2")])

    assert [carried for name, carried in told() if name == "messages_stored"] == [
        {"user_ids": [ada.pk], "messages": sent}
    ]


def test_a_message_that_was_shown_already_is_archived_only(backend, ada, told):
    shown, unshown = draft("shown"), draft("unshown")
    shown.read_at = shown.sent_at
    backend.send([ada], [shown, unshown])

    assert told() == [
        ("messages_stored", {"user_ids": [ada.pk], "messages": [unshown]}),
        ("archive_stored", {"user": ada, "message": shown}),
        ("archive_stored", {"user": ada, "message": unshown}),
        ("inbox_stored", {"user": ada, "message": unshown}),
    ]
    assert unread(backend, ada) == ["unshown"]
    assert archive(backend, ada) == ["shown", "unshown"]


def test_a_broadcast(backend, ada, told):
    message = backend.broadcast(draft("Everybody"))

    assert told() == [("broadcast_stored", {"message": message})]


def test_marking_read(backend, ada, told):
    first, second = send(backend, [ada], "1", "2")
    everybody = backend.broadcast(draft("Everybody"))
    told()

    backend.mark_read(ada, [first.id, everybody.id, "unknown"])
    assert told() == [
        ("messages_read", {"user_id": ada.pk, "messages": [first.ref, everybody.ref]}),
        ("inbox_deleted", {"user": ada, "message_id": first.id}),
        ("inbox_deleted", {"user": ada, "message_id": everybody.id}),
    ]

    backend.mark_read(ada, [first.id])
    assert told() == []

    backend.inbox_delete(ada, second.id)
    assert told() == [
        ("messages_read", {"user_id": ada.pk, "messages": [second.ref]}),
        ("inbox_deleted", {"user": ada, "message_id": second.id}),
    ]


def test_marking_unread(backend, ada, told):
    message = send(backend, [ada], "Hello")
    backend.mark_read(ada, [message.id])
    told()

    backend.mark_unread(ada, [message.id])
    assert told() == [("messages_unread", {"user_id": ada.pk, "messages": [message.ref]})]

    backend.mark_unread(ada, [message.id])
    assert told() == []


def test_dismissing(backend, ada, told):
    read, unread_one = send(backend, [ada], "read", "unread")
    backend.mark_read(ada, [read.id])
    told()

    backend.dismiss(ada, [read.id, unread_one.id])
    assert told() == [
        ("messages_dismissed", {"user_id": ada.pk, "messages": [read.ref, unread_one.ref]}),
        ("inbox_deleted", {"user": ada, "message_id": read.id}),
        ("inbox_deleted", {"user": ada, "message_id": unread_one.id}),
    ]

    backend.dismiss(ada, [read.id])
    assert told() == []


def test_purging_says_up_to_where_and_says_so_of_an_empty_inbox_too(backend, ada, told):
    *_, last = send(backend, [ada], "1", "2")
    told()

    backend.inbox_purge(ada)
    assert told() == [
        ("inbox_read_up_to", {"user_id": ada.pk, "up_to": last.position}),
        ("inbox_purged", {"user": ada}),
    ]

    backend.inbox_purge(ada)
    assert told() == [("inbox_purged", {"user": ada})]


def test_marking_read_below_a_position_says_it_all(backend, ada, told):
    first, second = send(backend, [ada], "1", "2")
    told()

    backend.mark_read_below(ada, second.position)
    [(name, carried)] = told()
    assert name == "inbox_read_up_to"
    assert first.position <= carried["up_to"] < second.position

    backend.mark_read_below(ada, second.position)
    assert told() == []


def raises(**carried):
    raise RuntimeError("receiver failed")


def stores_what_is_there(**carried):
    User.objects.create(username="ada")


def queries_what_is_not(**carried):
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")


class Object:
    def __call__(self, **carried):
        raise RuntimeError("receiver failed")


FAILING = {
    "raises": raises,
    "stores what is there": stores_what_is_there,
    "queries what is not": queries_what_is_not,
    "partial": partial(raises),
    "object": Object(),
}


@pytest.mark.parametrize("fail", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("name", SIGNALS)
def test_a_failing_receiver_is_logged_and_breaks_nothing(
    backend, ada, ben, name, connected, sent_signals, logged, fail
):
    """In a transaction, which is that of the test."""
    connected(name, fail)

    first, second, third = send(backend, [ada, ben], "1", "2", "3")
    backend.broadcast(draft("4"))
    backend.mark_read(ada, [first.id, second.id])
    backend.mark_unread(ada, [second.id])
    backend.dismiss(ada, [third.id])
    before = unread(backend, ada)
    backend.inbox_purge(ada)

    assert before == ["2", "4"]
    assert unread(backend, ada) == []
    assert unread(backend, ben) == ["1", "2", "3", "4"]
    failures = [record for record in logged() if record.levelno >= logging.ERROR]
    assert len(failures) == len([told for told, _ in sent_signals if told == name]) > 0
    if fail not in (stores_what_is_there, queries_what_is_not):
        assert {str(record.exc_info[1]) for record in failures} == {"receiver failed"}


@pytest.mark.parametrize("fail", FAILING.values(), ids=FAILING)
@pytest.mark.django_db(transaction=True)
def test_so_without_a_transaction(backend, ada, connected, fail):
    for name in SIGNALS:
        connected(name, fail)

    first, second = send(backend, [ada], "1", "2")
    backend.broadcast(draft("3"))
    assert unread(backend, ada) == ["1", "2", "3"]
    backend.mark_read(ada, [first.id])
    backend.dismiss(ada, [second.id])
    assert unread(backend, ada) == ["3"]
    backend.inbox_purge(ada)
    assert unread(backend, ada) == []


@pytest.mark.django_db(transaction=True)
def test_a_receiver_is_told_of_what_cannot_be_undone_any_more(backend, ada, connected):
    seen = []
    connected("messages_stored", lambda **carried: seen.append(connection.in_atomic_block))

    send(backend, [ada], "1")
    with transaction.atomic():
        send(backend, [ada], "2")

    assert seen == [False, True]


def test_so_where_the_users_cannot_be_loaded(backend, ada, connected, monkeypatch, sent_signals):
    def fails(manager, pks):
        User.objects.create(username="ada")

    connected("inbox_stored", raises)
    with monkeypatch.context() as patched:
        patched.setattr(type(User._default_manager), "in_bulk", fails)
        message = send(backend, [ada], "Hello")

    assert unread(backend, ada) == ["Hello"]
    assert [name for name, _ in sent_signals] == ["messages_stored"]
    assert backend.mark_read(ada, [message.id])


def test_what_arrived_is_told_though_a_later_part_failed(backend, crowd, sent_signals, monkeypatch):
    users = crowd(1001)
    deliver = type(backend)._deliver

    def fails_later(self, user_ids, messages):
        if len(user_ids) < 1000:
            raise ConnectionError
        deliver(self, user_ids, messages)

    monkeypatch.setattr(type(backend), "_deliver", fails_later)
    with pytest.raises(ConnectionError):
        send(backend, users, "Hello")

    told = [len(carried["user_ids"]) for name, carried in sent_signals if name == "messages_stored"]
    arrived = [user for user in users[:2] if unread(backend, user)]
    assert (told, arrived) == (([], []) if backend.using else ([1000], users[:2]))


def test_what_other_receivers_did_stays(backend, ada, connected):
    connected("messages_stored", lambda **carried: User.objects.create(username="before"))
    connected("messages_stored", stores_what_is_there)
    connected("messages_stored", lambda **carried: User.objects.create(username="after"))

    send(backend, [ada], "Hello")

    assert unread(backend, ada) == ["Hello"]
    assert User.objects.filter(username__in=["before", "after"]).count() == 2


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django calls coroutine functions from 5.0 on")
def test_so_do_receivers_that_are_coroutine_functions(backend, ada, connected, sent_signals):
    async def fail(**carried):
        await User.objects.acreate(username="ada")

    connected("messages_stored", fail)

    send(backend, [ada], "Hello")

    assert unread(backend, ada) == ["Hello"]
    assert User.objects.filter(username="ada").count() == 1


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django calls coroutine functions from 5.0 on")
def test_those_that_ask_no_database_are_called_like_all(backend, ada, connected):
    heard = []

    @signals.without_queries
    async def hears(messages, **carried):
        heard.extend(messages)

    connected("messages_stored", signals.without_queries(partial(raises)))
    connected("messages_stored", hears)

    message = send(backend, [ada], "Hello")

    assert heard == [message]
