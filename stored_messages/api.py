"""What applications call. Every name here is also a name of :mod:`stored_messages`.

``users`` may be a user, a primary key, or any iterable, generator or queryset of them. A message is given as itself
or by its id.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from stored_messages.backends import get_backend
from stored_messages.exceptions import MessageDoesNotExist, MessageTypeNotSupported
from stored_messages.owners import owner_key
from stored_messages.stored import StoredMessage, Summary

__all__ = (
    "MessageDoesNotExist",
    "MessageTypeNotSupported",
    "StoredMessage",
    "Summary",
    "add_message_for",
    "broadcast_message",
    "get_backend",
    "mark_all_read",
    "mark_read",
    "owner_key",
    "summaries",
    "summary",
)

logger = logging.getLogger("stored_messages")
_Result = TypeVar("_Result")


def add_message_for(
    users: Any,
    level: int,
    message_text: Any,
    extra_tags: Any = "",
    date: datetime | None = None,
    url: Any = None,
    fail_silently: bool = False,
    *,
    data: Mapping[str, Any] | None = None,
) -> StoredMessage | None:
    """Send a message to some users, whether they are signed in or not.

    A user named twice gets one copy. ``url`` is http(s) or a path of this site; ``data`` is the application's own
    JSON, of which ``title``, ``actor``, ``icon`` and ``group`` have a meaning to the bell. Returns the message as
    stored. The database backend takes one statement for the message and a constant number per thousand users.

    Raises ``ValueError`` or ``TypeError`` for arguments that make no message, always. What the store raises is raised
    too, or with ``fail_silently`` logged: then ``None`` is returned, and the caller's transaction stays usable.
    """
    draft = StoredMessage.draft(level, message_text, extra_tags, url=url, date=date, data=data)
    sent = _guarded(fail_silently, lambda: get_backend().send(users, [draft]))
    return sent[0] if sent else None


def broadcast_message(
    level: int,
    message_text: Any,
    extra_tags: Any = "",
    date: datetime | None = None,
    url: Any = None,
    fail_silently: bool = False,
    *,
    data: Mapping[str, Any] | None = None,
) -> StoredMessage | None:
    """Send a message to everybody who has joined so far: one row, whatever the number of users.

    Arguments, result and errors are those of :func:`add_message_for`.
    """
    draft = StoredMessage.draft(
        level, message_text, extra_tags, url=url, date=date, data=data, broadcast=True
    )
    return _guarded(fail_silently, lambda: get_backend().broadcast(draft))


def mark_read(user: Any, message: Any) -> bool:
    """Mark a message read.

    Returns True if it was unread, False if it was read already, is unknown or somebody else's. Raises for none of
    these.
    """
    return bool(get_backend().mark_read(user, [getattr(message, "id", message)]))


def mark_all_read(
    user: Any, *, shown: Iterable[Any] | None = None, below: str | None = None
) -> None:
    """Mark everything in a user's inbox read.

    With ``shown`` (messages or ids) and ``below`` (a position), only those messages and what lies below that position:
    what arrived after the user looked stays unread.
    """
    backend = get_backend()
    if shown is None and below is None:
        backend.inbox_purge(user)
        return
    backend.mark_read(user, [getattr(message, "id", message) for message in shown or ()])
    if below is not None:
        backend.mark_read_below(user, below)


def summary(user: Any) -> Summary:
    """Return how many messages a user (an instance) has unread, and their digest: at most two queries."""
    return get_backend().summary(user)


def summaries(users: Iterable[Any]) -> dict[Any, Summary]:
    """Return the summaries of users (instances), by primary key: at most three queries, whatever their number."""
    return get_backend().summaries(users)


def _guarded(fail_silently: bool, store: Callable[[], _Result]) -> _Result | None:
    try:
        return store()
    except Exception:
        if not fail_silently:
            raise
        logger.exception("A message could not be stored.")
        return None
