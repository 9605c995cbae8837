"""What applications call. Every name here is also a name of :mod:`stored_messages`.

``users`` may be a user, a primary key, or any iterable, generator or queryset of them. ``user`` is an instance, and a
message is given as itself or by its id. A name with an ``a`` before it is the asynchronous twin of the name without,
with the same arguments, result and errors.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages

from stored_messages.backends import get_backend
from stored_messages.exceptions import MessageDoesNotExist, MessageTypeNotSupported
from stored_messages.owners import owner_key
from stored_messages.savepoints import savepoints
from stored_messages.stored import Page, StoredMessage, Summary

__all__ = (
    "MessageDoesNotExist",
    "MessageTypeNotSupported",
    "Page",
    "StoredMessage",
    "Summary",
    "aadd_message_for",
    "aarchive",
    "aarchive_count",
    "abroadcast_message",
    "add_message_for",
    "adismiss",
    "aget_messages",
    "ainbox",
    "amark_all_read",
    "amark_read",
    "amark_unread",
    "archive",
    "archive_count",
    "asummaries",
    "asummary",
    "aunread_count",
    "broadcast_message",
    "dismiss",
    "get_backend",
    "inbox",
    "mark_all_read",
    "mark_read",
    "mark_unread",
    "owner_key",
    "summaries",
    "summary",
    "unread_count",
)

logger = logging.getLogger("stored_messages")
#: More than anybody has, and less than any store's own limit.
_MOST = 1_000_000_000

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")


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
    JSON, of which the bell shows ``title``, ``actor`` and ``icon``. Returns the message as stored. The database backend
    takes one statement for the message and a constant number per thousand users.

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
    return bool(get_backend().mark_read(user, [_id(message)]))


def mark_unread(user: Any, message: Any) -> bool:
    """Mark a message unread again, at its old place.

    Returns True if it was read, False if it was unread already, is dismissed, unknown or somebody else's.
    """
    return bool(get_backend().mark_unread(user, [_id(message)]))


def dismiss(user: Any, message: Any) -> bool:
    """Take a message out of a user's inbox and archive.

    Returns True if it was there, False if it was dismissed already, is unknown or somebody else's.
    """
    return bool(get_backend().dismiss(user, [_id(message)]))


def mark_all_read(
    user: Any, *, shown: Iterable[Any] | None = None, below: str | None = None
) -> None:
    """Mark everything in a user's inbox read.

    With ``shown`` (messages or ids, or a single one) and ``below`` (a position), only those messages and what lies
    below that position: what arrived after the user looked stays unread. Raises ``ValueError`` for what is no position.
    """
    backend = get_backend()
    if shown is None and below is None:
        backend.inbox_purge(user)
        return
    if below is not None:  # first, since what is no position is refused before anything changes
        backend.mark_read_below(user, below)
    backend.mark_read(user, [_id(message) for message in _several(shown)])


def inbox(user: Any, *, limit: int = 20, cursor: str | None = None) -> Page:
    """Return a page of what a user has unread, newest first, with the summary of the whole inbox.

    ``cursor`` is that of the page before, ``limit`` at least 1. Raises ``ValueError`` for any other. At most four
    queries.
    """
    return get_backend().page(user, before=cursor, limit=_limit(limit))


def archive(user: Any, *, limit: int = 20, cursor: str | None = None) -> Page:
    """Return a page of all that a user got and did not dismiss, like :func:`inbox`."""
    return get_backend().page(user, before=cursor, limit=_limit(limit), archive=True)


def archive_count(user: Any) -> int:
    """Return how many messages a user got and did not dismiss: at most two queries."""
    return get_backend().archive_count(user)


def unread_count(user: Any) -> int:
    """Return how many messages a user has unread: at most two queries."""
    return summary(user).unread


def summary(user: Any) -> Summary:
    """Return how many messages a user has unread, and their digest: at most two queries."""
    return get_backend().summary(user)


def summaries(users: Iterable[Any]) -> dict[Any, Summary]:
    """Return the summaries of users, by primary key: at most three queries, whatever their number."""
    return get_backend().summaries(users)


async def aget_messages(request: Any) -> Any:
    """Return the messages of a request, read so far that iterating them queries nothing: for asynchronous views."""
    storage = get_messages(request)
    await sync_to_async(len)(storage)
    return storage


def _twin(call: Callable[_Arguments, _Result]) -> Callable[_Arguments, Awaitable[_Result]]:
    async def twin(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        return await sync_to_async(call)(*args, **kwargs)

    twin.__name__ = twin.__qualname__ = f"a{call.__name__}"
    twin.__doc__ = f"The asynchronous twin of :func:`{call.__name__}`."
    return twin


aadd_message_for = _twin(add_message_for)
aarchive = _twin(archive)
aarchive_count = _twin(archive_count)
abroadcast_message = _twin(broadcast_message)
adismiss = _twin(dismiss)
ainbox = _twin(inbox)
amark_all_read = _twin(mark_all_read)
amark_read = _twin(mark_read)
amark_unread = _twin(mark_unread)
asummaries = _twin(summaries)
asummary = _twin(summary)
aunread_count = _twin(unread_count)


def _id(message: Any) -> Any:
    if isinstance(message, get_user_model()):
        raise TypeError(f"{message!r} is a user; the user comes first, and then the message.")
    return getattr(message, "id", message)


def _several(shown: Any) -> Iterable[Any]:
    if shown is None:
        return ()
    if isinstance(shown, Page):
        raise TypeError("shown is messages or their ids: of a page, its messages.")
    is_one = isinstance(shown, str) or not isinstance(shown, Iterable)
    return [shown] if is_one else shown


def _limit(limit: Any) -> int:
    if not isinstance(limit, int):
        raise TypeError(f"limit must be an integer, got {limit!r}.")
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}.")
    return min(limit, _MOST)


def _guarded(fail_silently: bool, store: Callable[[], _Result]) -> _Result | None:
    if not fail_silently:
        return store()
    try:
        with savepoints():
            return store()
    except Exception:
        logger.exception("A message could not be stored.")
        return None
