"""Database work of the live part, in threads of its own.

Not in asgiref's one thread for everything: there it would wait behind every synchronous view, and they behind it.

A connection may go dead without a word. Nothing fails then for as long as the operating system is patient, which may be
a quarter of an hour. So what takes too long is given up together with its thread, and the next call finds another
thread, and with it another connection. But a database that is only slow, or has a table locked, must not get connection
after connection because of that: one or two tries tell the one from the other.
"""

import asyncio
import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet, finalize

from django.db import connections

from realtime import log
from realtime.asking import Asking
from realtime.conf import app_settings
from realtime.counters import counters
from realtime.threads import Threads

#: A call may take two intervals, but not less nor more than so many seconds.
INTERVALS, SHORTEST, LONGEST = 2, 5.0, 30.0
#: How many times as long in the end, and how many times as long as the last one took. A database that is only slow must
#: not be asked the same again and again, and never be heard.
SLOWEST, SLACK = 4, 3
#: How many calls of a set of threads may be given up at a time, and without an answer in between.
GIVEN_UP = 2
#: Seconds between two looks whether one of too many has come back.
PAUSE = 1.0
#: Seconds for which the end of the interpreter waits for threads, so that connections are closed in good order.
PATIENCE = 1.0

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThreads:
    """A few threads for queries. Dead and outdated connections are closed before and after each call."""

    def __init__(self, threads: int) -> None:
        self._threads = Threads(threads, "realtime-database", connections.close_all)
        self._usual = min(max(app_settings.RECONCILE_INTERVAL * INTERVALS, SHORTEST), LONGEST)
        self._patience = self._usual
        self._silent_since: float | None = None
        self._unanswered = 0  # how many were given up since the last answer
        _running.add(self)
        # Who forgets to stop them does not keep them.
        finalize(self, self._threads.stop).atexit = False

    @property
    def silence(self) -> float:
        """For how many seconds an answer is waited for, given up or not."""
        if self._silent_since is not None:
            return time.monotonic() - self._silent_since
        return self._threads.busy_for

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call ``function`` in one of the threads and return its result.

        Raises ``TimeoutError`` when that takes too long: what it does then, it does alone.
        """
        asking = Asking(partial(copy_context().run, function, *args, **kwargs), self._usual)
        future: asyncio.Future[R] = asyncio.wrap_future(self._threads.submit(asking))
        began = time.monotonic()
        try:
            while not future.done():
                left = self._patience - self._threads.busy_for
                await asyncio.wait([future], timeout=left if left > 0 else PAUSE)
                if not future.done():
                    self._give_up()
        finally:
            future.cancel()
        if not isinstance(future.exception(), TimeoutError):
            took = time.monotonic() - began
            self._patience = min(max(self._usual, took * SLACK), self._usual * SLOWEST)
            self._silent_since = None
            self._unanswered = 0
        return future.result()

    def stop(self) -> None:
        """End the threads when they have finished what they are at, each with its connections closed."""
        _running.discard(self)
        self._threads.stop()

    def join(self, timeout: float) -> None:
        """Wait for their end, but for that of those that were given up."""
        self._threads.join(timeout)

    def _give_up(self) -> None:
        """All that have taken too long, whoever waits for them: perhaps nobody does any more."""
        patience = self._patience
        given_up = self._threads.give_up(
            patience, GIVEN_UP - max(self._unanswered, self._threads.left)
        )
        if not given_up:
            return
        self._unanswered += len(given_up)
        counters.calls_given_up += len(given_up)
        for asking in given_up:
            _let_go(asking)
        if self._silent_since is None:
            self._silent_since = time.monotonic() - patience
        self._patience = min(patience * 2, self._usual * SLOWEST)
        log.warning(
            "database_silent",
            "The database did not answer within %(seconds)d seconds: a new connection is opened.",
            seconds=patience,
        )


def silence() -> float:
    """For how many seconds an answer of the database is waited for in this process, at most."""
    return max((threads.silence for threads in list(_running)), default=0.0)


def _let_go(asking: Callable[..., Any]) -> None:
    """In a thread of its own: to ask a server anything may take long."""
    if isinstance(asking, Asking):
        with suppress(RuntimeError):  # there are too many: its thread comes back when it can
            threading.Thread(
                target=asking.let_go, name="realtime-database, letting go", daemon=True
            ).start()


_running: "WeakSet[DatabaseThreads]" = WeakSet()


def _stop_all() -> None:
    deadline = time.monotonic() + PATIENCE
    running = list(_running)
    for threads in running:
        threads.stop()
    for threads in running:
        threads.join(max(deadline - time.monotonic(), 0.0))


atexit.register(_stop_all)
