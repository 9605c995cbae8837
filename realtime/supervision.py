"""Tasks that survive whatever happens in them."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine

from realtime.ratelimit import RateLimitedLog

#: Seconds before a failed task is run again; doubled with each failure in a row, up to the second figure.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

_log = RateLimitedLog(logging.getLogger("realtime"))


def start(name: str, work: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
    """Run ``work`` again and again in a task of its own until that is cancelled.

    An exception is logged and followed by a pause.
    """

    async def supervise() -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            began = loop.time()
            try:
                await work()
            except Exception as error:  # logged, and tried again
                _log.error("%s failed and begins again.", name, exc_info=error)
                if loop.time() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    return once(name, supervise)


def once(name: str, work: Callable[[], Coroutine[None, None, None]]) -> "asyncio.Task[None]":
    """Run ``work`` in a task of its own, which starts in an empty context: it belongs to nobody's request."""
    loop = asyncio.get_running_loop()
    task = contextvars.Context().run(loop.create_task, work())
    task.set_name(f"realtime {name}")
    return task
