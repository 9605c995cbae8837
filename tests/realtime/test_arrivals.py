"""Sockets that arrive together are signed in together, each as its own."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from pytest_django import Settings

from realtime import arrivals as module
from realtime import database, login
from realtime.arrivals import arrivals
from realtime.login import THREADS
from realtime.testing import InboxTab
from stored_messages.api import owner_key
from tests.realtime.backends import Slow
from tests.services.waiting import CEILING, eventually


class Door:
    """Look-ups wait before it, and are noted."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.opened = threading.Event()
        self._look_up = module.look_up

    def look_up(self, keys: Sequence[str]) -> Any:
        self.batches.append(len(keys))
        assert self.opened.wait(CEILING)
        return self._look_up(keys)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    door = Door()
    monkeypatch.setattr(module, "look_up", door.look_up)
    # Threads that have the patience to wait before it.
    for name in ("SHORTEST", "LONGEST"):
        monkeypatch.setattr(database, name, CEILING)
    login.stop_threads()
    yield door
    door.opened.set()
    login.stop_threads()


async def clients_of(*users: User) -> list[Client]:
    clients = [Client() for _ in users]
    for client, user in zip(clients, users, strict=True):
        await sync_to_async(client.force_login)(user)
    return clients


async def arrive(door: Door, clients: Sequence[Client]) -> list[InboxTab]:
    """Open sockets whose look-ups are the first of all and keep the threads busy, and then these, together."""
    [blocker] = await clients_of(await User.objects.acreate(username="blocker"))
    tabs = [InboxTab(client=client) for client in [*[blocker] * THREADS, *clients]]
    opening = []
    for count, tab in enumerate(tabs, start=1):
        opening.append(asyncio.create_task(tab.connect(timeout=CEILING)))
        if count <= THREADS:
            await eventually(lambda count=count: len(door.batches) == count, "a busy thread")
    await eventually(lambda: len(arrivals()._waiting) == len(clients), "all are waiting")
    door.opened.set()
    assert await asyncio.gather(*opening) == [(True, None)] * len(tabs)
    for tab in tabs[:THREADS]:
        await tab.leave()
    return tabs[THREADS:]


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "signed_cookies"])
async def test_one_look_for_all_who_wait(
    transactional_db: None, settings: Settings, engine: str, door: Door
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    users = [await User.objects.acreate(username=f"user{number}") for number in range(10)]
    tabs = await arrive(door, await clients_of(*users))
    for tab, user in zip(tabs, users, strict=True):
        assert (await tab.frame("sync"))["user"] == owner_key(user)
        await tab.leave()
    assert door.batches == [1] * THREADS + [len(users)]


async def test_whoever_is_not_signed_in_is_told_so(user: User, other: User, door: Door) -> None:
    clients = await clients_of(user, other, user)
    await sync_to_async(clients[0].session.flush)()
    other.is_active = False
    await other.asave()
    unknown, inactive, good = await arrive(door, clients)
    assert await unknown.closed() == 4401
    assert await inactive.closed() == 4401
    assert (await good.frame("sync"))["user"] == owner_key(user)
    for tab in (unknown, inactive, good):
        await tab.leave()


async def test_an_odd_session_shuts_nobody_else_out(user: User, other: User, door: Door) -> None:
    clients = await clients_of(user, other)
    session = SessionStore(clients[0].session.session_key)
    await sync_to_async(session.__setitem__)(SESSION_KEY, "no number")
    await sync_to_async(session.save)()
    odd, good = await arrive(door, clients)
    assert await odd.closed() == 1011
    assert (await good.frame("sync"))["user"] == owner_key(other)
    await odd.leave()
    await good.leave()


async def test_whoever_leaves_while_waiting_is_forgotten(
    user: User, other: User, door: Door
) -> None:
    keys = [client.session.session_key for client in await clients_of(user, other, other)]
    waiting = []
    for count in range(1, THREADS + 1):
        waiting.append(asyncio.create_task(arrivals().session_and_user(keys[0])))
        await eventually(lambda count=count: len(door.batches) == count, "a busy thread")
    waiting += [asyncio.create_task(arrivals().session_and_user(key)) for key in keys]
    await eventually(lambda: len(arrivals()._waiting) == len(keys), "all are waiting")
    waiting[-2].cancel()
    door.opened.set()
    _, found = await asyncio.wait_for(waiting[-1], CEILING)
    assert found == other
    await asyncio.wait(waiting)


async def test_what_the_database_raises_is_everybodys(
    user: User, other: User, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(keys: Any) -> None:
        raise OperationalError("away")

    clients = await clients_of(user, other)
    monkeypatch.setattr(module, "certain_sign_ins", away)
    for tab in await arrive(door, clients):
        assert await tab.closed() == 1011
        await tab.leave()


async def test_a_backend_that_takes_its_time_holds_up_nobody_else(
    user: User, other: User, settings: Settings, patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "tests.realtime.backends.Slow"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", slow]
    client, quick = Client(), Client()
    await sync_to_async(client.force_login)(user, backend=slow)
    await sync_to_async(quick.force_login)(other, backend=settings.AUTHENTICATION_BACKENDS[0])
    answers, asked = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        asked.release()
        assert answers.wait(CEILING)

    monkeypatch.setattr(Slow, "wait", staticmethod(wait))
    slow_tabs = [InboxTab(client=client) for _ in range(THREADS + 1)]
    opening = [asyncio.create_task(tab.connect(timeout=CEILING)) for tab in slow_tabs]
    for _ in range(THREADS):
        assert await asyncio.to_thread(asked.acquire, timeout=CEILING)
    async with InboxTab(client=quick) as tab:
        assert (await tab.frame("sync"))["user"] == owner_key(other)
        # Nor does the look at those who are here already.
        other.is_active = False
        await other.asave()
        assert await tab.closed() == 4401
    answers.set()
    assert await asyncio.gather(*opening) == [(True, None)] * len(slow_tabs)
    for tab in slow_tabs:
        assert (await tab.frame("sync"))["user"] == owner_key(user)
        await tab.leave()


async def test_nobody_is_asked_about_who_has_gone(
    user: User, settings: Settings, patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "tests.realtime.backends.Slow"
    settings.AUTHENTICATION_BACKENDS = [slow]
    client = Client()
    await sync_to_async(client.force_login)(user)
    answers, asked = threading.Event(), []

    def wait() -> None:
        asked.append(1)
        assert answers.wait(CEILING)

    monkeypatch.setattr(Slow, "wait", staticmethod(wait))
    key = client.session.session_key
    waiting = [asyncio.create_task(arrivals().session_and_user(key)) for _ in range(THREADS * 2)]
    await eventually(lambda: len(asked) == THREADS, "all threads are busy")
    await eventually(lambda: len(arrivals()._alone) == len(waiting), "the others wait for them")
    for one in waiting[:-1]:
        one.cancel()
    await asyncio.wait(waiting[:-1])
    answers.set()
    _, found = await waiting[-1]
    assert found == user
    assert len(asked) == THREADS + 1


async def test_who_comes_as_a_look_ends_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "THREADS", 1)
    monkeypatch.setattr(module, "look_up", lambda keys: dict.fromkeys(keys, (None, None)))
    these = module.Arrivals()
    second = these.session_and_user("second")
    waiting: list[asyncio.Future[Any]] = []

    def come(_: object) -> None:
        """In the very turn of the event loop in which the look has ended."""
        second.send(None)
        waiting.extend(these._waiting)

    first = asyncio.create_task(these.session_and_user("first"))
    await asyncio.sleep(0)
    [found] = these._waiting
    found.add_done_callback(come)
    await first
    await eventually(waiting[0].done, "the second one is looked up")
    second.close()
