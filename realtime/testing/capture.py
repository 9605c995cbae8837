"""What tabs would be told, without tabs: in any test, and without waiting."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.test import TestCase

from realtime import publisher
from realtime.testing.reasons import uncommitted
from stored_messages.owners import joined_at

if TYPE_CHECKING:
    from realtime.events import Publication


class Live:
    """What was told within a block of :func:`capture_live`."""

    def __init__(self) -> None:
        self._publications: list[Publication] = []
        self._before: list[str] = uncommitted()
        self._is_over = False

    def frames(self, user: Any) -> list[dict[str, Any]]:
        """Return the frames that the user's tabs were sent, in order."""
        return [
            json.loads(frame)
            for _, event in self._publications
            if event["type"] == "inbox.deliver" and _concerns(event, user)
            for frame in event["frames"]
        ]

    def messages(self, user: Any) -> list[dict[str, Any]]:
        """Return the messages that arrived in the user's tabs, in order, as REST shows them."""
        return [frame["message"] for frame in self.frames(user) if frame["type"] == "stored"]

    def texts(self, user: Any) -> list[str]:
        """Return the texts of these messages."""
        return [message["text"] for message in self.messages(user)]

    def assert_received(self, user: Any, text: str) -> dict[str, Any]:
        """Fail unless a message with this text arrived in the user's tabs; return it."""
        for message in self.messages(user):
            if message["text"] == text:
                return message
        raise AssertionError(f"{user} was not told {text!r} live. {self._what_happened(user)}")

    def assert_nothing_received(self, user: Any) -> None:
        """Fail if any message arrived in the user's tabs."""
        if texts := self.texts(user):
            raise AssertionError(f"{user} was told {_listed(texts)} live.")

    def _what_happened(self, user: Any) -> str:
        if texts := self.texts(user):
            return f"They were told {_listed(texts)}."
        if self._publications:
            return "Others were told something, this user nothing."
        if not self._is_over:
            return "Nobody was told anything: events leave at the end of the capture_live() block. Ask after it."
        if self._before:
            return (
                "Nobody was told anything within the block. What was sent before it waits for a commit that never "
                "comes in this test: send within the block."
            )
        return "Nobody was told anything: no message was stored within the block."


@contextmanager
def capture_live() -> Iterator[Live]:
    """Note what open tabs are told because of what happens within the block.

    ::

        with capture_live() as live:
            client.post("/issues/3/comments/", {"text": "Look, @ada"})
        live.assert_received(ada, "Ann mentioned you")

    In a ``TestCase``, where no transaction is ever committed, the callbacks that wait for the commit are run at the end
    of the block, as Django's ``captureOnCommitCallbacks(execute=True)`` does; all of them, the project's own too.
    What is rolled back within the block is told to nobody, as ever.
    """
    live = Live()
    observe = live._publications.append
    publisher.observers.append(observe)
    try:
        with ExitStack() as stack:
            for alias in connections:
                stack.enter_context(TestCase.captureOnCommitCallbacks(using=alias, execute=True))
            yield live
    finally:
        publisher.observers.remove(observe)
        live._is_over = True


def _concerns(event: Any, user: Any) -> bool:
    if event["to"] is not None:
        return str(user.pk) in event["to"]
    joined = joined_at(user)
    return joined is None or event["sent_at"] is None or joined.timestamp() <= event["sent_at"]


def _listed(texts: list[str]) -> str:
    return ", ".join(map(repr, texts))
