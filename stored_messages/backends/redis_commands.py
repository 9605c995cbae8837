"""Batches of commands: one round trip each, and of a cluster one for each node."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import redis.cluster
import redis.exceptions

from stored_messages.backends.redis_connection import Client

_BATCH = 1000
_SCAN_COUNT = 500
_T = TypeVar("_T")

#: Answers of a node that has not, or not yet, or no longer, what was asked for.
_ELSEWHERE = (
    redis.exceptions.AskError,  # and MovedError
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,
)


class Command(NamedTuple):
    """A command and the key that it is about, which says what node of a cluster it goes to."""

    key: str
    arguments: tuple[Any, ...]


def run(client: Client, commands: Iterable[Command]) -> list[Any]:
    """Run commands in one round trip, of a cluster one for each node; return the replies.

    They are not one transaction. Raises what the first of them that failed raised.
    """
    return checked(replies_to(client, list(commands)))


def all_keys(client: Client, pattern: str) -> Iterator[str]:
    """Yield the keys that match, in small steps: of a cluster, those of every primary. Some may come twice."""
    keys: Iterator[str] = client.scan_iter(match=pattern, count=_SCAN_COUNT)
    return keys


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield lists of as many as go into one round trip."""
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def checked(replies: list[Any]) -> list[Any]:
    """Return the replies; raise the first that is an error."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def replies_to(client: Client, commands: list[Command]) -> list[Any]:
    """Return the reply to each command, or the error that a server answered. Raises when one does not answer."""
    if not isinstance(client, redis.cluster.RedisCluster):
        return _pipeline(client, commands)
    replies: list[Any] = [None] * len(commands)
    # A node may have handed its keys, or its place, to another one since the client asked: it asks again, once.
    waiting = _send_to_nodes(client, commands, replies, range(len(commands)), retry=True)
    if waiting:
        _ask_for_nodes(client)
        waiting = _send_to_nodes(client, commands, replies, waiting, retry=False)
    for index in waiting:
        # Its slot is on the move just now: the client follows its key. (Several keys have to wait for the end of it.)
        replies[index] = _follow(client, commands[index])
    return replies


def _send_to_nodes(
    client: Any,
    commands: list[Command],
    replies: list[Any],
    indexes: Iterable[int],
    *,
    retry: bool,
) -> list[int]:
    """Fill in the replies, one pipeline for each node; return the indexes that have none yet.

    The cluster's own pipeline would ask the server for the keys of each script call: a round trip for each. And it
    would try every command again, one by one, against a node that does not answer.
    """
    by_node: dict[str, list[int]] = {}
    for index in indexes:
        by_node.setdefault(node_of(client, commands[index]), []).append(index)
    waiting = []
    failure: redis.exceptions.RedisError | None = None
    for name, its_indexes in by_node.items():
        connection = client.get_redis_connection(client.get_node(node_name=name))
        try:
            answers = _pipeline(connection, [commands[index] for index in its_indexes])
        except redis.exceptions.ConnectionError as error:
            if retry:
                waiting += its_indexes
            else:
                failure = error
            continue
        except redis.exceptions.TimeoutError as error:
            failure = error
            continue
        for index, answer in zip(its_indexes, answers, strict=True):
            if isinstance(answer, _ELSEWHERE):
                waiting.append(index)
            replies[index] = answer
    if failure is not None:
        # Now that the other nodes have done their part. Somebody else may have taken the place of this one.
        _ask_for_nodes(client)
        raise failure
    return waiting


def _follow(client: Any, command: Command) -> Any:
    try:
        return client.execute_command(*command.arguments)
    except redis.exceptions.RedisError as error:
        return error


def _ask_for_nodes(client: redis.cluster.RedisCluster) -> None:
    try:
        client.nodes_manager.initialize()
    except redis.exceptions.RedisError:
        # Nobody answers. What was to be done will say so.
        return


def node_of(client: Any, command: Command) -> Any:
    """The name of the node that has the key of this command: of a single server, none."""
    is_cluster = isinstance(client, redis.cluster.RedisCluster)
    return client.get_node_from_key(command.key).name if is_cluster else ""


def _pipeline(client: Any, commands: list[Command]) -> list[Any]:
    if not commands:
        return []
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command.arguments)
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies
