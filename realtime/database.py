"""Database work of the live part, in threads of its own.

Not in asgiref's one thread for everything: there it would wait behind every synchronous view, and they behind it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import ParamSpec, TypeVar, cast

from channels.db import DatabaseSyncToAsync
from django.db import connections

#: Seconds for which a thread that is done waits for the others to be.
PATIENCE = 1.0

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThreads:
    """A few threads for queries. Dead and outdated connections are closed before and after each call."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="realtime-database")

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call ``function`` in one of the threads and return its result."""
        call = DatabaseSyncToAsync(function, thread_sensitive=False, executor=self._executor)
        return cast("R", await call(*args, **kwargs))

    def stop(self) -> None:
        """End the threads when they have finished what they are at, and close their connections."""
        everyone = Barrier(self._threads)

        def close() -> None:
            # Each thread its own: who is done first must not take another's turn.
            with suppress(BrokenBarrierError):
                everyone.wait(PATIENCE)
            connections.close_all()

        with suppress(RuntimeError):  # the interpreter is ending, and the threads with it
            for _ in range(self._threads):
                self._executor.submit(close)
        self._executor.shutdown(wait=False)
