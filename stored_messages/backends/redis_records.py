"""Messages as Redis holds them: contents as JSON, and records of text that the script writes.

Moments are microseconds since 1970.
"""

import json
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeData, mark_safe

from stored_messages.backends.redis_commands import Command
from stored_messages.backends.redis_keys import content_key
from stored_messages.conf import app_settings
from stored_messages.expiry import archive_cutoff, inbox_cutoff
from stored_messages.links import safe_url
from stored_messages.moments import as_aware_date, as_project_date
from stored_messages.stored import Ref, StoredMessage

_EPOCH = datetime(1970, 1, 1, tzinfo=datetime_timezone.utc)


def message_id(position: str, stamp: int) -> str:
    """The id of a message: where it was first, and its first stamp."""
    return f"{position}{stamp:08x}"


def micros(moment: datetime) -> int:
    """A moment as a number."""
    return (as_aware_date(moment) - _EPOCH) // timedelta(microseconds=1)


def moment(number: int) -> datetime:
    """The moment behind a number."""
    return as_project_date(_EPOCH + timedelta(microseconds=number))


def cutoffs() -> list[str]:
    """The cutoffs of inbox and archive, as the script takes them."""
    now = timezone.now()
    return [
        "-inf" if cutoff is None else str(micros(cutoff))
        for cutoff in (inbox_cutoff(now), archive_cutoff(now))
    ]


def expired(date: int, cutoff: str) -> bool:
    """Whether what has this date is at or before a cutoff."""
    return cutoff != "-inf" and date <= int(cutoff)


def storing(message: StoredMessage) -> Command:
    """The command that stores a content, for a day longer than any list may show it."""
    key = content_key(message.id)
    content = {
        "message": str(message.message),
        "safe": isinstance(message.message, SafeData),
        "level": message.level,
        "extra_tags": message.extra_tags or "",
        "url": message.url,
        "date": micros(message.date),
        "sent_at": micros(message.sent_at),
        "data": message.data,
        "broadcast": message.broadcast,
    }
    lifetime: tuple[Any, ...] = ()
    if app_settings.MESSAGE_EXPIRE_DAYS is not None:
        # In seconds: the sum may be no date any more.
        since = int(max(message.date, timezone.now()).timestamp())
        lifetime = ("EXAT", since + (app_settings.MESSAGE_EXPIRE_DAYS + 1) * 24 * 60 * 60)
    return Command(key, ("SET", key, json.dumps(content), *lifetime))


def delivery(message: StoredMessage) -> list[Any]:
    """What the script is told of a copy."""
    read = micros(message.read_at) if message.read_at else ""
    return [message.id, message.position, message.stamp, micros(message.date), read]


def decode(msg_id: str, record: list[str], content: dict[str, Any]) -> StoredMessage:
    """Return the message that a record and its content make."""
    position, stamp, _, read_at, *_ = record
    text = content["message"]
    message = StoredMessage(
        content["level"],
        mark_safe(text) if content["safe"] else text,  # noqa: S308 (as its sender)
        content["extra_tags"],
        url=safe_url(content["url"]),
        date=moment(content["date"]),
        sent_at=moment(content["sent_at"]),
        data=content["data"],
        broadcast=content["broadcast"],
        position=position,
        stamp=int(stamp),
    )
    message.id = msg_id
    message.read_at = moment(int(read_at)) if read_at else None
    return message


def refs(texts: list[str]) -> list[Ref]:
    """Return what the script says was changed, in order of position."""
    found = []
    for text in texts:
        msg_id, stamp, position = text.split(":")
        found.append(Ref(msg_id, int(stamp), position))
    return sorted(found, key=lambda ref: ref.position)
