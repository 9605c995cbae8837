"""What backends hand out: messages, references to them and summaries of inboxes."""

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.messages.storage import base
from django.utils import timezone

from stored_messages.constants import STORED_LEVEL_TAGS
from stored_messages.links import clean_url
from stored_messages.moments import clean_date
from stored_messages.positions import format_position, new_stamp, next_position
from stored_messages.sanitizing import clean_data, clean_level, clean_text


class Ref(NamedTuple):
    """A message as frames name it: enough to find it and to keep a summary up to date."""

    id: str
    stamp: int
    position: str


class Summary(NamedTuple):
    """What is unread: how many messages, and the sum of their stamps. Equal summaries mean equal inboxes."""

    unread: int
    digest: int


class Page(NamedTuple):
    """A part of an inbox or archive, newest first.

    ``cursor`` is the position below which the next page begins, ``None`` when there is nothing below. ``summary`` is
    that of the whole inbox: of these rows and of all others (of an archive: of what is unread).
    """

    messages: "list[StoredMessage]"
    cursor: str | None
    summary: Summary


class Cleanup(NamedTuple):
    """What a cleanup removed, or would remove, in rows or records of the store.

    ``expired``: of messages past ``MESSAGE_EXPIRE_DAYS``. ``left_inbox``: copies that were unread for longer than
    ``INBOX_EXPIRE_DAYS``; they stay in the archive. ``ownerless``: what no user has any more.
    """

    expired: int
    left_inbox: int
    ownerless: int


class StoredMessage(base.Message):
    """A message of Django's that is, or is about to be, in inboxes.

    ``id``
        Opaque text; empty until it is stored.
    ``url``, ``date``, ``data``
        Where it leads, when it happened as its sender says, and the application's own JSON.
    ``sent_at``, ``position``, ``stamp``
        When it was sent, the order of its arrival (compares as text) and its random number.
    ``broadcast``, ``read_at``
        Whether everybody got it, and when its owner read it (``None``: unread).

    ``tags`` are Django's (extra tags and level tag), ``extra_tags`` the bare ones. Messages with ids are equal when
    their ids are; others as in Django, by level and text.
    """

    id: str = ""
    read_at: datetime | None = None

    def __init__(
        self,
        level: int,
        message: Any,
        extra_tags: Any = "",
        *,
        url: str | None = None,
        date: datetime | None = None,
        sent_at: datetime | None = None,
        data: Mapping[str, Any] | None = None,
        broadcast: bool = False,
        position: str | None = None,
        stamp: int | None = None,
    ) -> None:
        super().__init__(level, message, extra_tags)
        self.url = url
        self.sent_at = sent_at or timezone.now()
        self.date = date or self.sent_at
        self.data = dict(data or {})
        self.broadcast = broadcast
        self.position = position or format_position(next_position())
        self.stamp = stamp or new_stamp()

    @classmethod
    def draft(
        cls,
        level: int,
        message: Any,
        extra_tags: Any = "",
        *,
        url: Any = None,
        date: datetime | None = None,
        data: Mapping[str, Any] | None = None,
        broadcast: bool = False,
    ) -> "StoredMessage":
        """Return a message that is ready to be stored, from what a sender says.

        Lazy texts are resolved, unstorable characters replaced. A naive ``date`` is in the current time zone.
        Raises ``ValueError`` for a url that is neither http(s) nor a path of this site, and ``ValueError`` or
        ``TypeError`` for a level that is no integer of 32 bits, a date that is none or of the year 1 or 9999, or data
        that is not JSON.
        """
        return cls(
            clean_level(level),
            clean_text(message),
            clean_text(extra_tags or ""),
            url=clean_url(url),
            date=clean_date(date),
            data=clean_data(data),
            broadcast=broadcast,
        )

    def copy(self) -> "StoredMessage":
        """Return another one with the same content, id and state."""
        twin: StoredMessage = copy.copy(self)
        return twin

    @property
    def level_tag(self) -> str:
        """The project's ``MESSAGE_TAGS``, else "persisted info" and the like for the stored levels."""
        tag: str = base.LEVEL_TAGS.get(self.level, "")
        return tag or STORED_LEVEL_TAGS.get(self.level, "")

    @property
    def ref(self) -> Ref:
        """The reference to this message in frames and signals."""
        return Ref(self.id, self.stamp, self.position)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredMessage) and self.id and other.id:
            return self.id == other.id
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash((self.level, str(self.message)))

    def __repr__(self) -> str:
        return f"StoredMessage(id={self.id!r}, level={self.level}, message={self.message!r})"
