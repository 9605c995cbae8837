"""Tabs of one user that do things at the same time, while messages arrive."""

import threading
from functools import partial

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from stored_messages import STORED_INFO, add_message_for, mark_all_read, mark_read, mark_unread
from stored_messages.storage import PersistentStorage
from tests.concurrency.conftest import ALIAS
from tests.concurrency.together import CEILING, together
from tests.inbox.inboxes import archive, check_agreement, draft, send, texts, unread

ROUNDS = 10


@pytest.mark.parametrize("everybody", [False, True], ids=["own", "broadcast"])
@pytest.mark.parametrize("action", ["mark_read", "dismiss"])
def test_of_two_tabs_one_marks_a_message(backend, ada, everybody, action):
    for _ in range(ROUNDS):
        message = backend.broadcast(draft()) if everybody else send(backend, [ada])
        mark = partial(getattr(backend, action), ada, [message.id])
        marked = together(mark, mark, mark)

        assert sorted(map(len, marked)) == [0, 0, 1]
    assert unread(backend, ada) == []


def test_the_second_tab_waits_for_the_first_and_finds_it_read(backend, ada):
    message = send(backend, [ada])
    read = threading.Event()

    def first():
        with transaction.atomic(using=ALIAS):
            marked = mark_read(ada, message)
            read.set()
            return marked

    def second():
        assert read.wait(CEILING)
        return mark_read(ada, message)

    assert together(first, second) == [True, False]


def test_what_arrives_while_all_is_marked_read_is_not_lost(backend, ada):
    shown = send(backend, [ada], "shown", "also shown")
    below = shown[0].position

    def arrive():
        for number in range(ROUNDS):
            add_message_for([ada], STORED_INFO, str(number))

    def mark():
        for _ in range(ROUNDS):
            mark_all_read(ada, shown=shown, below=below)

    together(arrive, mark)

    assert unread(backend, ada) == [str(number) for number in range(ROUNDS)]
    check_agreement(backend, ada)


def test_what_arrives_while_everything_is_marked_read_is_read_or_unread(backend, ada):
    def arrive():
        for number in range(ROUNDS):
            add_message_for([ada], STORED_INFO, str(number))

    together(arrive, *[lambda: [mark_all_read(ada) for _ in range(ROUNDS)]] * 2)

    assert archive(backend, ada) == [str(number) for number in range(ROUNDS)]
    check_agreement(backend, ada)


def test_ways_to_mark_many_that_come_along_in_different_orders_do_not_deadlock(backend, ada):
    """Stored again, messages are in one order by id and in the other by position."""
    messages = send(backend, [ada], *map(str, range(8)))
    ids = [message.id for message in messages]
    backend.mark_read(ada, ids)
    for message in reversed(messages):
        backend.inbox_store([ada], message)

    for _ in range(ROUNDS):
        together(
            lambda: backend.mark_read(ada, ids),
            lambda: mark_all_read(ada),
            lambda: backend.mark_unread(ada, ids[::-1]),
            lambda: backend.mark_read(ada, ids[::-1]),
        )
        check_agreement(backend, ada)


def test_marking_read_and_unread_end_in_one_of_the_two(backend, ada):
    message = send(backend, [ada])
    for _ in range(ROUNDS):
        before = bool(unread(backend, ada))
        marked, unmarked = together(
            lambda: mark_read(ada, message), lambda: mark_unread(ada, message)
        )

        # Each says what it did: read and unread alternate.
        assert before - marked + unmarked == bool(unread(backend, ada))
        check_agreement(backend, ada)


def test_iterating_reads_what_was_handed_out_and_nothing_that_arrives(backend, ada, settings):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": "read"}
    handed_out = []

    def iterate():
        for _ in range(ROUNDS):
            request = RequestFactory().get("/")
            request.user, request.session = ada, {}
            storage = PersistentStorage(request)
            handed_out.extend(texts(storage))
            storage.update(HttpResponse())

    def arrive():
        for number in range(ROUNDS):
            add_message_for([ada], STORED_INFO, str(number))

    together(iterate, arrive)

    left = unread(backend, ada)
    assert sorted(handed_out + left) == sorted(str(number) for number in range(ROUNDS))
    assert archive(backend, ada) == [str(number) for number in range(ROUNDS)]
