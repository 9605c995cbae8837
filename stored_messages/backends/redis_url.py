"""Whether ``STORED_MESSAGES['REDIS_URL']`` is a url of Redis, without connecting to it."""

from typing import Any

import redis.connection
from django.core.exceptions import ImproperlyConfigured

_CLUSTER = ("redis+cluster://", "rediss+cluster://")


def check_url(url: object) -> None:
    """Raise ``ImproperlyConfigured`` for what is no url of Redis, or of a cluster of it."""
    if not url:
        raise ImproperlyConfigured(
            "STORED_MESSAGES['REDIS_URL'] is not set: RedisBackend needs it."
        )
    why: object = "it is no text"
    if isinstance(url, str):
        plain = url.replace("+cluster", "", 1) if url.startswith(_CLUSTER) else url
        parse_url: Any = redis.connection.parse_url
        try:
            parse_url(plain)
        except ValueError as error:
            why = error
        else:
            return
    raise ImproperlyConfigured(f"STORED_MESSAGES['REDIS_URL'] = {url!r} is no url of Redis: {why}")
