"""The live part's own threads for queries."""

import asyncio
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from threading import Barrier, Event
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from realtime import database, guard, reconcile, turns
from realtime.counters import counters
from realtime.database import DatabaseThreads
from realtime.testing import InboxTab
from realtime.turns import short_turns
from tests.services.waiting import CEILING, eventually


async def test_each_thread_closes_its_connection_in_the_end(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    threads, both = DatabaseThreads(2), Barrier(2, timeout=30)

    def connect() -> Any:
        both.wait()
        connection.ensure_connection()
        return connection._connections["default"]  # type: ignore[attr-defined]

    opened = await asyncio.gather(threads.run(connect), threads.run(connect))
    assert len(set(map(id, opened))) == 2
    assert all(one.connection is not None for one in opened)

    threads.stop()

    await eventually(lambda: all(one.connection is None for one in opened), "both are closed")


@pytest.fixture
def stuck(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator["Stuck"]:
    """Calls that return when they may; impatient threads."""
    monkeypatch.setattr(database, "SHORTEST", 0.5)
    monkeypatch.setattr(database, "LONGEST", 0.5)
    calls = Stuck()
    yield calls
    calls.may_return.set()


class Stuck:
    def __init__(self) -> None:
        self.may_return = Event()
        self.begun = 0
        self.connections: list[Any] = []

    def __call__(self) -> str:
        self.begun += 1
        connection.ensure_connection()
        self.connections.append(connection._connections["default"])  # type: ignore[attr-defined]
        assert self.may_return.wait(CEILING * 2)
        return "late"


async def test_who_waits_behind_a_call_that_is_given_up_goes_on(
    monkeypatch: pytest.MonkeyPatch, stuck: Stuck
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    given_up = counters.calls_given_up
    one = DatabaseThreads(1)
    first, second = await asyncio.gather(
        one.run(stuck), one.run(lambda: "soon"), return_exceptions=True
    )
    assert isinstance(first, TimeoutError)
    assert second == "soon"
    assert counters.calls_given_up == given_up + 1
    await eventually(lambda: one.silence == 0, "its thread is free again")

    # What comes back some time has nobody to tell, and leaves no connection.
    stuck.may_return.set()
    await eventually(lambda: stuck.connections[0].connection is None, "its connection is closed")
    assert await one.run(lambda: "again") == "again"
    one.stop()


async def test_a_call_that_nobody_waits_for_any_more_is_given_up_by_the_next(stuck: Stuck) -> None:
    one = DatabaseThreads(1)
    waiting = asyncio.ensure_future(one.run(stuck))
    await eventually(lambda: stuck.begun, "it has begun")
    waiting.cancel()
    assert await one.run(lambda: "next") == "next"
    one.stop()


async def test_a_database_that_is_slow_is_heard_in_the_end(stuck: Stuck) -> None:
    """However often it was given up: so many threads are left to themselves, and the next one is waited for."""
    one = DatabaseThreads(1)
    for _ in range(database.GIVEN_UP):
        with pytest.raises(TimeoutError):
            await one.run(stuck)
    patience = one._patience
    assert patience == 4 * one._usual
    waiting = asyncio.ensure_future(one.run(stuck))
    await eventually(lambda: one._threads.busy_for > patience * 2, "it has taken too long")
    assert one.silence > patience * 2
    assert not waiting.done()
    stuck.may_return.set()
    assert await waiting == "late"
    assert await one.run(lambda: "again") == "again"
    one.stop()


@pytest.fixture
def long_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOMENT", CEILING)


async def test_turns_are_short_while_one_is_at_work_and_no_longer(long_moment: None) -> None:
    """The event loop's messages do not wait until a thread has computed."""
    usual = sys.getswitchinterval()
    both, may_return = Barrier(2), Event()

    def one() -> float:
        both.wait(CEILING)
        return sys.getswitchinterval()

    def other() -> tuple[float, float]:
        both.wait(CEILING)
        assert may_return.wait(CEILING)
        return sys.getswitchinterval(), in_a_child(sys.getswitchinterval)

    async def with_short_turns(work: Callable[[], Any]) -> Any:
        with short_turns():
            return await asyncio.to_thread(work)

    longer = asyncio.ensure_future(with_short_turns(other))
    short = await with_short_turns(one)
    assert short < usual
    may_return.set()
    assert await longer == (pytest.approx(short), pytest.approx(usual))
    assert sys.getswitchinterval() == pytest.approx(usual)


async def test_turns_are_short_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a database that does not answer computes nothing."""
    usual = sys.getswitchinterval()
    monkeypatch.setattr(turns, "MOMENT", 0.01)
    with short_turns():
        await eventually(lambda: sys.getswitchinterval() == pytest.approx(usual), "the usual turns")
    assert sys.getswitchinterval() == pytest.approx(usual)


@pytest.mark.parametrize("look", ["active_users", "certain_owners"])
async def test_turns_are_short_where_thousands_are_looked_at(
    user: User, monkeypatch: pytest.MonkeyPatch, long_moment: None, look: str
) -> None:
    usual = sys.getswitchinterval()
    seen: list[float] = []
    before = getattr(guard, look)

    def noting(what: Any) -> Any:
        seen.append(sys.getswitchinterval())
        return before(what)

    monkeypatch.setattr(guard, look, noting)
    client = Client()
    await sync_to_async(client.force_login)(user)
    async with InboxTab(client=client):
        await eventually(lambda: seen, "a look")
    assert max(seen) < usual


async def test_turns_are_short_in_rounds_and_not_for_those_who_come(
    user: User, monkeypatch: pytest.MonkeyPatch, long_moment: None
) -> None:
    usual = sys.getswitchinterval()
    seen: list[float] = []
    summaries = reconcile.api.summaries

    def noting(users: Any) -> Any:
        seen.append(sys.getswitchinterval())
        return summaries(users)

    monkeypatch.setattr(reconcile.api, "summaries", noting)
    async with InboxTab(user=user, live=False):
        await eventually(lambda: len(seen) >= 3, "rounds")
    assert seen[0] == pytest.approx(usual)
    assert max(seen[1:]) < usual


def in_a_child(function: Callable[[], float]) -> float:
    """What it returns in a forked child."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # there are other threads: that is the point
        child = os.fork()
    if not child:
        try:
            os.write(writing, str(function()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return float(pipe.read())
