"""Waiting for a condition: the one place in the tests that polls."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

#: A machine may be slow or busy, and only what fails takes so long.
CEILING = 90.0
_PAUSE = 0.02


def wait_for(condition: Callable[[], T], what: str, *, timeout: float = CEILING) -> T:
    """Returns the first true result of `condition`; fails with `what` after the ceiling."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(_PAUSE)
    return result


async def eventually(condition: Callable[[], Any], what: str, *, timeout: float = CEILING) -> Any:
    """The same in a coroutine; `condition` may be a coroutine function."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if isinstance(result, Awaitable):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        await asyncio.sleep(_PAUSE)
