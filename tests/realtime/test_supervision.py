"""Waiting for at most so long, whatever comes together."""

import asyncio

import pytest

from realtime.supervision import within


async def test_the_result_or_what_was_raised() -> None:
    assert await within(30, asyncio.sleep(0, "done")) == "done"

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await within(30, fail())


async def test_too_late() -> None:
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(asyncio.TimeoutError):
        await within(0.01, never())
    assert ended.is_set()


async def test_a_cancellation_is_not_forgotten_when_it_comes_with_the_result() -> None:
    result = asyncio.get_running_loop().create_future()
    went_on = False

    async def wait() -> None:
        nonlocal went_on
        await within(30, _awaited(result))
        went_on = True

    task = asyncio.create_task(wait())
    for _ in range(10):  # until the future is waited for
        await asyncio.sleep(0)
    result.set_result(None)
    await asyncio.sleep(0)  # the result is on its way to whoever waits
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not went_on


async def _awaited(future: "asyncio.Future[None]") -> None:
    await future
