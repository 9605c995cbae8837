"""Clients that are no browsers sign in with a header, as with the REST API."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from realtime import database
from realtime.asgi import application
from realtime.health import health
from realtime.hubs import running_hubs
from realtime.login import THREADS, stop_threads
from realtime.metrics import collect
from realtime.testing import InboxTab
from stored_messages.api import owner_key
from tests.realtime.backends import Keys
from tests.realtime.sending import broadcast, send
from tests.services.waiting import CEILING, eventually


class App(InboxTab):
    """A client without cookies and without an origin."""

    def __init__(self, authorization: str, live: bool = True, **headers: str) -> None:
        super().__init__(
            application=application,
            headers={"Authorization": authorization, **headers},
            live=live,
        )
        if "Origin" not in headers:
            self.scope["headers"] = [one for one in self.scope["headers"] if one[0] != b"origin"]


@pytest.fixture(autouse=True)
def keys(user: User, settings: Settings) -> Iterator[None]:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 1.5}
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.SessionAuthentication",
            "tests.realtime.backends.Keys",
        ]
    }
    Keys.users = {"alice's": user}
    yield
    Keys.users = {}


async def closed_at_once(tab: InboxTab) -> int:
    assert await tab.connect(timeout=CEILING) == (True, None)
    return await tab.closed()


async def test_the_token_says_who_it_is(user: User) -> None:
    async with App("Key alice's") as app:
        assert app.sync is not None
        assert app.sync["user"] == owner_key(user)
        await send(user)
        assert (await app.frame("stored"))["message"]["text"] == "hello"


@pytest.mark.parametrize("authorization", ["Key bob's", "Key", "Bearer alice's", "", "Key \xff"])
async def test_others_do_not(user: User, authorization: str) -> None:
    assert await closed_at_once(App(authorization)) == 4401


async def test_cookies_are_not_looked_at(user: User, other: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(other)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert await closed_at_once(App("Key bob's", Cookie=cookie)) == 4401
    async with App("Key alice's", Cookie=cookie) as app:
        assert app.sync is not None
        assert app.sync["user"] == owner_key(user)


async def test_an_origin_must_still_be_this_sites(user: User) -> None:
    async with App("Key alice's", Origin="http://testserver"):
        pass
    accepted, _ = await App("Key alice's", Origin="http://evil.example").connect(timeout=CEILING)
    assert not accepted


async def test_a_revoked_token_is_cut_off(user: User) -> None:
    async with App("Key alice's") as app:
        Keys.users = {}
        assert await app.closed() == 4401


async def test_so_is_a_deactivated_user(user: User, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 3600.0}
    async with App("Key alice's") as app:
        [hub] = running_hubs()
        [held] = hub._guard._held.all()
        await eventually(lambda: held.due > hub.loop.time(), "the first look")
        user.is_active = False
        await user.asave()  # which the class for keys refuses, as those of REST framework do
        assert await app.closed() == 4401


async def test_a_token_that_is_made_into_a_user_without_a_query(
    user: User, other: User, settings: Settings
) -> None:
    """As some do with what a signed token says. Only the row knows since when they see broadcasts."""
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 3600.0}
    await broadcast()
    user.date_joined = timezone.now()
    await user.asave()
    Keys.users = {"alice's": StandIn(user.pk), "nobody's": StandIn(2**40), "odd": StandIn("x")}
    client = Client()
    await sync_to_async(client.force_login)(user)
    async with App("Key alice's") as app, InboxTab(client=client) as tab:
        assert app.sync["unread"] == tab.sync["unread"] == 0
        assert await sync_to_async(list_of)("Key alice's") == []
        await send(user)
        for one in (app, tab):
            assert (await one.frame("stored"))["message"]["text"] == "hello"
        user.is_active = False
        await user.asave()
        assert await tab.closed() == 4401
    async with App("Key nobody's", live=False) as app:
        assert app.sync["unread"] == 1
    assert await closed_at_once(App("Key odd")) == 4401


class StandIn:
    """What looks like a user, and is no row."""

    is_authenticated = is_active = True

    def __init__(self, pk: object) -> None:
        self.pk = self.id = pk


def list_of(authorization: str) -> list[str]:
    response = APIClient().get("/messages/inbox/", headers={"authorization": authorization})
    return [message["text"] for message in response.json()]


async def test_who_is_not_looked_at_in_time_is_a_problem(
    user: User, other: User, no_look_is_given_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keys.users["bob's"] = other
    may_go_on = threading.Event()
    async with App("Key alice's"), App("Key bob's"):
        monkeypatch.setattr(Keys, "wait", lambda: may_go_on.wait(CEILING * 2))

        def lag() -> float:
            return next(one.value for one in collect() if one.name == "sign_in_lag_seconds")

        try:
            # While the first one is asked, the second one's time passes.
            await eventually(
                lambda: any("signed in" in one for one in health().problems), "a problem"
            )
            assert lag() > 1.5
        finally:
            may_go_on.set()
        await eventually(lambda: not lag(), "both were looked at")


@pytest.mark.parametrize("leaves", [0, 1], ids=["the first", "the second"])
async def test_one_token_for_several_users_is_watched_for_each(
    user: User, other: User, settings: Settings, leaves: int
) -> None:
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["tests.realtime.backends.OnBehalf"]
    }
    users = [user, other]
    async with AsyncExitStack() as stack:
        apps = [
            await stack.enter_async_context(App("Service key", **{"X-User": one.username}))
            for one in users
        ]
        assert [app.sync["user"] for app in apps if app.sync] == [owner_key(one) for one in users]
        gone, stays = apps[leaves], apps[1 - leaves]
        users[leaves].is_active = False
        await users[leaves].asave()
        assert await gone.closed() == 4401
        await send(users[1 - leaves], text="still here")
        await stays.received("still here")
        # And so it is watched when the other one has gone.
        users[1 - leaves].is_active = False
        await users[1 - leaves].asave()
        assert await stays.closed() == 4401
    [hub] = running_hubs()
    assert list(hub._guard._held.all()) == []


@pytest.fixture
def no_look_is_given_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(database, "SHORTEST", 3600)
    monkeypatch.setattr(database, "LONGEST", 3600)
    stop_threads()
    yield
    stop_threads()


@pytest.mark.parametrize("arrive", [False, True], ids=["looked-at-again", "arriving"])
async def test_nobody_else_waits_because_tokens_take_their_time(
    user: User,
    other: User,
    no_look_is_given_up: None,
    monkeypatch: pytest.MonkeyPatch,
    arrive: bool,
) -> None:
    client = Client()
    await sync_to_async(client.force_login)(other)
    asked, may_go_on = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        asked.release()
        assert may_go_on.wait(CEILING * 2)

    arriving = [App("Key alice's") for _ in range(THREADS if arrive else 0)]
    async with App("Key alice's"), InboxTab(client=client) as tab:
        monkeypatch.setattr(Keys, "wait", wait)
        connecting = [asyncio.create_task(app.connect(timeout=CEILING * 2)) for app in arriving]
        try:
            for _ in range(THREADS if arrive else 1):
                await eventually(lambda: asked.acquire(blocking=False), "a token is looked at")
            async with InboxTab(client=client, live=False):
                pass
            other.is_active = False
            await other.asave()
            assert await tab.closed() == 4401
        finally:
            may_go_on.set()
            await asyncio.gather(*connecting)
    for app in arriving:
        await app.leave()


async def test_whose_user_is_gone_comes_first(
    transactional_db: None, no_look_is_given_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [await User.objects.acreate(username=f"user-{number}") for number in range(8)]
    asked: list[str] = []
    looking, may_go_on = threading.Event(), threading.Event()

    class Asked(dict[str, User]):
        def __contains__(self, key: object) -> bool:
            asked.append(str(key))
            return super().__contains__(key)

    def wait() -> None:
        looking.set()
        assert may_go_on.wait(CEILING * 2)

    Keys.users = Asked({user.username: user for user in users})
    async with AsyncExitStack() as stack:
        apps = [
            await stack.enter_async_context(App(f"Key {user.username}", live=False))
            for user in users
        ]
        monkeypatch.setattr(Keys, "wait", wait)
        try:
            await eventually(looking.is_set, "a token is looked at")
            before = len(asked)
            [hub] = running_hubs()
            users[-1].is_active = False
            await users[-1].asave()
            await eventually(hub._guard._to_ask[False].is_set, "it is known who is gone")
        finally:
            may_go_on.set()
        assert await apps[-1].closed() == 4401
        assert users[-1].username in asked[before : before + 2]


async def test_a_database_that_fails_makes_the_client_come_back(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App("Key alice's") as app:
        monkeypatch.setattr(Keys, "broken", True)
        assert await closed_at_once(App("Key alice's")) == 1011
        # And signs nobody out who is there.
        for _ in range(7):
            await app.frame("sync")


async def test_without_rest_framework_nobody_is_signed_in(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rest_framework.request", None)
    assert await closed_at_once(App("Key alice's")) == 4401
