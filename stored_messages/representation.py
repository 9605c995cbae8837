"""A message as clients see it: the same in REST responses and in frames."""

from datetime import datetime, timezone
from html import unescape
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.utils.html import strip_tags
from django.utils.safestring import SafeData

from stored_messages.moments import as_aware_date
from stored_messages.stored import Ref, StoredMessage


def represent(message: StoredMessage) -> dict[str, Any]:
    """Return the message as a JSON-able dict.

    ``message`` is the text as stored, ``text`` the plain text to show: of a text that was marked safe, tags are
    stripped and entities decoded.
    """
    text = str(message.message)
    return {
        "id": message.id,
        "message": text,
        "text": _plain(text) if isinstance(message.message, SafeData) else text,
        "level": message.level,
        "level_tag": message.level_tag,
        "tags": message.tags,
        "extra_tags": message.extra_tags or "",
        "date": represent_date(message.date),
        "url": message.url,
        "data": message.data,
        "position": message.position,
        "stamp": message.stamp,
        "broadcast": message.broadcast,
        "read_at": represent_date(message.read_at),
    }


def _plain(markup: str) -> str:
    """Return markup as a reader would see it, or as it is if Django refuses to look through it."""
    try:
        return unescape(strip_tags(markup))
    except (
        SuspiciousOperation
    ):  # hundreds of tags that never end; one such message must not hide the others
        return markup


def represent_ref(ref: Ref) -> dict[str, Any]:
    """Return a reference as a JSON-able dict."""
    return {"id": ref.id, "stamp": ref.stamp, "position": ref.position}


def represent_date(value: datetime | None) -> str | None:
    """Return a date in UTC as ISO 8601 text with a ``Z``."""
    if value is None:
        return None
    if value.tzinfo is not timezone.utc:
        value = as_aware_date(value).astimezone(timezone.utc)
    return value.isoformat().replace("+00:00", "Z")
