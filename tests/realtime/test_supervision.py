"""Waiting for at most so long, whatever comes together."""

import asyncio
import gc
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from realtime import supervision
from realtime.supervision import all_within, within
from tests.services.waiting import eventually


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


async def test_a_task_outlives_a_cancellation_in_what_it_waits_for() -> None:
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        raise asyncio.CancelledError

    task = supervision.start("waiting for somebody else's", work)
    await eventually(lambda: attempts == 2, "another attempt")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nobody_complains_of_what_is_given_up() -> None:
    async def turned_into_an_error() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ConnectionError from error

    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, what: complaints.append(what))
    with pytest.raises(asyncio.TimeoutError):
        await within(0.01, turned_into_an_error())
    await all_within(0.01, [turned_into_an_error()])
    gc.collect()
    assert not complaints


async def test_many_at_a_time_and_what_became_of_each() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def be_cancelled() -> None:
        raise asyncio.CancelledError

    async def never() -> None:
        await asyncio.Event().wait()

    done, *failed = await all_within(
        0.05, [asyncio.sleep(0, "done"), fail(), be_cancelled(), never()]
    )
    assert done == "done"
    expected = [ZeroDivisionError, ConnectionError, asyncio.TimeoutError]
    assert [type(one) for one in failed] == expected
    assert await all_within(30, []) == []


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


async def test_who_says_when_it_is_well_is_failing_until_then() -> None:
    attempts, may_succeed = [], asyncio.Event()

    async def work() -> None:
        attempts.append(1)
        if may_succeed.is_set():
            supervision.succeeded()
            await asyncio.Event().wait()
        raise ConnectionError

    async with _supervised(work, well_after=math.inf):
        await eventually(lambda: len(attempts) >= 2, "a second attempt")
        first = supervision.failing()["trying"]
        await eventually(lambda: supervision.failing()["trying"] > first, "time goes on")
        may_succeed.set()
        await eventually(lambda: "trying" not in supervision.failing(), "it is well")


async def test_of_others_no_failure_for_a_while_is_a_good_sign() -> None:
    attempts = []

    async def work() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError
        await asyncio.Event().wait()

    async with _supervised(work, well_after=0.3):
        await eventually(lambda: "trying" in supervision.failing(), "it fails")
        await eventually(lambda: "trying" not in supervision.failing(), "it is well")


async def test_who_has_ended_fails_no_more() -> None:
    async def work() -> None:
        raise ConnectionError

    async with _supervised(work, well_after=math.inf):
        await eventually(lambda: "trying" in supervision.failing(), "it fails")
    assert "trying" not in supervision.failing()


@asynccontextmanager
async def _supervised(
    work: Callable[[], Awaitable[None]], *, well_after: float
) -> AsyncIterator[None]:
    task = supervision.start("trying", work, well_after=well_after)
    yield
    task.cancel()
    await asyncio.wait([task])
