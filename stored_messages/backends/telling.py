"""Signals about a change, kept until it has happened."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model

from stored_messages import signals
from stored_messages.expiry import has_left_inbox
from stored_messages.savepoints import savepoints
from stored_messages.stored import Ref, StoredMessage

logger = logging.getLogger("stored_messages")


class Telling:
    """What is to be said about one change. ``sender`` and ``using`` are those that all signals carry."""

    def __init__(self, sender: type, using: str | None) -> None:
        self._sender = sender
        self._using = using
        self._waiting: list[Callable[[], None]] = []

    def send(self) -> None:
        """Say it, in the order in which it was added. Never raises: what happened stands."""
        for say in self._waiting:
            _robustly(say)

    def add(self, signal: signals.InboxSignal, **carried: Any) -> None:
        self._waiting.append(lambda: self._say(signal, carried))

    def arrived(
        self, messages: Sequence[StoredMessage], user_ids: list[Any], new_to: list[Any]
    ) -> None:
        """Add that these messages arrived for these users. ``new_to``: the archives that did not have them."""
        if not user_ids:
            return
        unread = [message for message in messages if message.read_at is None]
        live = [message for message in unread if not has_left_inbox(message.date)]
        # First, as whoever hears of a single one may do something to it at once.
        if live:
            self.add(signals.messages_stored, user_ids=user_ids, messages=live)
        for message in messages:
            self._add_for_each(signals.archive_stored, message, new_to)
        for message in unread:
            self._add_for_each(signals.inbox_stored, message, user_ids)

    def changed(self, signal: signals.InboxSignal, user_id: Any, refs: list[Ref]) -> None:
        """Add that these messages of a user were changed, if there are any."""
        if refs:
            self.add(signal, user_id=user_id, messages=refs)

    def left_inbox(self, user: Any, refs: Iterable[Ref]) -> None:
        for ref in refs:
            self.add(signals.inbox_deleted, user=user, message_id=ref.id)

    def _add_for_each(
        self, signal: signals.InboxSignal, message: StoredMessage, user_ids: list[Any]
    ) -> None:
        if user_ids and signal.has_listeners(self._sender):
            self._waiting.append(lambda: self._say_for_each(signal, message, user_ids))

    def _say_for_each(
        self, signal: signals.InboxSignal, message: StoredMessage, user_ids: list[Any]
    ) -> None:
        with savepoints():
            users = get_user_model()._default_manager.in_bulk(user_ids)
        for user in users.values():
            self._say(signal, {"user": user, "message": message})

    def _say(self, signal: signals.InboxSignal, carried: dict[str, Any]) -> None:
        signal.send_robust(sender=self._sender, using=self._using, **carried)


def _robustly(say: Callable[[], None]) -> None:
    try:
        say()
    except Exception:
        logger.exception("Receivers could not be told of a change; it stands.")
