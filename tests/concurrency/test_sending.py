"""Sends that cross each other, and what else may happen to their messages and recipients meanwhile."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone

from stored_messages import (
    STORED_INFO,
    add_message_for,
    mark_all_read,
    signals,
)
from stored_messages.models import Delivery, Message
from tests.concurrency.conftest import ALIAS
from tests.concurrency.together import CEILING, together
from tests.inbox.inboxes import check_agreement, draft, unread
from tests.services.waiting import wait_for

ROUNDS = 6


def test_bulk_sends_that_cross_reach_everybody(crowd, small_batches):
    users = crowd(12)

    def send(recipients, name):
        for number in range(ROUNDS):
            add_message_for(recipients, STORED_INFO, f"{name}{number}")

    together(
        lambda: send(users, "a"),
        lambda: send(users[::-1], "b"),
        lambda: send(User.objects.order_by("-pk"), "c"),
    )

    expected = sorted(f"{name}{number}" for name in "abc" for number in range(ROUNDS))
    for user in users:
        assert (
            sorted(Delivery.objects.filter(user=user).values_list("message__message", flat=True))
            == expected
        )


@pytest.mark.parametrize("held", ["nobody", "some", "all"])
def test_the_same_message_to_overlapping_users_is_stored_once(backend, crowd, small_batches, held):
    users = crowd(12)
    has_read = {"nobody": [], "some": users[1::3], "all": users}[held]
    told = []

    def receive(signal, sender, user_ids, messages, **kwargs):
        told.extend((pk, message.ref) for pk in user_ids for message in messages)

    signals.messages_stored.connect(receive)
    try:
        for _ in range(ROUNDS):
            message = backend.create_message(STORED_INFO, "Hello")
            backend.archive_store(has_read, message)
            told.clear()
            together(
                partial(backend.inbox_store, users[:9], message),
                partial(backend.inbox_store, users[:2:-1], message),
                partial(backend.archive_store, users[::2], message),
            )
            for user in users:
                stored = backend.inbox_get(user, message.id)
                # Those who were told were told of what is there.
                assert [ref for pk, ref in told if pk == user.pk] == [stored.ref]
    finally:
        signals.messages_stored.disconnect(receive)
    for user in users:
        assert unread(backend, user) == ["Hello"] * ROUNDS


def test_sends_of_the_same_message_in_long_transactions_do_not_deadlock(backend, crowd):
    """What one has stored the other comes to, and the other way round."""
    users = crowd(10)
    message = backend.create_message(STORED_INFO, "Hello")
    backend.archive_store(users[7:8], message)
    begun = threading.Event()

    def first():
        with transaction.atomic(using=ALIAS):
            backend.inbox_store(users[:4], message)
            begun.set()
            wait_for(
                somebody_waits, "the second comes to what the first has stored", timeout=CEILING
            )
            backend.inbox_store(users[6:], message)

    def second():
        begun.wait(CEILING)
        backend.inbox_store([users[2], users[7]], message)

    together(first, second)

    for user in users[:4] + users[6:]:
        assert unread(backend, user) == ["Hello"]


def somebody_waits():
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()


def test_a_user_who_is_deleted_during_a_send_fails_nobody(backend, crowd):
    ada, ben = crowd(2)
    stored, deleted = threading.Event(), threading.Event()

    def send():
        with transaction.atomic(using=ALIAS):
            add_message_for([ada, ben], STORED_INFO, "Hello")
            stored.set()
            assert deleted.wait(CEILING)

    def delete():
        assert stored.wait(CEILING)
        User.objects.get(pk=ada.pk).delete()
        deleted.set()

    together(send, delete)

    assert unread(backend, ben) == ["Hello"]
    assert not User.objects.filter(pk=ada.pk).exists()


def test_users_who_are_deleted_during_many_sends_fail_nobody(backend, crowd):
    users = crowd(12)
    leaving, staying = users[::2], users[1::2]

    def send():
        for number in range(ROUNDS):
            add_message_for(users, STORED_INFO, str(number))

    def delete():
        for user in leaving:
            User.objects.get(pk=user.pk).delete()

    together(send, delete)

    for user in staying:
        assert unread(backend, user) == [str(number) for number in range(ROUNDS)]


def test_many_users_who_are_deleted_together_stand_in_no_sender_s_way(backend, crowd):
    """Each holds what the other wants next: the deletion goes from the last user to the first."""
    users = crowd(2)
    first, last = users
    message = add_message_for(users, STORED_INFO, "Hello")
    mark_all_read(first)
    deleted, waiting = threading.Event(), threading.Event()

    def store():
        with transaction.atomic(using=ALIAS):
            backend.inbox_store([first], message)
            waiting.set()
            assert deleted.wait(CEILING)
            backend.inbox_store([last], message)

    def delete():
        with transaction.atomic(using=ALIAS):
            backend.forget_user(last.pk)
            assert waiting.wait(CEILING)
            deleted.set()
            backend.forget_user(first.pk)

    together(store, delete)

    assert unread(backend, first) == ["Hello"]
    check_agreement(backend, first)
    check_agreement(backend, last)


def test_the_cleanup_takes_nothing_that_is_being_sent(backend, crowd):
    users = crowd(5)
    done = threading.Event()
    long_ago = timezone.now() - timedelta(days=1000)

    def send():
        try:
            for number in range(ROUNDS):
                backend.send(users, [draft(f"old {number}", date=long_ago)])
                backend.send(users, [draft(str(number))])
        finally:
            done.set()

    def clean_up():
        backend.cleanup()
        while not done.is_set():
            backend.cleanup()

    together(send, clean_up, clean_up)

    backend.cleanup()
    for user in users:
        assert unread(backend, user) == [str(number) for number in range(ROUNDS)]
        check_agreement(backend, user)
    assert Message.objects.count() == ROUNDS


def test_the_cleanup_waits_for_nobody_who_stores_again(backend, crowd):
    """A message that nobody has would go; somebody is giving it to somebody."""
    [ada] = crowd(1)
    message = backend.create_message(STORED_INFO, "Hello")
    Message.objects.update(sent_at=timezone.now() - timedelta(days=2))
    stored, cleaned = threading.Event(), threading.Event()

    def store():
        with transaction.atomic(using=ALIAS):
            backend.inbox_store([ada], message)
            stored.set()
            assert cleaned.wait(CEILING)

    def clean_up():
        assert stored.wait(CEILING)
        backend.cleanup()
        cleaned.set()

    together(store, clean_up)

    assert unread(backend, ada) == ["Hello"]
