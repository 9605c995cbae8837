"""The storage behind ``MESSAGE_STORAGE``: Django's messages, of which those that matter are kept."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import SynchronousOnlyOperation
from django.utils import timezone
from django.utils.functional import LazyObject, empty

from stored_messages.backends import get_backend
from stored_messages.conf import app_settings
from stored_messages.constants import STORED_LEVEL_TAGS
from stored_messages.stored import StoredMessage

if TYPE_CHECKING:
    _Base = BaseStorage
else:
    _Base = object

logger = logging.getLogger("stored_messages")


class StorageMixin(_Base):
    """Keeps messages of the ``STORE_LEVELS`` in the inbox of the request's user; put it before any storage of Django's.

    A message is collected at ``add()``, for the user of the request at that moment, and stored at ``update()``, after
    the view and its transaction, all of one request in one bulk write. It goes to the storage behind this one instead
    when nobody is signed in, or when the inbox cannot take it just then (logged): the user sees it in any case.

    With ``ITERATE`` ``'read'``, iterating yields the unread messages of the inbox too, and marks read at ``update()``
    those that were handed out, unless ``used`` was set back to False. With ``'skip'`` the inbox is left alone.
    """

    _queued_messages: list[Message]

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self._added: list[Message] = []
        self._collected: list[tuple[Any, Message]] = []
        self._inbox: list[StoredMessage] | None = None
        self._inbox_owner: Any = None
        self._handed_out: set[int] = set()

    def add(self, level: int, message: str, extra_tags: str | None = "") -> None:
        queued_before, added_new_before = len(self._queued_messages), self.added_new
        super().add(level, message, extra_tags)
        if len(self._queued_messages) == queued_before:
            return
        self._added.append(self._queued_messages[-1])
        user = getattr(self.request, "user", None)
        if self._queued_messages[-1].level in app_settings.STORE_LEVELS and (
            _is_unresolved(user) or _owns_inbox(user)
        ):
            self._collected.append((user, self._queued_messages.pop()))
            self.added_new = added_new_before

    def __len__(self) -> int:
        shown = self._shown_from_inbox()
        return super().__len__() + len(shown)

    def __contains__(self, item: object) -> bool:
        shown = self._shown_from_inbox()
        return super().__contains__(item) or item in shown

    def __iter__(self) -> Iterator[Message]:
        shown = self._shown_from_inbox()
        kept = len(self._inbox or ())
        others = list(super().__iter__())
        return self._hand_out([*shown[:kept], *self._as_added([*others, *shown[kept:]])])

    def _hand_out(self, messages: list[Message]) -> Iterator[Message]:
        for message in messages:
            self._handed_out.add(id(message))
            yield _with_level_tag(message)

    def _shown_from_inbox(self) -> list[Message]:
        """What iterating yields beside the messages of the storage behind this one: the inbox, then what was added."""
        self._release_ownerless(at_the_end=False)
        if app_settings.ITERATE == "skip":
            return []
        if self._inbox is None:
            self._inbox = self._load_inbox()
        return [*self._inbox, *(message for _, message in self._collected)]

    def _load_inbox(self) -> list[StoredMessage]:
        user = getattr(self.request, "user", None)
        try:
            if not _owns_inbox(user):
                return []
            self._inbox_owner = user
            return list(get_backend().inbox_list(user))
        except SynchronousOnlyOperation:
            raise
        except Exception:
            logger.exception("The inbox could not be read; the page goes without it.")
            return []

    def update(self, response: Any) -> Any:
        self._mark_handed_out_read()
        self._release_ownerless(at_the_end=True)
        self._store_collected()
        return super().update(response)

    def _mark_handed_out_read(self) -> None:
        read = [message.id for message in self._inbox or () if self._was_shown(message)]
        if read:
            try:
                get_backend().mark_read(self._inbox_owner, read)
            except Exception:
                logger.exception(
                    "Messages that were shown could not be marked read; they stay unread."
                )

    def _store_collected(self) -> None:
        """Store what was collected, as read if it was shown; what fails is left to the storage behind this one."""
        collected, self._collected = self._collected, []
        by_owner: dict[Any, list[Message]] = {}
        for user, message in collected:
            by_owner.setdefault(user.pk, []).append(message)
        for pk, messages in by_owner.items():
            drafts = [StoredMessage.draft(m.level, m.message, m.extra_tags) for m in messages]
            now = timezone.now()
            for draft, message in zip(drafts, messages, strict=True):
                draft.read_at = now if self._was_shown(message) else None
            try:
                get_backend().send([pk], drafts)
            except Exception:
                logger.exception("Messages could not be stored; they go to the next storage.")
                self._queue(message for message in messages if not self._was_shown(message))

    def _release_ownerless(self, *, at_the_end: bool) -> None:
        """Leave to the storage behind this one what was collected for a user who turns out not to have an inbox.

        An unresolved ``request.user`` is resolved here and not at ``add()``, which must not query: it may run in an
        async view or inside a broken transaction. So may iterating: what cannot be told then is told at the end.
        If a login came in between, nobody can tell any more whose it was.
        """
        if not self._collected:
            return
        current = getattr(self.request, "user", None)
        kept, ownerless = [], []
        for user, message in self._collected:
            if _is_unresolved(user) and user is not current:
                ownerless.append(message)
                continue
            try:
                owned = _owns_inbox(user)
            except Exception:
                owned = not at_the_end
                if at_the_end:
                    logger.exception("The user of the request could not be loaded.")
            if owned:
                kept.append((user, message))
            else:
                ownerless.append(message)
        self._collected = kept
        self._queue(ownerless)

    def _queue(self, messages: Any) -> None:
        messages = list(messages)
        if messages:
            self._queued_messages = self._as_added([*self._queued_messages, *messages])
            self.added_new = True

    def _as_added(self, messages: list[Message]) -> list[Message]:
        """Return the messages in the order in which they were added, after those that were not."""
        order = {id(message): number for number, message in enumerate(self._added)}
        return sorted(messages, key=lambda message: order.get(id(message), -1))

    def _was_shown(self, message: Message) -> bool:
        return self.used and id(message) in self._handed_out


class PersistentStorage(StorageMixin, FallbackStorage):
    """Django's default storage, with an inbox."""


def _is_unresolved(user: Any) -> bool:
    return isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty


def _owns_inbox(user: Any) -> bool:
    return bool(getattr(user, "is_authenticated", False)) and user.pk is not None


def _with_level_tag(message: Message) -> Message:
    """Return a message with a stored level that came back from a storage of Django's with its level's tag."""
    if message.level_tag or message.level not in STORED_LEVEL_TAGS:
        return message
    return StoredMessage(message.level, message.message, message.extra_tags)
