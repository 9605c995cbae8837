"""What tabs would be told, without tabs: in any test, and without waiting."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TestCase
from django.utils.asyncio import async_unsafe

from realtime import publisher
from realtime.receivers import News
from realtime.testing.reasons import uncommitted
from stored_messages.owners import joined_at

if TYPE_CHECKING:
    from realtime.events import Publication


class Live:
    """What was told within a block of :func:`capture_live`."""

    def __init__(self) -> None:
        self._publications: list[Publication] = []
        self._before: list[str] = uncommitted()
        self._waited = [
            (one, len(one.run_on_commit)) for one in map(connections.__getitem__, connections)
        ]
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
        """Fail if any message arrived in the user's tabs, and while something waits for the end of the block."""
        if texts := self.texts(user):
            raise AssertionError(f"{user} was told {_listed(texts)} live.")
        # Looked at from any thread: a coroutine's transactions are in another.
        if not self._is_over and any(map(_waits, self._waited)):
            raise AssertionError(
                f"Whether {user} is told something is not known yet: events leave at the end of the capture_live() "
                "block. Ask after it."
            )

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


class Capture:
    """What :func:`capture_live` returns: a context manager, ``with`` in functions and ``async with`` in coroutines."""

    # The callbacks of what coroutines store are in another thread: nothing would be caught, without a word.
    @async_unsafe("In a coroutine, write 'async with capture_live() as live'.")
    def __enter__(self) -> Live:
        return self._enter()

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    async def __aenter__(self) -> Live:
        return await sync_to_async(self._enter)()

    async def __aexit__(self, *exc_info: object) -> None:
        await sync_to_async(self._stack.close)()

    def _enter(self) -> Live:
        with ExitStack() as stack:
            live = stack.enter_context(_observed())
            for alias in connections:
                stack.enter_context(TestCase.captureOnCommitCallbacks(using=alias, execute=True))
            self._stack = stack.pop_all()
        return live


def capture_live() -> Capture:
    """Note what open tabs are told because of what happens within the block.

    ::

        with capture_live() as live:
            client.post("/issues/3/comments/", {"text": "Look, @ada"})
        live.assert_received(ada, "Ann mentioned you")

    In a coroutine it is ``async with``, and ``SynchronousOnlyOperation`` says so.

    In a ``TestCase``, where no transaction is ever committed, the callbacks that wait for the commit are run at the end
    of the block, as Django's ``captureOnCommitCallbacks(execute=True)`` does; all of them, the project's own too.
    What is rolled back within the block is told to nobody, as ever. Captures may be nested, in Django's own or these:
    news is told once, by the innermost.
    """
    return Capture()


@contextmanager
def _observed() -> Iterator[Live]:
    live = Live()
    observe = live._publications.append
    publisher.observers.append(observe)
    try:
        yield live
    finally:
        publisher.observers.remove(observe)
        live._is_over = True


def _waits(since: tuple[BaseDatabaseWrapper, int]) -> bool:
    """Whether something waits for the commit that did not then, and that no inner capture has told."""
    connection, count = since
    waiting = [entry[1] for entry in connection.run_on_commit[count:]]
    return not all(isinstance(one, News) and one.is_told for one in waiting)


def _concerns(event: Any, user: Any) -> bool:
    if event["to"] is not None:
        return str(user.pk) in event["to"]
    joined = joined_at(user)
    return joined is None or event["sent_at"] is None or joined.timestamp() <= event["sent_at"]


def _listed(texts: list[str]) -> str:
    return ", ".join(map(repr, texts))
