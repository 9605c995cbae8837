"""A cluster of Redis: where keys are, scripts that a node has not, nodes that go and slots that move."""

import signal

import pytest
import redis.exceptions
from redis import Redis
from redis.crc import key_slot

from stored_messages import STORED_INFO
from stored_messages.backends.redis_keys import content_key, owner_keys, owner_name
from stored_messages.stored import Cleanup
from tests.inbox.inboxes import check_agreement, draft, send, unread
from tests.inbox_ui.sending import sent_days_ago
from tests.services.waiting import wait_for


@pytest.fixture
def node_of(redis_cluster):
    return lambda user: redis_cluster.node_of(owner_keys(owner_name(user.pk))[0])


@pytest.fixture
def on_different_nodes(crowd, node_of, redis_cluster):
    """One user on each node."""
    by_node = {node_of(user).port: user for user in crowd(50)}
    assert len(by_node) == len(redis_cluster.nodes)
    return [by_node[node.port] for node in redis_cluster.nodes]


@pytest.mark.parametrize("pk", [1, "a@b.org", "{1}", "{", "}x{", "ä ö", "", "x" * 500, "{}7"])
def test_all_keys_of_a_user_are_in_one_slot(pk):
    assert len({key_slot(key.encode()) for key in owner_keys(owner_name(pk))}) == 1


def test_users_are_spread_over_the_slots():
    slots = {key_slot(owner_keys(owner_name(pk))[0].encode()) for pk in range(1000)}

    assert len(slots) > 900


def test_scripts_are_loaded_again_where_they_were_flushed(
    on_cluster, redis_cluster, on_different_nodes
):
    send(on_cluster, on_different_nodes, "before")
    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            client.script_flush()

    send(on_cluster, on_different_nodes, "after")

    for user in on_different_nodes:
        assert unread(on_cluster, user) == ["before", "after"]


def test_a_script_is_loaded_only_where_it_is_needed(on_cluster, redis_cluster, on_different_nodes):
    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            client.script_flush()

    on_cluster.dismiss(on_different_nodes[0], ["0" * 24])

    known = []
    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            known += client.script_exists(on_cluster._script.sha)
    assert known == [True, False, False]


def test_what_a_user_had_is_removed_wherever_it_was(on_cluster, redis_cluster, on_different_nodes):
    send(on_cluster, on_different_nodes, *map(str, range(10)))
    on_cluster.broadcast(draft("Everybody"))
    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            assert client.dbsize() > 0

    on_cluster._flush()

    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            assert client.dbsize() == 0


def test_the_cleanup_visits_every_node(on_cluster, on_different_nodes, at, redis_cluster_url):
    backend = at(redis_cluster_url, MESSAGE_EXPIRE_DAYS=None, INBOX_EXPIRE_DAYS=10)
    backend.send([], [sent_days_ago(2) for _ in range(20)])
    backend.send(on_different_nodes, [sent_days_ago(9)])
    at(redis_cluster_url, INBOX_EXPIRE_DAYS=5)

    assert backend.cleanup(dry_run=True) == Cleanup(0, 3, 20)
    assert backend.cleanup() == Cleanup(0, 3, 20)
    assert backend.cleanup() == Cleanup(0, 0, 0)


def test_a_content_is_there_before_the_index_tells_of_it(
    on_cluster, redis_cluster, on_different_nodes, sent_to
):
    """Whoever finds a broadcast without its content takes it out of the index: for everybody."""
    on_cluster.summaries(on_different_nodes)
    index_node = redis_cluster.node_of("stored_messages:broadcasts")
    elsewhere = False
    while not elsewhere:
        with sent_to() as writes:
            message = on_cluster.broadcast(draft("Everybody"))
        content_node = redis_cluster.node_of(content_key(message.id))
        assert writes == [content_node.port, index_node.port]
        elsewhere = content_node is not index_node


def test_a_node_that_came_back_empty_is_used_again(
    on_cluster, redis_cluster, on_different_nodes, node_of
):
    send(on_cluster, on_different_nodes, "before")
    gone = on_different_nodes[0]
    node_of(gone).restart()
    redis_cluster.wait_until_ok()

    send(on_cluster, on_different_nodes, "after")

    assert unread(on_cluster, gone)[-1:] == ["after"]
    for user in on_different_nodes:
        check_agreement(on_cluster, user)
        assert "after" in unread(on_cluster, user)


def test_a_node_that_is_gone_is_an_error_and_its_return_is_found(
    on_cluster, redis_cluster, on_different_nodes, node_of
):
    send(on_cluster, on_different_nodes, "before")
    gone = on_different_nodes[0]
    node_of(gone).kill()
    try:
        with pytest.raises(redis.exceptions.RedisError):
            on_cluster.dismiss(gone, ["0" * 24])
    finally:
        node_of(gone).start()
    redis_cluster.wait_until_ok()

    assert on_cluster.dismiss(gone, ["0" * 24]) == []


def answers(backend, users):
    """On a busy machine nodes that are well may be late, too."""
    try:
        return backend.summaries(users)
    except redis.exceptions.RedisError:
        return None


def test_a_node_that_is_stuck_fails_a_call_and_not_each_command(
    at, redis_cluster, redis_cluster_url, crowd, node_of, sent_to
):
    backend = at(f"{redis_cluster_url}?socket_timeout=2")
    users = crowd(300)
    wait_for(lambda: answers(backend, users), "every node is reached")
    message = backend.create_message(STORED_INFO, "Hello")
    stuck = node_of(users[0])
    stuck.send_signal(signal.SIGSTOP)
    try:
        with sent_to() as writes, pytest.raises(redis.exceptions.TimeoutError):
            backend.inbox_store(users, message)
    finally:
        stuck.send_signal(signal.SIGCONT)
    redis_cluster.wait_until_ok()

    # The batch, and the question who else is in the cluster.
    assert writes.count(stuck.port) < 10
    others = [user for user in users if node_of(user) is not stuck]
    assert others
    backend = at(redis_cluster_url)
    assert all(backend.archive_count(user) == 1 for user in others)


@pytest.fixture
def move_slot(redis_cluster):
    """Move a user's slot, which has to be empty, to another node; or begin to, and leave it so until the end."""
    clients = {node.port: Redis.from_url(node.url) for node in redis_cluster.nodes}
    ids = {port: client.execute_command("CLUSTER MYID") for port, client in clients.items()}
    moved = set()

    def move(user, target, *, finish):
        key = owner_keys(owner_name(user.pk))[0]
        slot, source = key_slot(key.encode()), redis_cluster.node_of(key)
        moved.add(slot)
        importing = ("CLUSTER SETSLOT", slot, "IMPORTING", ids[source.port])
        clients[target.port].execute_command(*importing)
        clients[source.port].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target.port])
        if finish:
            for port in (target.port, source.port):
                clients[port].execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target.port])

    yield move
    redis_cluster.flush()
    redis_cluster.take_back(moved)
    for client in clients.values():
        client.close()


def test_a_slot_that_moved_is_found(on_cluster, redis_cluster, on_different_nodes, move_slot):
    user = on_different_nodes[0]
    on_cluster.summaries(on_different_nodes)
    move_slot(user, redis_cluster.nodes[1], finish=True)

    [message] = on_cluster.send(on_different_nodes, [draft("Hello")])

    for one in on_different_nodes:
        assert unread(on_cluster, one) == ["Hello"]
        check_agreement(on_cluster, one)
    assert len(on_cluster.mark_read(user, [message.id])) == 1


def test_a_slot_on_the_move_stops_nobody_else(
    on_cluster, redis_cluster, on_different_nodes, move_slot
):
    user, *others = on_different_nodes
    message = on_cluster.create_message(STORED_INFO, "Hello")
    move_slot(user, redis_cluster.nodes[1], finish=False)

    with pytest.raises(redis.exceptions.RedisError):
        on_cluster.inbox_store(on_different_nodes, message)

    for one in others:
        assert unread(on_cluster, one) == ["Hello"]
