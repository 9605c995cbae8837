"""Tabs for tests that are no coroutines: they listen in an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from django.db import connections
from django.test import Client
from typing_extensions import Self

from realtime import login
from realtime.hubs import running_hubs
from realtime.testing.tab import TIMEOUT, InboxTab

T = TypeVar("T")


class Tab:
    """An open socket of an inbox. Every method waits for what should come in milliseconds."""

    def __init__(self, tabs: "OpenTabs", tab: InboxTab) -> None:
        self._tabs = tabs
        self._tab = tab

    @property
    def sync(self) -> dict[str, Any]:
        """The frame with which the socket began."""
        return self._tab.sync or {}

    def frame(self, kind: str | None = None, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return the next frame, or the next of this type, passing over others."""
        return self._tabs.run(self._tab.frame(kind, timeout))

    def received(self, text: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Wait for a message with this text, passing over everything else, and return it.

        Raises ``AssertionError`` when it does not come, and says what came instead.
        """
        return self._tabs.run(self._tab.received(text, timeout))

    def closed(self, timeout: float = TIMEOUT) -> int:
        """Wait until the server closes the socket and return the code."""
        return self._tabs.run(self._tab.closed(timeout))

    def close(self) -> None:
        """Close the tab; done for all of them at the end."""
        self._tabs.run(self._tab.leave())


class OpenTabs:
    """Opens tabs; a context manager that closes them.

    ::

        with OpenTabs() as open_tab:
            tab = open_tab(ada)
            mention(ada)
            tab.received("Ann mentioned you")
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="open-tabs", daemon=True
        )
        self._open: list[InboxTab] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.run(self._leave())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            login.stop_threads()  # their connections would keep the test database from being removed

    def __call__(self, user: Any = None, client: Client | None = None, **options: Any) -> Tab:
        """Open a tab: of a ``user`` who needs no session, or of a signed-in test ``client``.

        ``options`` are those of :class:`InboxTab`. Raises ``RuntimeError`` in a test whose transaction is never
        committed: no other connection to the database would see what it sends.
        """
        if any(one.in_atomic_block for one in connections.all(initialized_only=True)):
            raise RuntimeError(
                "An open tab sees what is committed, and this test never commits. Use capture_live(), or a test that "
                "commits: TransactionTestCase, or pytest.mark.django_db(transaction=True)."
            )
        tab = InboxTab(user, client, **options)
        self._open.append(tab)
        self.run(tab.__aenter__())
        return Tab(self, tab)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine where the tabs are, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _leave(self) -> None:
        for tab in self._open:
            await tab.leave()
        for hub in running_hubs():
            if hub.loop is self._loop:
                await hub.shut_down()
