"""What a backend is: 1.4.0's interface, and what is newer with a default in terms of it.

A backend written for 1.4.0 subclasses :class:`StoredMessagesBackend`, implements its first group of methods and works
everywhere. The defaults of the second group read whole inboxes; they are right for any store and fast for none. A
store of one's own is better built on :class:`stored_messages.backends.inbox.InboxBackend`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from inspect import signature
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Warning

from stored_messages import adoption
from stored_messages.exceptions import MessageDoesNotExist
from stored_messages.owners import pk_batches, user_pk
from stored_messages.stored import Cleanup, Page, Ref, StoredMessage, Summary

_REQUIRED = (
    "create_message",
    "inbox_list",
    "inbox_purge",
    "inbox_store",
    "inbox_delete",
    "inbox_get",
    "archive_store",
    "archive_list",
    "can_handle",
)


class StoredMessagesBackend:
    """The interface between the rest of this package and a store."""

    # 1.4.0's interface.

    def create_message(
        self,
        level: int,
        msg_text: Any,
        extra_tags: Any = "",
        date: datetime | None = None,
        url: Any = None,
    ) -> Any:
        """Return a new message, for ``inbox_store`` and ``archive_store``."""
        raise NotImplementedError

    def inbox_list(self, user: Any) -> Any:
        """Return the unread messages of a user, oldest first."""
        raise NotImplementedError

    def inbox_purge(self, user: Any) -> None:
        """Mark everything in a user's inbox read."""
        raise NotImplementedError

    def inbox_store(self, users: Iterable[Any], msg_instance: Any) -> None:
        """Put a message into the inboxes of some users.

        Raises ``MessageTypeNotSupported`` for what ``can_handle`` refuses.
        """
        raise NotImplementedError

    def inbox_delete(self, user: Any, msg_id: Any) -> None:
        """Mark a message read. Raises ``MessageDoesNotExist`` if it is not in this user's inbox."""
        raise NotImplementedError

    def inbox_get(self, user: Any, msg_id: Any) -> Any:
        """Return a message of this user's inbox. Raises ``MessageDoesNotExist`` if it is not there."""
        raise NotImplementedError

    def archive_store(self, users: Iterable[Any], msg_instance: Any) -> None:
        """Put a message into the archives of some users."""
        raise NotImplementedError

    def archive_list(self, user: Any) -> Any:
        """Return every message that a user ever got and did not dismiss, oldest first."""
        raise NotImplementedError

    def can_handle(self, msg_instance: Any) -> bool:
        """Return whether this backend can store an object of this type."""
        raise NotImplementedError

    def expired_messages_cleanup(self) -> None:
        """Delete what has expired."""
        raise NotImplementedError

    def _flush(self) -> None:
        """Delete everything, without signals: for tests."""
        raise NotImplementedError

    # Newer than 1.4.0.

    def send(self, users: Any, drafts: Sequence[StoredMessage]) -> list[StoredMessage]:
        """Store new messages for users: any iterable, queryset or single one. Return the messages as stored.

        A draft with ``read_at`` is stored as read: it was shown already.
        """
        messages = [self._create(draft) for draft in drafts]
        for recipients in _user_batches(users):
            for draft, message in zip(drafts, messages, strict=True):
                self.archive_store(recipients, message)
                if draft.read_at is None:
                    self.inbox_store(recipients, message)
        return [adoption.adopt(message) for message in messages]

    def _create(self, draft: StoredMessage) -> Any:
        # Backends older than the url of a message have no argument for it.
        url = () if draft.url is None else (draft.url,)
        return self.create_message(draft.level, draft.message, draft.extra_tags, draft.date, *url)

    def broadcast(self, draft: StoredMessage) -> StoredMessage:
        """Store a message for everybody."""
        model = get_user_model()
        everybody = model._default_manager.all()
        # Not every user model has the field; some have the attribute alone.
        if any(field.name == "is_active" for field in model._meta.get_fields()):
            everybody = everybody.filter(is_active=True)
        return self.send(everybody, [draft])[0]

    def page(
        self, user: Any, *, before: str | None = None, limit: int = 20, archive: bool = False
    ) -> Page:
        """Return up to ``limit`` unread messages (or all kept ones) below a position, newest first."""
        unread = adoption.adopt_all(self.inbox_list(user))
        rows = adoption.adopt_all(self.archive_list(user), unread) if archive else unread
        below = [row for row in reversed(rows) if before is None or row.position < before]
        cursor = below[limit - 1].position if len(below) > limit else None
        return Page(below[:limit], cursor, adoption.summarize(unread))

    def get(self, user: Any, msg_id: Any) -> StoredMessage:
        """Return a message that this user got, read or not. Raises ``MessageDoesNotExist``."""
        unread = adoption.adopt_all(self.inbox_list(user))
        for row in [*unread, *adoption.adopt_all(self.archive_list(user), unread)]:
            if row.id == str(msg_id):
                return row
        raise MessageDoesNotExist(f"This user has no message {str(msg_id)[:50]!r}.")

    def get_unread(self, user: Any, msg_id: Any) -> StoredMessage:
        """Return a message of this user's inbox. Raises ``MessageDoesNotExist``.

        What :meth:`inbox_get` does, whatever the store's ids are: here they are text.
        """
        for row in adoption.adopt_all(self.inbox_list(user)):
            if row.id == str(msg_id):
                return row
        raise MessageDoesNotExist(f"Message {str(msg_id)[:50]!r} is not in the inbox of this user.")

    def mark_read(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        """Mark messages read. Return those that were unread; ids that are unknown or already read are passed over."""
        wanted = {str(msg_id) for msg_id in msg_ids}
        messages = [message for message in self.inbox_list(user) if str(message.id) in wanted]
        read = []
        for message in messages:
            try:
                # With the id as the store has it; once for each copy, as 1.4.0 could store several.
                self.inbox_delete(user, message.id)
            except MessageDoesNotExist:
                continue
            read.append(message)
        return [row.ref for row in adoption.adopt_all(read)]

    def mark_unread(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        """Mark messages unread again. Return those that were read."""
        unread = {str(message.id) for message in self.inbox_list(user)}
        wanted = {str(msg_id) for msg_id in msg_ids} - unread
        read = {str(message.id): message for message in self.archive_list(user)}
        messages = [message for msg_id, message in read.items() if msg_id in wanted]
        for message in messages:
            for owner in _user_batches(user):
                self.inbox_store(owner, message)
        return [row.ref for row in adoption.adopt_all(messages)]

    def dismiss(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        """Take messages out of inbox and archive. Return those that were there.

        1.4.0's interface takes nothing out of an archive: here they are marked read.
        """
        return self.mark_read(user, msg_ids)

    def mark_read_below(self, user: Any, position: str) -> None:
        """Mark read everything strictly below a position."""
        below = [
            row.id for row in adoption.adopt_all(self.inbox_list(user)) if row.position < position
        ]
        self.mark_read(user, below)

    def summary(self, user: Any) -> Summary:
        """Return the summary of a user (instance)."""
        return self.summaries([user])[user_pk(user)]

    def summaries(self, users: Iterable[Any]) -> dict[Any, Summary]:
        """Return the summary of each of these users (instances), by primary key."""
        return {
            user_pk(user): adoption.summarize(adoption.adopt_all(self.inbox_list(user)))
            for user in users
        }

    def archive_count(self, user: Any) -> int:
        """Return how many messages a user (instance) got and did not dismiss."""
        return len(self.archive_list(user))

    def check(self) -> list[CheckMessage]:
        """Return what Django's system checks should say of this backend and its settings."""
        missing = [
            name for name in dict.fromkeys((*_REQUIRED, *dir(type(self)))) if self._lacks(name)
        ]
        if missing:
            return [
                Warning(
                    f"{type(self).__name__} does not implement {', '.join(missing)}.",
                    hint="A backend implements the first group of methods of StoredMessagesBackend.",
                    id="stored_messages.W014",
                )
            ]
        if not _takes_five(self.create_message):
            return [
                Warning(
                    f"{type(self).__name__}.create_message() takes no url: messages that have one cannot be stored.",
                    hint="Its arguments are level, msg_text, extra_tags, date and url.",
                    id="stored_messages.W024",
                )
            ]
        return []

    def _lacks(self, name: str) -> bool:
        method = getattr(type(self), name)
        if getattr(method, "__isabstractmethod__", False):
            return True
        return name in _REQUIRED and method is getattr(StoredMessagesBackend, name)

    def cleanup(
        self, *, dry_run: bool = False, on_progress: Callable[[int], object] | None = None
    ) -> Cleanup | None:
        """Delete what has expired and what nobody owns any more; with ``dry_run`` only count it.

        ``on_progress`` is called with the number of rows or records of each batch. Returns the counts, ``None`` from a
        backend that cannot tell: this default calls :meth:`expired_messages_cleanup`, all that 1.4.0 had, and raises
        ``NotImplementedError`` for a dry run.
        """
        if dry_run:
            raise NotImplementedError(f"{type(self).__name__} cannot tell what it would delete.")
        self.expired_messages_cleanup()
        return None

    def forget_user(self, pk: Any) -> None:
        """Delete what a deleted user had. Nothing by default: 1.4.0 had no such method."""


def _takes_five(method: Callable[..., Any]) -> bool:
    try:
        signature(method).bind(*range(5))
    except TypeError:
        return False
    return True


def _user_batches(users: Any) -> Iterator[list[Any]]:
    """Yield instances, which is what 1.4.0's methods take: at most a thousand at a time."""
    model = get_user_model()
    for pks in pk_batches(users):
        yield list(model._default_manager.in_bulk(pks).values())
