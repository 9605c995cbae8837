"""What 1.4.0 left in Redis: lists of messages as JSON, under keys with the user's primary key.

Its ids are hashes of time and ASCII letters, so that different messages may share one. Here, what a message says
decides which it is: the same entry is the same message whenever it is read, and in whoever's list it is.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from datetime import timezone as datetime_timezone
from typing import Any, NamedTuple

from django.utils.dateparse import parse_datetime

from stored_messages.backends.redis_records import message_id, micros
from stored_messages.links import safe_url
from stored_messages.moments import as_aware_date, as_project_date, within_time
from stored_messages.positions import format_position
from stored_messages.sanitizing import clean_text
from stored_messages.stored import StoredMessage

_KEY = re.compile(rb"user:(.+):(?:notifications|archive)", re.DOTALL)
_KEYS = "user:*:notifications", "user:*:archive"
_SCAN_COUNT = 500
_CHUNK = 1000

_LAST_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z: a date beyond is no date that anybody meant
_MS_BITS = 11


class Entry(NamedTuple):
    """An entry of a list, as a message; `url_dropped` if it had one that no message may have."""

    message: StoredMessage
    url_dropped: bool


class LegacyLists:
    """The keys of one user in the old server. ``name`` is the primary key as it stands in them."""

    def __init__(self, client: Any, name: bytes) -> None:
        self._client = client
        self._index = b"user:" + name + b":notificationsidx"
        self.unread = b"user:" + name + b":notifications"
        both = self.unread, b"user:" + name + b":archive"
        #: What is unread comes first, as it is in both. Something else of the project's may have such a name too.
        self.keys = tuple(key for key in both if client.type(key) == b"list")

    def length(self) -> int:
        """Return how many entries there are."""
        return sum(self._client.llen(key) for key in self.keys)

    def chunks(self, key: bytes) -> Iterator[list[bytes]]:
        """Yield the entries of a list, oldest first."""
        start = 0
        while entries := self._client.lrange(key, start, start + _CHUNK - 1):
            yield entries
            start += len(entries)

    def delete(self, lengths: list[int]) -> None:
        """Remove as many entries of each list as were read, and what was known of them."""
        pipeline = self._client.pipeline(transaction=True)
        for key, length in zip(self.keys, lengths, strict=True):
            pipeline.ltrim(key, length, -1)
        pipeline.delete(self._index)
        pipeline.execute()


def legacy_names(client: Any) -> list[bytes]:
    """Return the primary keys of all users who have lists, as they stand in the keys."""
    names = set()
    for pattern in _KEYS:
        for key in client.scan_iter(match=pattern, count=_SCAN_COUNT):
            if found := _KEY.fullmatch(key):
                names.add(found[1])
    return sorted(names)


def parse(entry: bytes) -> Entry:
    """Return the message of an entry. Raises ``ValueError`` for what is none."""
    content = json.loads(entry)
    if not isinstance(content, dict):
        raise ValueError("An entry is no object.")
    level, text, tags = content.get("level"), content.get("message"), content.get("tags") or ""
    if isinstance(level, bool) or not isinstance(level, int):
        raise ValueError("An entry has no level.")
    if not isinstance(text, str) or not isinstance(tags, str):
        raise ValueError("An entry has no text.")
    date = _date(content.get("date"))
    url = safe_url(content.get("url"))
    message = StoredMessage(
        level,
        clean_text(text),
        clean_text(tags),
        url=url,
        date=as_project_date(date),
        sent_at=as_project_date(date),
    )
    identity = json.dumps([micros(date), level, message.message, message.extra_tags, url])
    digest = hashlib.sha256(identity.encode()).digest()
    message.position = _position(date, int.from_bytes(digest[:4], "big"))
    message.stamp = int.from_bytes(digest[4:8], "big") or 1
    message.id = message_id(message.position, message.stamp)
    return Entry(message, url_dropped=bool(content.get("url")) and url is None)


def _date(value: object) -> datetime:
    date = parse_datetime(value) if isinstance(value, str) else None
    if date is None:
        raise ValueError("An entry has no date.")
    return as_aware_date(within_time(date)).astimezone(datetime_timezone.utc)


def _position(date: datetime, number: int) -> str:
    """The date, which has milliseconds, and a number that tells messages of the same one apart.

    Squeezed into the first weeks of the positions that there are: what was imported is in the order of its dates, and
    below whatever arrives.
    """
    milliseconds = min(max(micros(date) // 1000, 0), _LAST_MS)
    return format_position(milliseconds << _MS_BITS | number % (1 << _MS_BITS))
