"""Messages of backends that know 1.4.0's interface only, as :class:`StoredMessage`.

Such a message has ``id``, ``message``, ``level``, ``tags``, ``date`` and ``url``, and no position or stamp. Both are
derived from what it has: the position from its date and id, the stamp from its id.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from typing import Any

from django.utils.dateparse import parse_datetime

from stored_messages.links import safe_url
from stored_messages.moments import as_aware_date, as_project_date, within_time
from stored_messages.positions import format_position
from stored_messages.sanitizing import clean_text
from stored_messages.stored import StoredMessage, Summary

# Earlier than that of positions elsewhere: 1.4.0 is from 2014, and its messages keep their order.
_EPOCH = datetime(1970, 1, 1, tzinfo=datetime_timezone.utc)
_ID_BITS = 11
# Far dates leave room above for those that must be told apart.
_HIGHEST_DATE = (1 << 52) - (1 << 40)


def adopt(message: Any) -> StoredMessage:
    """Return the message itself if it is a StoredMessage, else one with the same content."""
    if isinstance(message, StoredMessage):
        return message
    date = _aware(getattr(message, "date", None))
    # A message of Django's kind has bare tags of its own; 1.4.0's has no others.
    tags = message.extra_tags if hasattr(message, "extra_tags") else getattr(message, "tags", "")
    adopted = StoredMessage(
        message.level,
        clean_text(message.message),
        clean_text(tags or ""),
        url=safe_url(getattr(message, "url", None)),
        date=as_project_date(date),
        sent_at=as_project_date(date),
        position=_position(date, message.id),
        stamp=zlib.crc32(_text(message.id)) or 1,
    )
    adopted.id = str(message.id)
    return adopted


def adopt_all(
    messages: Iterable[Any], unread: Iterable[StoredMessage] | None = None
) -> list[StoredMessage]:
    """Return the messages in order of position, each once; those that are not among ``unread``, if given, as read."""
    by_id = {str(message.id): message for message in messages}
    # Copies: a store may keep its messages in the process, and share them between users.
    adopted = [adopt(message).copy() for message in by_id.values()]
    if unread is not None:
        unread_ids = {message.id for message in unread}
        for message in adopted:
            if message.id not in unread_ids and message.read_at is None:
                message.read_at = message.date
    adopted.sort(key=lambda message: (message.position, message.id))
    _tell_apart(adopted)
    return adopted


def summarize(messages: Iterable[StoredMessage]) -> Summary:
    """Return the summary of exactly these messages."""
    stamps = [message.stamp for message in messages]
    return Summary(len(stamps), sum(stamps))


def _aware(date: Any) -> datetime:
    """A datetime, or its text as in ISO 8601: 1.4.0's own backend for Redis handed out such."""
    try:
        moment = parse_datetime(date) if isinstance(date, str) else date
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        return _EPOCH
    return as_aware_date(within_time(moment))


def _position(date: datetime, msg_id: Any) -> str:
    """The date, then what fits of the id: of numbers that rise, or of a checksum."""
    elapsed = min(max((date - _EPOCH) // timedelta(microseconds=1), 0), _HIGHEST_DATE)
    number = msg_id if isinstance(msg_id, int) else zlib.crc32(_text(msg_id))
    return format_position(elapsed << _ID_BITS | number % (1 << _ID_BITS))


def _tell_apart(ordered: list[StoredMessage]) -> None:
    """Let positions rise strictly: a page begins below one, and must not pass over its equals."""
    last = -1
    for message in ordered:
        position = int(message.position, 16)
        if position <= last:
            position = last + 1
            message.position = format_position(position)
        last = position


def _text(msg_id: Any) -> bytes:
    return str(msg_id).encode(errors="surrogatepass")
