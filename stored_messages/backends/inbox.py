"""The part that all stores share: validation, signals and the public methods, over a small set of hooks."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from stored_messages import signals
from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.backends.telling import Telling
from stored_messages.exceptions import MessageDoesNotExist, MessageTypeNotSupported
from stored_messages.expiry import has_left_inbox, is_gone
from stored_messages.owners import pk_batches, user_pk
from stored_messages.positions import format_position, new_stamp, next_position, parse_position
from stored_messages.stored import Cleanup, Page, Ref, StoredMessage


class Arrival(NamedTuple):
    """For whom a message arrived, and to whom of them it is new: their archive did not have it."""

    user_ids: list[Any]
    new_to: list[Any]


class InboxBackend(StoredMessagesBackend):
    """Base of the shipped backends. A store implements the hooks, whose names begin with an underscore."""

    # Hooks. Users are primary keys unless said otherwise; `before` and `position` are numbers.

    @property
    @abstractmethod
    def using(self) -> str | None:
        """The alias of the database that is written, ``None`` if it is none of Django's."""

    @abstractmethod
    def _atomic(self) -> AbstractContextManager[Any]:
        """What happens inside happens whole or not at all, as far as the store can."""

    @abstractmethod
    def _insert(self, drafts: Sequence[StoredMessage]) -> None:
        """Store the content of new messages and set their ids."""

    @abstractmethod
    def _deliver(self, user_ids: list[Any], messages: Sequence[StoredMessage]) -> None:
        """Give new messages, which nobody has, to at most a thousand users: read, if they have ``read_at``."""

    @abstractmethod
    def _deliver_again(self, user_ids: list[Any], arriving: StoredMessage) -> Arrival:
        """Give a message to users who may have it, at its position and with its stamp; return for whom it arrived.

        What they have unread stays as it is. What they have read becomes unread, unless this one arrives as read.
        What they have dismissed is theirs again, either way. Raises :func:`gone` if there is no such message any more.
        """

    @abstractmethod
    def _rows(
        self, user: Any, before: int | None, limit: int | None, archive: bool
    ) -> list[StoredMessage]:
        """Return what a user (instance) has below a position, newest first."""

    @abstractmethod
    def _find(self, user: Any, msg_id: str) -> StoredMessage | None:
        """Return one message of this user (instance), read or not, that is not dismissed."""

    @abstractmethod
    def _page(self, user: Any, before: int | None, limit: int, archive: bool) -> Page:
        """Return what :meth:`page` does. Its summary must be that of its own rows and of all others."""

    @abstractmethod
    def _mark_read(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        """Mark read what of these is unread, and return it."""

    @abstractmethod
    def _mark_read_below(self, user: Any, position: int | None) -> int | None:
        """Mark read all below a position, or all. Return the highest position that was concerned."""

    @abstractmethod
    def _mark_unread(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        """Mark unread what of these is read, kept and not expired in the inbox, and return it."""

    @abstractmethod
    def _dismiss(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        """Dismiss what of these is not dismissed, and return it."""

    # Sending.

    def create_message(
        self,
        level: int,
        msg_text: Any,
        extra_tags: Any = "",
        date: datetime | None = None,
        url: Any = None,
    ) -> StoredMessage:
        draft = StoredMessage.draft(level, msg_text, extra_tags, date=date, url=url)
        with self._atomic():
            self._insert([draft])
        return draft

    def send(self, users: Any, drafts: Sequence[StoredMessage]) -> list[StoredMessage]:
        drafts = list(drafts)
        if not drafts:
            return drafts
        with self._changing() as telling:
            self._insert(drafts)
            for user_ids in pk_batches(users):
                self._deliver(user_ids, drafts)
                telling.arrived(drafts, user_ids, new_to=user_ids)
        return drafts

    def inbox_store(self, users: Any, msg_instance: Any) -> None:
        self._store_again(users, msg_instance, None)

    def archive_store(self, users: Any, msg_instance: Any) -> None:
        self._store_again(users, msg_instance, timezone.now())

    def broadcast(self, draft: StoredMessage) -> StoredMessage:
        draft.broadcast = True
        with self._changing() as telling:
            self._insert([draft])
            if not has_left_inbox(draft.date):
                telling.add(signals.broadcast_stored, message=draft)
        return draft

    def can_handle(self, msg_instance: Any) -> bool:
        return isinstance(msg_instance, StoredMessage)

    def _store_again(self, users: Any, message: Any, read_at: datetime | None) -> None:
        if not self.can_handle(message) or not message.id:
            raise MessageTypeNotSupported(
                f"{message!r} is no stored message: make one with create_message()."
            )
        if message.broadcast:
            raise MessageTypeNotSupported(
                f"{message!r} is a broadcast, which everybody has: send another, or mark it unread."
            )
        if is_gone(message.date):
            # Whether the cleanup was here yet or not. Of what was so from the start nobody gets a copy, as of a send.
            if not is_gone(message.date, message.sent_at):
                raise gone(message)
            return
        with self._changing() as telling:
            for user_ids in pk_batches(users):
                # It arrives now, whenever it was sent; and the instance may be out of the list of somebody who read it.
                arriving = message.copy()
                arriving.position, arriving.stamp = format_position(next_position()), new_stamp()
                arriving.read_at = read_at
                arrival = self._deliver_again(user_ids, arriving)
                telling.arrived([arriving], arrival.user_ids, arrival.new_to)

    # Reading.

    def inbox_list(self, user: Any) -> list[StoredMessage]:
        return self._rows(user, None, None, archive=False)[::-1]

    def archive_list(self, user: Any) -> list[StoredMessage]:
        return self._rows(user, None, None, archive=True)[::-1]

    def inbox_get(self, user: Any, msg_id: Any) -> StoredMessage:
        message = self.get(user, msg_id)
        if message.read_at is not None or has_left_inbox(message.date):
            raise MessageDoesNotExist(f"Message {msg_id!r} is not in the inbox of this user.")
        return message

    def get_unread(self, user: Any, msg_id: Any) -> StoredMessage:
        return self.inbox_get(user, msg_id)

    def get(self, user: Any, msg_id: Any) -> StoredMessage:
        message = self._find(user, str(msg_id))
        if message is None:
            raise MessageDoesNotExist(f"This user has no message {str(msg_id)[:50]!r}.")
        return message

    def page(
        self, user: Any, *, before: str | None = None, limit: int = 20, archive: bool = False
    ) -> Page:
        top = None if before is None else parse_position(before)
        return self._page(user, top, limit, archive)

    # Changing.

    def mark_read(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        with self._changing() as telling:
            refs = self._mark_read(user, _texts(msg_ids))
            telling.changed(signals.messages_read, user_pk(user), refs)
            telling.left_inbox(user, refs)
        return refs

    def mark_read_below(self, user: Any, position: str | None) -> None:
        below = None if position is None else parse_position(position)
        with self._changing() as telling:
            highest = self._mark_read_below(user, below)
            if highest is not None:
                up_to = format_position(highest if below is None else below - 1)
                telling.add(signals.inbox_read_up_to, user_id=user_pk(user), up_to=up_to)

    def mark_unread(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        with self._changing() as telling:
            refs = self._mark_unread(user, _texts(msg_ids))
            telling.changed(signals.messages_unread, user_pk(user), refs)
        return refs

    def dismiss(self, user: Any, msg_ids: Iterable[Any]) -> list[Ref]:
        with self._changing() as telling:
            refs = self._dismiss(user, _texts(msg_ids))
            telling.changed(signals.messages_dismissed, user_pk(user), refs)
            telling.left_inbox(user, refs)
        return refs

    def inbox_delete(self, user: Any, msg_id: Any) -> None:
        if not self.mark_read(user, [msg_id]):
            raise MessageDoesNotExist(
                f"Message {str(msg_id)[:50]!r} is not in the inbox of this user."
            )

    def inbox_purge(self, user: Any) -> None:
        self.mark_read_below(user, None)
        with self._changing() as telling:
            telling.add(signals.inbox_purged, user=user)

    # Keeping house.

    @abstractmethod
    def cleanup(
        self, *, dry_run: bool = False, on_progress: Callable[[int], object] | None = None
    ) -> Cleanup: ...

    def expired_messages_cleanup(self) -> None:
        self.cleanup()

    @contextmanager
    def _changing(self) -> Iterator[Telling]:
        """What happens inside happens whole, and what is to be told is told after that.

        Outside of a transaction, what a receiver does cannot undo it any more; inside of one, each has a savepoint.
        """
        telling = Telling(type(self), self.using)
        try:
            with self._atomic():
                yield telling
        except BaseException:
            if self.using is None:  # what was done before it failed stands
                telling.send()
            raise
        telling.send()


def gone(message: StoredMessage) -> MessageDoesNotExist:
    """What storing a message again raises, when there is no such message any more."""
    return MessageDoesNotExist(f"{message!r} is gone: it has expired, or nobody had it.")


def _texts(msg_ids: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(msg_id) for msg_id in msg_ids))
