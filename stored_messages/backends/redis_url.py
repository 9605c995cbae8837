"""Whether ``STORED_MESSAGES['REDIS_URL']`` is a url of Redis, without connecting to it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.connection
from django.core.exceptions import ImproperlyConfigured

_CLUSTER = ("redis+cluster://", "rediss+cluster://")
_TIMEOUTS = ("socket_timeout", "socket_connect_timeout")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def check_url(url: object) -> None:
    """Raise ``ImproperlyConfigured`` for what is no url of Redis, or of a cluster of it."""
    if not url:
        raise ImproperlyConfigured(
            "STORED_MESSAGES['REDIS_URL'] is not set: RedisBackend needs it."
        )
    why = _problem(url) if isinstance(url, str) else "it is no text"
    if why:
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['REDIS_URL'] = {url!r} is no url of Redis: {why}"
        )


def _problem(url: str) -> str | None:
    is_cluster = url.startswith(_CLUSTER)
    plain = url.replace("+cluster", "", 1) if is_cluster else url
    parse_url: Any = redis.connection.parse_url
    try:
        options = parse_url(plain)
        # Made, but not connected: of what the query string says, only the connection knows whether it is right.
        redis.Redis.from_url(plain).connection_pool.make_connection()
    except (ValueError, TypeError, redis.RedisError) as error:
        return str(error)
    parts = urlsplit(plain)
    if parts.scheme == "unix":
        return None if options.get("path") else "it names no socket"
    database = parts.path.strip("/")
    if database and not database.isdecimal():
        return f"{database!r} is no number of a database"
    if is_cluster and not parts.hostname:
        return "it names no host"
    if is_cluster and options.get("db"):
        return "a cluster has database 0 only"
    return _problem_of(options)


def _problem_of(options: dict[str, Any]) -> str | None:
    for name in _TIMEOUTS:
        if name in options and options[name] <= 0:
            return f"{name} must be more than 0"
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            return f"{name}: there is no file {options[name]!r}"
    return None
