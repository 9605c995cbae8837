"""Messages of backends that know 1.4.0's interface only, as :class:`StoredMessage`.

Such a message has ``id``, ``message``, ``level``, ``tags``, ``date`` and ``url``, and no position or stamp. Both are
derived from what it has: the position from its date and id, the stamp from its id.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from stored_messages.links import safe_url
from stored_messages.positions import format_position, position_at
from stored_messages.stored import StoredMessage, Summary


def adopt(message: Any) -> StoredMessage:
    """Return the message itself if it is a StoredMessage, else one with the same content."""
    if isinstance(message, StoredMessage):
        return message
    date = getattr(message, "date", None)
    if not isinstance(date, datetime):
        date = datetime.fromtimestamp(0, tz=timezone.get_current_timezone())
    elif timezone.is_naive(date):
        date = timezone.make_aware(date)
    number = zlib.crc32(str(message.id).encode(errors="replace"))
    adopted = StoredMessage(
        message.level,
        message.message,
        getattr(message, "extra_tags", None) or getattr(message, "tags", "") or "",
        url=safe_url(getattr(message, "url", None)),
        date=date,
        sent_at=date,
        position=format_position(position_at(date, number)),
        stamp=number or 1,
    )
    adopted.id = str(message.id)
    return adopted


def adopt_all(
    messages: Iterable[Any], unread: Iterable[StoredMessage] | None = None
) -> list[StoredMessage]:
    """Return the messages in order of position; those that are not among ``unread``, if given, as read."""
    adopted = [adopt(message) for message in messages]
    if unread is not None:
        unread_ids = {message.id for message in unread}
        for message in adopted:
            if message.id not in unread_ids and message.read_at is None:
                message.read_at = message.date
    return sorted(adopted, key=lambda message: message.position)


def summarize(messages: Iterable[StoredMessage]) -> Summary:
    """Return the summary of exactly these messages."""
    stamps = [message.stamp for message in messages]
    return Summary(len(stamps), sum(stamps))
