"""Tasks that survive whatever happens in them."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from realtime import log

T = TypeVar("T")

#: Seconds before a failed task is run again; doubled with each failure in a row, up to the second figure.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
#: Seconds that a cancelled task has to clean up.
PATIENCE = 1.0
#: A task that has not failed for so many seconds is well again, unless it says itself when it is.
WELL_AFTER = 15.0


class _Failing:
    """``since`` it has failed again and again, and when it is well again (``well_at``), on the monotonic clock."""

    __slots__ = ("name", "since", "well_at")

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = self.well_at = time.monotonic()


_failing: dict[object, _Failing] = {}
_current: contextvars.ContextVar[object] = contextvars.ContextVar("realtime_task")


def start(
    name: str, work: Callable[[], Awaitable[None]], *, well_after: float = WELL_AFTER
) -> "asyncio.Task[None]":
    """Run ``work`` again and again in a task of its own until that is cancelled.

    An exception is logged and followed by a pause. After ``well_after`` seconds without another one, or when ``work``
    has called :func:`succeeded`, the task is no longer one that fails.
    """

    async def attempt() -> Exception | None:
        try:
            await work()
        except Exception as error:
            return error
        return None

    async def supervise() -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        me = object()
        _current.set(me)
        try:
            while True:
                began = loop.time()
                # A task for each attempt: what a layer makes of a cancellation must not keep this one alive.
                attempted = loop.create_task(attempt())
                try:
                    await asyncio.wait([attempted])
                finally:
                    _end(attempted)
                    await asyncio.wait([attempted], timeout=PATIENCE)
                if error := _outcome(attempted):
                    _note(me, name, well_after)
                    log.error("task_failed", "%(task)s failed and begins again.", error, task=name)
                    if loop.time() - began > LONGEST_PAUSE:
                        pause = FIRST_PAUSE
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            _failing.pop(me, None)

    return once(name, supervise)


def succeeded() -> None:
    """Say that the task in which this is called has done what it may have failed at before."""
    _failing.pop(_current.get(None), None)


def _note(task: object, name: str, well_after: float) -> None:
    now = time.monotonic()
    failing = _failing.get(task)
    if failing is None or now > failing.well_at:
        failing = _failing[task] = _Failing(name)
    failing.well_at = now + well_after


def failing() -> dict[str, float]:
    """For how many seconds which tasks of this process have failed again and again."""
    now = time.monotonic()
    found: dict[str, float] = {}
    for one in list(_failing.values()):
        if now <= one.well_at:
            found[one.name] = max(found.get(one.name, 0.0), now - one.since)
    return found


def once(name: str, work: Callable[[], Coroutine[None, None, None]]) -> "asyncio.Task[None]":
    """Run ``work`` in a task of its own, which starts in an empty context: it belongs to nobody's request."""
    loop = asyncio.get_running_loop()
    task = contextvars.Context().run(loop.create_task, work())
    task.set_name(f"realtime {name}")
    return task


async def within(timeout: float, work: Awaitable[T]) -> T:
    """Await ``work`` and return its result; after ``timeout`` seconds cancel it and raise ``TimeoutError``."""
    # Not asyncio.wait_for(), which before Python 3.12 forgets a cancellation that comes together with the result:
    # what goes on then begins tasks in a loop that is being closed.
    task = asyncio.ensure_future(work)
    task.add_done_callback(retrieve)
    try:
        await asyncio.wait([task], timeout=timeout)
        if not task.done():
            raise asyncio.TimeoutError
    finally:
        if not task.done():
            _end(task)
            await asyncio.wait([task], timeout=PATIENCE)
    return task.result()


async def all_within(
    timeout: float, works: Iterable[Coroutine[Any, Any, T]]
) -> "list[T | Exception]":
    """Await all of these at a time; return what each returned or raised, ``TimeoutError`` for what was cancelled."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(retrieve)
    late: set[asyncio.Task[T]] = set()
    try:
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout)
    finally:
        left = [task for task in tasks if not task.done()]
        for task in left:
            _end(task)
        if left:
            await asyncio.wait(left, timeout=PATIENCE)
    return [_outcome(task) if task not in late else asyncio.TimeoutError() for task in tasks]


def _outcome(task: "asyncio.Task[T]") -> "T | Exception":
    # Not by whoever waits here: a layer may await what somebody else cancels.
    if task.cancelled():
        return ConnectionError("What was waited for was cancelled.")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return error
    raise error


async def wait_for_event(event: asyncio.Event, timeout: float) -> None:
    """Wait until it is set, or until the time is up, and clear it."""
    # Not asyncio.wait_for(), for the reason above.
    timer = asyncio.get_running_loop().call_later(timeout, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()
    event.clear()


def retrieve(task: "asyncio.Future[Any]") -> None:
    """Take what it raised: of one that is given up nobody else does, and asyncio would complain."""
    if not task.cancelled():
        task.exception()


def _end(task: "asyncio.Future[Any]") -> None:
    """Cancel a task until it has ended: layers and libraries may swallow a cancellation."""
    if not task.done():
        task.cancel()
        task.get_loop().call_later(PATIENCE, _end, task)
