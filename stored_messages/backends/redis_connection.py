"""The connection to Redis: one client, and so one pool, per process and url."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis
import redis.cluster
import redis.exceptions
from django.core.exceptions import ImproperlyConfigured

#: Seconds that a command may take, and connecting; a url may say otherwise (``?socket_timeout=...``).
TIMEOUT_SECONDS = 5.0

_CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}


@cache
def client_for(url: str) -> "redis.Redis | redis.cluster.RedisCluster":
    """Return this process's client for ``redis://``, ``rediss://``, ``unix://`` or ``redis+cluster://``.

    Raises ``ImproperlyConfigured`` for any other url. Nothing is connected yet.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
    }
    scheme, separator, rest = url.partition("://")
    try:
        if scheme in _CLUSTER_SCHEMES:
            return redis.cluster.RedisCluster.from_url(
                f"{_CLUSTER_SCHEMES[scheme]}{separator}{rest}", **options
            )
        client: redis.Redis = redis.Redis.from_url(url, health_check_interval=30, **options)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['REDIS_URL'] = {url!r} is no url of Redis: {error}"
        ) from error
    return client


class Script:
    """The script behind every inbox, by its digest; sent whole only to a server that does not know it."""

    def __init__(self) -> None:
        self.text = (files("stored_messages.backends") / "inbox.lua").read_text()
        # Redis names scripts by SHA-1 (the EVALSHA command); nothing is secured by it.
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Any, calls: Sequence[tuple[list[str], list[Any]]]) -> list[Any]:
        """Run it for each (keys, arguments) in one pipeline; return the replies. Raises what a call raised."""
        replies = self._pipeline(client, calls)
        unknown = [
            index
            for index, reply in enumerate(replies)
            if isinstance(reply, redis.exceptions.NoScriptError)
        ]
        if unknown:
            client.script_load(self.text)
            again = self._pipeline(client, [calls[index] for index in unknown])
            for index, reply in zip(unknown, again, strict=True):
                replies[index] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _pipeline(self, client: Any, calls: Sequence[tuple[list[str], list[Any]]]) -> list[Any]:
        if not calls:
            return []
        pipeline = client.pipeline(transaction=False)
        for keys, arguments in calls:
            pipeline.execute_command("EVALSHA", self.sha, len(keys), *keys, *arguments)
        replies: list[Any] = pipeline.execute(raise_on_error=False)
        return replies
