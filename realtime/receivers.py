"""From the inbox's signals to events, once what changed is committed."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from realtime import events, log
from realtime.events import Publication
from realtime.publisher import publish
from stored_messages import signals
from stored_messages.stored import Ref, StoredMessage


def connect() -> None:
    """Listen to the inbox's signals."""
    for signal, receiver in (
        (signals.messages_stored, messages_stored),
        (signals.broadcast_stored, broadcast_stored),
        (signals.messages_read, messages_read),
        (signals.messages_unread, messages_unread),
        (signals.messages_dismissed, messages_dismissed),
        (signals.inbox_read_up_to, inbox_read_up_to),
    ):
        signal.connect(
            signals.without_queries(receiver), dispatch_uid=f"realtime.{receiver.__name__}"
        )


class News:
    """Tells what ``prepare`` returns, once: tests that capture what waits for a commit may run it again."""

    __slots__ = ("_prepare", "is_told")

    def __init__(self, prepare: Callable[[], Iterable[Publication]]) -> None:
        self._prepare = prepare
        self.is_told = False

    def __call__(self) -> None:
        if self.is_told:
            return
        self.is_told = True
        try:
            for publication in self._prepare():
                publish(publication)
        except Exception as error:
            log.error(
                "telling_failed",
                "Open tabs could not be told what changed; they will find out.",
                error,
            )


def after_commit(using: str | None, prepare: Callable[[], Iterable[Publication]]) -> None:
    """Publish what ``prepare`` returns when the transaction is committed; at once if there is none.

    Never raises: whoever stored a message must not learn here that nobody can be told.
    """

    tell = News(prepare)
    if using is None:
        tell()
        return
    try:
        transaction.on_commit(tell, using=using, robust=True)
    except transaction.TransactionManagementError:
        # Autocommit is off: nobody says when the commit comes. Reconciling will notice it.
        return
    except Exception:  # there is no such database, or no way to it: nor is there anything to commit
        tell()


def messages_stored(
    user_ids: list[Any], messages: list[StoredMessage], using: str | None, **kwargs: Any
) -> None:
    after_commit(
        using,
        lambda: events.deliveries(user_ids, [events.stored_frame(message) for message in messages]),
    )


def broadcast_stored(message: StoredMessage, using: str | None, **kwargs: Any) -> None:
    after_commit(using, lambda: [events.broadcast(message)])


def messages_read(user_id: Any, messages: list[Ref], using: str | None, **kwargs: Any) -> None:
    after_commit(using, lambda: events.deliveries([user_id], [events.refs_frame("read", messages)]))


def messages_unread(user_id: Any, messages: list[Ref], using: str | None, **kwargs: Any) -> None:
    after_commit(
        using, lambda: events.deliveries([user_id], [events.refs_frame("unread", messages)])
    )


def messages_dismissed(user_id: Any, messages: list[Ref], using: str | None, **kwargs: Any) -> None:
    after_commit(using, lambda: events.deliveries([user_id], [events.refs_frame("gone", messages)]))


def inbox_read_up_to(user_id: Any, up_to: str, using: str | None, **kwargs: Any) -> None:
    after_commit(using, lambda: events.deliveries([user_id], [events.read_all_frame(up_to)]))
