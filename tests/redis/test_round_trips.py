"""What the inbox costs in round trips: each is one write to a connection."""

import pytest

from stored_messages import (
    STORED_INFO,
    add_message_for,
    broadcast_message,
    mark_all_read,
    mark_read,
)
from tests.inbox.inboxes import draft


@pytest.fixture
def round_trips(sent_to):
    def round_trips(run, *arguments, **keys):
        with sent_to() as writes:
            run(*arguments, **keys)
        return len(writes)

    return round_trips


@pytest.fixture
def warm(backend, crowd):
    """A connection that is made, a script that is loaded, and users."""
    users = crowd(2500)
    backend.summary(users[0])
    return users


@pytest.mark.parametrize(("recipients", "cost"), [(1, 2), (1000, 2), (2500, 4)])
def test_a_send_costs_two_and_one_more_for_each_further_thousand(
    backend, warm, round_trips, recipients, cost
):
    assert round_trips(add_message_for, warm[:recipients], STORED_INFO, "Hello") == cost
    assert backend.summary(warm[recipients - 1]).unread == 1


def test_messages_of_one_request_cost_what_one_does(backend, warm, round_trips):
    drafts = [draft(str(number)) for number in range(25)]

    assert round_trips(backend.send, warm[:1], drafts) == 2
    assert backend.summary(warm[0]).unread == 25


def test_a_broadcast_costs_two(warm, round_trips):
    assert round_trips(broadcast_message, STORED_INFO, "Everybody") == 2


def test_summaries_cost_two_for_any_number_of_users(backend, crowd, round_trips):
    users = crowd(5000)
    backend.send(users[::2], [draft("for half of them")])
    read = backend.broadcast(draft("Everybody"))
    backend.broadcast(draft("Everybody again"))
    backend.mark_read(users[0], [read.id])

    assert round_trips(backend.summaries, users) == 2
    assert round_trips(backend.summary, users[0]) == 2
    summaries = backend.summaries(users)
    assert [summaries[user.pk].unread for user in users[:3]] == [2, 2, 3]
    assert round_trips(backend.summaries, []) == 0


@pytest.mark.parametrize("number", [1, 50])
def test_lists_and_pages_cost_three(backend, warm, round_trips, number):
    for _ in range(number):
        add_message_for(warm[:1], STORED_INFO, "Hello")
        broadcast_message(STORED_INFO, "Everybody")

    assert round_trips(backend.page, warm[0]) == 3
    assert round_trips(backend.page, warm[0], archive=True) == 3
    assert round_trips(backend.inbox_list, warm[0]) == 3


@pytest.mark.parametrize("number", [1, 50])
def test_changes_cost_two_for_any_number(backend, warm, round_trips, number):
    sent = backend.send(warm[:1], [draft(str(i)) for i in range(number)])
    ids = [message.id for message in sent]

    assert round_trips(mark_read, warm[0], sent[0]) == 2
    assert round_trips(backend.mark_read, warm[0], ids) == 2
    assert round_trips(backend.mark_unread, warm[0], ids) == 1
    assert round_trips(mark_all_read, warm[0]) == 2
    assert round_trips(backend.dismiss, warm[0], ids) == 2


def test_storing_again_costs_one_for_a_thousand(backend, warm, round_trips):
    message = backend.create_message(STORED_INFO, "Hello")

    assert round_trips(backend.inbox_store, warm[:1000], message) == 1


def test_emptying_the_store_does_not_cost_a_round_trip_for_each_key(backend, warm, round_trips):
    backend.send(warm[:500], [draft()])
    keys = len(list(backend.client.scan_iter(match="*")))
    assert keys > 1000

    assert round_trips(backend._flush) < keys / 50


def test_a_cluster_costs_one_for_each_node(on_cluster, crowd, redis_cluster, sent_to):
    users = crowd(300)
    on_cluster.summaries(users)
    ports = {node.port for node in redis_cluster.nodes}

    with sent_to() as writes:
        on_cluster.send(users, [draft("Hello")])
    assert len(writes) == 1 + len(ports)
    assert set(writes) == ports
    with sent_to() as writes:
        on_cluster.summaries(users)
    assert len(writes) == 1 + len(ports)
