"""The connection to Redis: one client, and so one pool, per process and url."""

import os
import threading
from typing import Any

import redis
import redis.backoff
import redis.cluster
import redis.exceptions
import redis.retry
from django.core.exceptions import ImproperlyConfigured

#: Seconds that a command may take, and connecting; a url may say otherwise (``?socket_timeout=...``).
TIMEOUT_SECONDS = 5.0

#: What the client raises when the server is not there, or not in time.
UNREACHABLE = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)

_CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}

Client = redis.Redis | redis.cluster.RedisCluster

_clients: dict[str, Client] = {}
_clients_lock = threading.Lock()


def _begin_again() -> None:
    """In a forked child: a thread of the parent's may have held the lock, and is not there to let go of it."""
    global _clients_lock  # noqa: PLW0603 - one per process
    _clients_lock = threading.Lock()


os.register_at_fork(after_in_child=_begin_again)


def client_for(url: str) -> Client:
    """Return this process's client for ``redis://``, ``rediss://``, ``unix://`` or ``redis+cluster://``.

    Raises ``ImproperlyConfigured`` for any other url. A cluster is asked for its nodes, the others for nothing yet.
    """
    with _clients_lock:
        if url not in _clients:
            _clients[url] = _connect(url)
        return _clients[url]


def bytes_client(url: str | None) -> redis.Redis:
    """Return a new client that answers bytes, for what 1.4.0 left on a single server.

    Raises ``ImproperlyConfigured`` for a url of anything else.
    """
    if not url or url.partition("://")[0] in _CLUSTER_SCHEMES:
        raise ImproperlyConfigured(
            f"{url!r} is no url of a single Redis server, which is what 1.4.0 had its messages on."
        )
    return _connect_to_server(url, {**_options(), "decode_responses": False})


def _connect(url: str) -> Client:
    scheme, separator, rest = url.partition("://")
    if scheme not in _CLUSTER_SCHEMES:
        return _connect_to_server(url, _options())
    try:
        return redis.cluster.RedisCluster.from_url(
            f"{_CLUSTER_SCHEMES[scheme]}{separator}{rest}",
            require_full_coverage=False,
            **_options(),
        )
    except ValueError as error:
        raise _no_url(url, error) from error


def _connect_to_server(url: str, options: dict[str, Any]) -> redis.Redis:
    try:
        client: redis.Redis = redis.Redis.from_url(url, health_check_interval=30, **options)
    except ValueError as error:
        raise _no_url(url, error) from error
    return client


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        # Once, for a server that came back. What took too long already is not tried again.
        "retry": redis.retry.Retry(
            redis.backoff.NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)
        ),
    }


def _no_url(url: str, error: ValueError) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{url!r} is no url of Redis: {error}")
