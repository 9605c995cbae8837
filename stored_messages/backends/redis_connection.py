"""The connection to Redis: one client, and so one pool, per process and url; and batches of commands through it."""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import redis
import redis.backoff
import redis.cluster
import redis.exceptions
import redis.retry
from django.core.exceptions import ImproperlyConfigured

#: Seconds that a command may take, and connecting; a url may say otherwise (``?socket_timeout=...``).
TIMEOUT_SECONDS = 5.0

_CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}

#: Answers of a node that has not, or not yet, or no longer, what was asked for.
_ELSEWHERE = (
    redis.exceptions.AskError,  # and MovedError
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,
)

_BATCH = 1000
_SCAN_COUNT = 500
_T = TypeVar("_T")

Client = redis.Redis | redis.cluster.RedisCluster

_clients: dict[str, Client] = {}
_clients_lock = threading.Lock()


class Command(NamedTuple):
    """A command and the key that it is about, which says what node of a cluster it goes to."""

    key: str
    arguments: tuple[Any, ...]


def client_for(url: str) -> Client:
    """Return this process's client for ``redis://``, ``rediss://``, ``unix://`` or ``redis+cluster://``.

    Raises ``ImproperlyConfigured`` for any other url. A cluster is asked for its nodes, the others for nothing yet.
    """
    with _clients_lock:
        if url not in _clients:
            _clients[url] = _connect(url)
        return _clients[url]


def _connect(url: str) -> Client:
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        # Once, for a server that came back. What took too long already is not tried again.
        "retry": redis.retry.Retry(
            redis.backoff.NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)
        ),
    }
    scheme, separator, rest = url.partition("://")
    try:
        if scheme in _CLUSTER_SCHEMES:
            return redis.cluster.RedisCluster.from_url(
                f"{_CLUSTER_SCHEMES[scheme]}{separator}{rest}",
                require_full_coverage=False,
                **options,
            )
        client: redis.Redis = redis.Redis.from_url(url, health_check_interval=30, **options)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['REDIS_URL'] = {url!r} is no url of Redis: {error}"
        ) from error
    return client


def run(client: Client, commands: Iterable[Command]) -> list[Any]:
    """Run commands in one round trip, of a cluster one for each node; return the replies.

    They are not one transaction. Raises what the first of them that failed raised.
    """
    replies = _replies(client, list(commands))
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def all_keys(client: Client, pattern: str) -> Iterator[str]:
    """Yield the keys that match, in small steps: of a cluster, those of every primary. Some may come twice."""
    keys: Iterator[str] = client.scan_iter(match=pattern, count=_SCAN_COUNT)
    return keys


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield lists of as many as go into one round trip."""
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


class Script:
    """The script behind every inbox, by its digest; sent whole only to a server that does not know it."""

    def __init__(self) -> None:
        self.text = (files("stored_messages.backends") / "inbox.lua").read_text()
        # Redis names scripts by SHA-1 (the EVALSHA command); nothing is secured by it.
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Client, calls: Iterable[tuple[list[str], list[Any]]]) -> list[Any]:
        """Run it for each (keys, arguments) in one round trip; return the replies. Raises what a call raised."""
        commands = [
            Command(keys[0], ("EVALSHA", self.sha, len(keys), *keys, *arguments))
            for keys, arguments in calls
        ]
        replies = _replies(client, commands)
        unknown = [
            index
            for index, reply in enumerate(replies)
            if isinstance(reply, redis.exceptions.NoScriptError)
        ]
        if unknown:
            missed = [commands[index] for index in unknown]
            run(client, self._loading(client, missed))
            for index, reply in zip(unknown, _replies(client, missed), strict=True):
                replies[index] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _loading(self, client: Client, missed: list[Command]) -> list[Command]:
        """What teaches it to the nodes that these commands go to, and to no others."""
        firsts = {_node(client, command): command.key for command in reversed(missed)}
        return [Command(key, ("SCRIPT LOAD", self.text)) for key in firsts.values()]


def _replies(client: Client, commands: list[Command]) -> list[Any]:
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
        # Its keys are on the move just now: the client follows them.
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
        by_node.setdefault(_node(client, commands[index]), []).append(index)
    waiting = []
    for name, its_indexes in by_node.items():
        connection = client.get_redis_connection(client.get_node(node_name=name))
        try:
            answers = _pipeline(connection, [commands[index] for index in its_indexes])
        except redis.exceptions.ConnectionError:
            if not retry:
                raise
            waiting += its_indexes
            continue
        except redis.exceptions.TimeoutError:
            _ask_for_nodes(client)
            raise
        for index, answer in zip(its_indexes, answers, strict=True):
            if isinstance(answer, _ELSEWHERE):
                waiting.append(index)
            replies[index] = answer
    return waiting


def _follow(client: Any, command: Command) -> Any:
    try:
        return client.execute_command(*command.arguments)
    except redis.exceptions.ResponseError as error:
        return error


def _ask_for_nodes(client: redis.cluster.RedisCluster) -> None:
    try:
        client.nodes_manager.initialize()
    except redis.exceptions.RedisError:
        # Nobody answers. What was to be done will say so.
        return


def _node(client: Any, command: Command) -> Any:
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
