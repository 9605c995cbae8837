"""Threads that can be left to themselves, with what they are at."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class _Call:
    __slots__ = ("began", "function", "future")

    def __init__(self, function: "partial[Any]") -> None:
        self.function = function
        self.future: Future[Any] = Future()
        self.began = 0.0

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.function()
        except BaseException as error:
            self.fail(error)
        else:
            with suppress(InvalidStateError):  # it was given up meanwhile
                self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class Threads(Executor):
    """So many threads at most, begun when they are needed; calls wait for one that is free.

    A ``ThreadPoolExecutor`` cannot do without a thread that never returns, and nor can the end of the interpreter,
    which waits for it. These are daemons. ``on_end`` is called in each of them in the end, however late.
    """

    def __init__(self, count: int, name: str, on_end: Callable[[], object]) -> None:
        self._count = count
        self._name = name
        self._on_end = on_end
        self._changed = threading.Condition()
        self._waiting: deque[_Call] = deque()
        self._at: dict[threading.Thread, _Call | None] = {}
        self._left: set[threading.Thread] = set()
        self._stopped = False

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        call = _Call(partial(function, *args, **kwargs))
        with self._changed:
            if self._stopped:
                raise RuntimeError("These threads have been stopped.")
            free = sum(one is None for one in self._at.values())
            if free <= len(self._waiting) and len(self._at) < self._count:
                self._start()
            self._waiting.append(call)
            self._changed.notify()
        return call.future

    @property
    def busy_for(self) -> float:
        """For how many seconds one of them has been at the same call: the longest that is not given up."""
        with self._changed:
            began = [call.began for call in self._at.values() if call is not None]
        return time.monotonic() - min(began) if began else 0.0

    @property
    def left(self) -> int:
        """How many are left to themselves, and have not come back."""
        with self._changed:
            return len(self._left)

    def give_up(self, after: float, at_most: int) -> list[Callable[..., Any]]:
        """Leave those to themselves that have been at one call for so many seconds; return the functions called.

        The calls raise ``TimeoutError``, and what they return some time is dropped. Others take the threads' place.
        """
        now = time.monotonic()
        with self._changed:
            late = [
                (thread, call)
                for thread, call in self._at.items()
                if call is not None and now - call.began >= after
            ][: max(at_most, 0)]
            for thread, _ in late:
                del self._at[thread]
                self._left.add(thread)
                thread.name = f"{self._name}, given up"
            for _ in range(min(len(late), len(self._waiting))):
                with suppress(RuntimeError):  # there are too many: the next call tries again
                    self._start()
        for _, call in late:
            call.fail(TimeoutError(f"No answer within {after:g} seconds."))
        return [call.function.func for _, call in late]

    def stop(self) -> None:
        """End the threads when they have finished what they are at and what waits for them."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.stop()

    def join(self, timeout: float) -> None:
        """Wait for the end of those that are not left to themselves."""
        deadline = time.monotonic() + timeout
        with self._changed:
            threads = list(self._at)
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._at[thread] = None
        try:
            thread.start()
        except RuntimeError:
            del self._at[thread]
            if not self._at:
                raise

    def _work(self) -> None:
        thread = threading.current_thread()
        try:
            while (call := self._next(thread)) is not None:
                call.run()
                del call
        finally:
            try:
                self._on_end()
            finally:
                with self._changed:
                    self._left.discard(thread)

    def _next(self, thread: threading.Thread) -> _Call | None:
        with self._changed:
            while thread in self._at:
                self._at[thread] = None
                if self._waiting:
                    call = self._at[thread] = self._waiting.popleft()
                    call.began = time.monotonic()
                    return call
                if self._stopped:
                    del self._at[thread]
                    break
                self._changed.wait()
        return None
