"""The storage behind ``MESSAGE_STORAGE``: Django's messages, of which those that matter are kept."""

import asyncio
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import SynchronousOnlyOperation
from django.utils import timezone
from django.utils.functional import LazyObject, empty

from stored_messages.adoption import adopt
from stored_messages.backends import get_backend
from stored_messages.conf import app_settings
from stored_messages.constants import STORED_LEVEL_TAGS
from stored_messages.savepoints import savepoints
from stored_messages.stored import StoredMessage

if TYPE_CHECKING:

    class _Base(BaseStorage):
        _queued_messages: list[Message]
        _loaded_data: list[Message]

        @property
        def _loaded_messages(self) -> list[Message]: ...

        def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Message] | None, bool]: ...
else:
    _Base = object

logger = logging.getLogger("stored_messages")

_NOT_LOADED = object()


class StorageMixin(_Base):
    """Keeps messages of the ``STORE_LEVELS`` in the inbox of the request's user; put it before any storage of Django's.

    A message is collected at ``add()``, for the user of the request at that moment, and stored at ``update()``, after
    the view and its transaction, all of one request in one bulk write. It goes to the storage behind this one instead
    when nobody is signed in, or when the inbox cannot take it just then (logged): the user sees it in any case.

    With ``ITERATE`` ``'read'``, iterating yields the unread messages of the inbox too, and marks read at ``update()``
    those that were handed out, unless ``used`` was set back to False. With ``'skip'`` the inbox is left alone.

    What is added is queued as in Django, and the inbox is loaded before what the storage behind this one has.
    """

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self._collected: list[tuple[Any, Message]] = []
        self._added_elsewhere = False
        self._released: set[int] = set()
        self._without_inbox = False
        self._inbox_user: Any = _NOT_LOADED
        self._inboxes: list[tuple[Any, list[StoredMessage]]] = []
        # By identity, as equal messages are not the same one. The values keep identities from being used again.
        self._handed_out: dict[int, Message] = {}
        self._kept: dict[int, Message] = {}
        self._kept_ids: set[str] = set()

    def add(self, level: int, message: str, extra_tags: str | None = "") -> None:
        queued_before = len(self._queued_messages)
        super().add(level, message, extra_tags)
        if len(self._queued_messages) == queued_before:
            return
        added = self._queued_messages[-1] = _with_level_tag(self._queued_messages[-1])
        if added.level in app_settings.STORE_LEVELS:
            user = self._user_now()
            if _is_unresolved(user) or _owns_inbox(user):
                self._collected.append((user, added))
                return
        self._added_elsewhere = True

    # What a page shows.

    def __len__(self) -> int:
        return len(self._visible())

    def __contains__(self, item: object) -> bool:
        return item in self._visible()

    def __iter__(self) -> Iterator[Message]:
        return self._hand_out(super().__iter__(), self._hidden())

    def _hand_out(self, messages: Iterator[Message], hidden: set[int]) -> Iterator[Message]:
        for message in messages:
            if id(message) not in hidden:
                self._handed_out[id(message)] = message
                yield message

    def _visible(self) -> list[Message]:
        messages = [*self._loaded_messages, *self._queued_messages]
        hidden = self._hidden()
        return [message for message in messages if id(message) not in hidden]

    def _hidden(self) -> set[int]:
        """What is left off the page: another user's, and with ``'skip'`` what is kept in the inbox or about to be."""
        if app_settings.ITERATE != "skip":
            return {id(message) for owner, message in self._collected if self._is_anothers(owner)}
        self._release_ownerless(at_the_end=False)
        return self._kept.keys() | {id(message) for _, message in self._collected}

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Message] | None, bool]:
        messages, all_retrieved = super()._get(*args, **kwargs)
        inbox = [] if self._without_inbox else self._load_inbox()
        if messages is None and not inbox:
            return None, all_retrieved
        return [*inbox, *map(_with_level_tag, messages or ())], all_retrieved

    @property
    def _loaded_messages(self) -> list[Message]:
        loaded = super()._loaded_messages
        if self._without_inbox or self._inbox_user is _NOT_LOADED or self._inbox_user is self._user:
            return loaded
        # Somebody signed in or out since: nobody may see the inbox of another.
        anothers = {id(message) for _, rows in self._inboxes for message in rows}
        others = [message for message in loaded if id(message) not in anothers]
        loaded[:] = [*self._load_inbox(), *others]
        return loaded

    def _load_inbox(self) -> list[StoredMessage]:
        """Return what the inbox holds beside what was added in this request."""
        if app_settings.ITERATE == "skip":
            return []
        user, rows = self._user, []
        try:
            with savepoints():
                inbox = map(adopt, get_backend().inbox_list(user) if _owns_inbox(user) else ())
                rows = [message for message in inbox if message.id not in self._kept_ids]
        except SynchronousOnlyOperation:
            raise
        except Exception:
            logger.exception("The inbox could not be read; the page goes without it.")
        self._inbox_user = user
        self._inboxes.append((user, rows))
        return rows

    # What remains of it.

    def update(self, response: Any) -> Any:
        self._mark_handed_out_read()
        self._release_ownerless(at_the_end=True)
        self._store_collected()
        return self._update_elsewhere(response)

    def _mark_handed_out_read(self) -> None:
        for user, rows in self._inboxes:
            read = [message.id for message in rows if self._was_shown(message)]
            if read:
                try:
                    get_backend().mark_read(user, read)
                except Exception:
                    logger.exception(
                        "Messages that were shown could not be marked read; they stay unread."
                    )

    def _store_collected(self) -> None:
        """Store what was collected, as read if it was shown; what fails is left to the storage behind this one."""
        present = {id(message) for message in (*self._loaded(), *self._queued_messages)}
        collected, self._collected = self._collected, []
        by_owner: dict[Any, tuple[Any, list[Message]]] = {}
        for user, message in collected:
            if id(message) in present:
                by_owner.setdefault(user.pk, (user, []))[1].append(message)
        for pk, (user, messages) in by_owner.items():
            drafts = [StoredMessage.draft(m.level, m.message, m.extra_tags) for m in messages]
            now = timezone.now()
            for draft, message in zip(drafts, messages, strict=True):
                draft.read_at = now if self._was_shown(message) else None
            try:
                sent = get_backend().send([pk], drafts)
            except Exception:
                if not self._is_anothers(user):
                    logger.exception("Messages could not be stored; they go to the next storage.")
                    self._release(messages)
                    continue
                logger.exception(
                    "Messages could not be stored, and whom they were for is signed in no more."
                )
            else:
                self._kept_ids.update(message.id for message in sent)
            self._kept.update((id(message), message) for message in messages)

    def _update_elsewhere(self, response: Any) -> Any:
        """Let the storage behind this one store what it would if there were no inbox."""
        queued, added_new, loaded = self._queued_messages, self.added_new, self._loaded()
        was_loaded = "_loaded_data" in self.__dict__
        self._queued_messages, self.added_new = self._not_kept(queued), self._added_elsewhere
        if was_loaded:
            self._loaded_data = self._not_kept(loaded)
        if self.used:
            # Iterating took these off the queue without showing them.
            self._queued_messages[:0] = [
                message
                for message in loaded
                if id(message) in self._released and not self._was_shown(message)
            ]
        self._without_inbox = True
        try:
            return super().update(response)
        finally:
            self._queued_messages, self.added_new = queued, added_new
            self._without_inbox = False
            if was_loaded:
                self._loaded_data = loaded
            else:
                self.__dict__.pop("_loaded_data", None)

    def _not_kept(self, messages: list[Message]) -> list[Message]:
        kept = self._kept.keys() | {id(message) for _, rows in self._inboxes for message in rows}
        return [message for message in messages if id(message) not in kept]

    def _loaded(self) -> list[Message]:
        """What was loaded so far, without asking anybody for more."""
        loaded: list[Message] = self.__dict__.get("_loaded_data", [])
        return loaded

    # Whose it is.

    @property
    def _user(self) -> Any:
        return getattr(self.request, "user", None)

    def _user_now(self) -> Any:
        """Return the user with whom a message is collected: resolved, as another may sign in before the view ends.

        It stays unresolved where one cannot query, in an async view or in a broken transaction.
        """
        user = self._user
        if _is_unresolved(user):
            if _in_event_loop():
                return self._user_of_async_view(user)
            try:
                with savepoints():
                    _owns_inbox(user)
            except Exception:
                logger.debug(
                    "The user of the request is looked up again at the end.", exc_info=True
                )
        return user

    def _user_of_async_view(self, user: Any) -> Any:
        """Return whom ``request.auser()`` found, if anybody asked: who was signed in when the request began."""
        return getattr(self.request, "_acached_user", user)

    def _is_anothers(self, owner: Any) -> bool:
        """Whether somebody else is signed in by now than the one for whom a message was collected."""
        user = self._user
        if owner is user or _is_unresolved(owner) or _is_unresolved(user):
            return False
        return _owns_inbox(owner) and _owns_inbox(user) and bool(owner.pk != user.pk)

    def _release_ownerless(self, *, at_the_end: bool) -> None:
        """Leave to the storage behind this one what was collected for a user who turns out not to have an inbox.

        Whoever was not resolved at ``add()`` is resolved here. Iterating may be as unable to: what cannot be told then
        is told at the end. If in an async view another user signed in meanwhile, and nobody had asked for the first
        one, nobody can tell any more whose it was.
        """
        kept = []
        for collector, message in self._collected:
            user, owned = collector, False
            if _is_unresolved(user) and user is not self._user:
                user = self._user_of_async_view(user)
            if not _is_unresolved(user) or user is self._user:
                try:
                    with savepoints():
                        owned = _owns_inbox(user)
                except Exception:
                    owned = not at_the_end
                    if at_the_end:
                        logger.exception("The user of the request could not be loaded.")
            if owned:
                kept.append((user, message))
            else:
                self._release([message])
        self._collected = kept

    def _release(self, messages: list[Message]) -> None:
        self._released.update(map(id, messages))
        self._added_elsewhere = True

    def _was_shown(self, message: Message) -> bool:
        return self.used and id(message) in self._handed_out


class PersistentStorage(StorageMixin, FallbackStorage):
    """Django's default storage, with an inbox."""


class _StoredLevelMessage(Message):
    """A message with a stored level, whose tag Django does not know."""

    @property
    def level_tag(self) -> str:
        return super().level_tag or STORED_LEVEL_TAGS[self.level]


def _with_level_tag(message: Any) -> Any:
    if type(message) is Message and message.level in STORED_LEVEL_TAGS:
        return _StoredLevelMessage(message.level, message.message, message.extra_tags)
    return message


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_unresolved(user: Any) -> bool:
    return isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty


def _owns_inbox(user: Any) -> bool:
    return bool(getattr(user, "is_authenticated", False)) and user.pk is not None
