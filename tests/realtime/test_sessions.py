"""Signed in by the session, and cut off with it."""

import asyncio
import threading
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import pytest
from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.http import HttpRequest
from django.test import Client, override_settings
from pytest_django import Settings

from realtime import guard
from realtime.groups import everybody
from realtime.hubs import running_hubs
from realtime.login import session_digest
from realtime.publisher import flush
from realtime.receivers import after_commit
from realtime.testing import InboxTab
from stored_messages.api import owner_key
from tests.realtime.layers import RecordingLayer
from tests.services.server import ROOT, Project
from tests.services.waiting import CEILING


async def signed_in(user: User) -> Client:
    client = Client()
    await sync_to_async(client.force_login)(user)
    return client


@pytest.fixture
def nobody_looks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is signed out is told by events only."""
    settings.REALTIME = {"RECONCILE_INTERVAL": 3600, "SESSION_INTERVAL": 4 * 3600}
    monkeypatch.setattr(guard, "LONGEST_PAUSE", 3600)


async def test_the_session_says_who_it_is(user: User, other: User) -> None:
    async with InboxTab(client=await signed_in(other)) as tab:
        assert tab.sync is not None
        assert tab.sync["user"] == owner_key(other)


@pytest.mark.parametrize("engine", ["cache", "cached_db", "file", "signed_cookies"])
async def test_with_every_session_engine(user: User, settings: Settings, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    client = await signed_in(user)
    async with InboxTab(client=client) as tab:
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401


async def test_logout_closes_that_sessions_sockets_and_no_others(user: User) -> None:
    here, there = await signed_in(user), await signed_in(user)
    async with (
        InboxTab(client=here) as one,
        InboxTab(client=here) as two,
        InboxTab(client=there) as other_browser,
    ):
        await sync_to_async(here.post)("/logout/")
        assert await one.closed() == 4401
        assert await two.closed() == 4401
        while await other_browser.frame("sync"):
            if other_browser.output_queue.empty():
                break


async def request_of(client: Client, user: User) -> HttpRequest:
    """As a view gets it."""
    request = HttpRequest()
    request.session, request.user = await sync_to_async(lambda: client.session)(), user

    async def auser() -> User:
        return user

    request.auser = auser
    return request


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache"])
@pytest.mark.parametrize("is_async", [False, True], ids=["logout", "alogout"])
async def test_who_comes_back_before_the_session_is_gone_is_cut_off_with_it(
    user: User, settings: Settings, nobody_looks: None, engine: str, is_async: bool
) -> None:
    """Django flushes it when all receivers of its signal have returned, and some take their time."""
    if is_async and django.VERSION < (5, 0):
        pytest.skip("there is no alogout() yet")
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    client = await signed_in(user)
    request = await request_of(client, user)
    may_return = threading.Event()

    def slow(**kwargs: Any) -> None:
        assert may_return.wait(CEILING)

    user_logged_out.connect(slow)
    try:
        async with InboxTab(client=client) as tab:
            if is_async:
                logging_out = asyncio.ensure_future(auth.alogout(request))
            else:
                logging_out = asyncio.ensure_future(asyncio.to_thread(auth.logout, request))
            assert await tab.closed() == 4401
        async with InboxTab(client=client) as again:
            may_return.set()
            assert await again.closed() == 4401
        await logging_out
    finally:
        user_logged_out.disconnect(slow)
    await expect_signed_out(client)


@pytest.mark.parametrize("is_async", [False, True], ids=["logout", "alogout"])
async def test_a_project_may_send_the_signal_of_a_logout_itself(
    user: User, nobody_looks: None, is_async: bool
) -> None:
    """And then log out, whose signal is the second one."""
    if is_async and django.VERSION < (5, 1):
        pytest.skip("there is no aflush() yet")
    client = await signed_in(user)
    request = await request_of(client, user)
    async with InboxTab(client=client) as tab:
        sent = {"sender": User, "request": request, "user": user}
        if is_async:
            await user_logged_out.asend(**sent)
            await auth.alogout(request)
        else:
            await sync_to_async(user_logged_out.send)(**sent)
            await sync_to_async(auth.logout)(request)
        assert await tab.closed() == 4401
    await expect_signed_out(client)


WITHOUT_A_DEFAULT = """
from tests.project.settings import *

DATABASES = {"default": {}, "main": DATABASES["default"]}
DATABASE_ROUTERS = ["without_a_default.Main"]


class Main:
    def db_for_read(self, model, **hints):
        return "main"

    db_for_write = db_for_read
"""

LOG_OUT = """
from django.contrib.auth.models import User
from django.test import Client
from realtime.publisher import observers
client = Client()
client.force_login(User.objects.create(username="ada"))
told = []
observers.append(told.append)
assert client.post("/logout/").status_code < 400
print("told", len(told), "left", "_auth_user_id" in client.session)
"""


@pytest.mark.parametrize("engine", ["db", "cache"])
def test_a_logout_where_the_default_database_is_left_blank(
    project: Project, tmp_path: Path, engine: str
) -> None:
    settings = (
        f'{WITHOUT_A_DEFAULT}\nSESSION_ENGINE = "django.contrib.sessions.backends.{engine}"\n'
    )
    (tmp_path / "without_a_default.py").write_text(settings)
    project = replace(project, settings="without_a_default").with_env(
        PYTHONPATH=f"{tmp_path}:{ROOT}"
    )
    assert "told 2 left False" in project.shell(LOG_OUT)


def test_what_cannot_be_waited_for_is_told_at_once() -> None:
    told = []

    def prepare() -> list[Any]:
        told.append("now")
        return []

    after_commit("no such database", prepare)
    assert told == ["now"]


async def test_another_login_in_the_browser_closes_the_first_users_sockets(
    user: User, other: User
) -> None:
    client = await signed_in(user)
    async with InboxTab(client=client) as tab:
        await sync_to_async(client.get)(f"/sign-in/{other.username}/")
        assert await tab.closed() == 4401
    async with InboxTab(client=client) as tab:
        assert tab.sync is not None
        assert tab.sync["user"] == owner_key(other)


async def test_a_cookie_that_is_the_session_may_have_changed_since(
    user: User, other: User, settings: Settings
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    for leave in ("/logout/", f"/sign-in/{other.username}/"):
        client = await signed_in(user)
        async with InboxTab(client=client) as tab, InboxTab(user=user) as by_other_means:
            await sync_to_async(change_session)(client)
            await sync_to_async(client.post)(leave)
            assert await tab.closed() == 4401
            assert await by_other_means.frame("sync")


def change_session(client: Client) -> None:
    session = client.session
    session["basket"] = ["tea"]
    session.save()
    client.cookies["sessionid"] = session.session_key


async def test_signing_in_again_as_oneself_closes_nothing(user: User) -> None:
    client = await signed_in(user)
    async with InboxTab(client=client) as tab:
        await sync_to_async(client.get)(f"/sign-in/{user.username}/")
        for _ in range(3):
            assert await tab.frame("sync")


def test_the_key_never_travels(user: User, recorded: RecordingLayer, client: Client) -> None:
    client.force_login(user)
    key = client.session.session_key
    client.logout()
    assert flush(CEILING)
    ended = [one for one in recorded.sent if one[1]["type"] == "inbox.signed_out"]
    group, event = ended[0]
    assert ended == [(group, event)] * 2  # with the signal, and when the session is gone
    assert key is not None
    assert event == {
        "type": "inbox.signed_out",
        "session": session_digest(key),
        "user": None,
    }
    # It may be open where only somebody else is known: who sees the site as another user.
    assert group == everybody()
    assert key not in str(event)


def test_a_logout_that_is_rolled_back_closes_nothing(
    user: User, recorded: RecordingLayer, client: Client
) -> None:
    client.force_login(user)
    with transaction.atomic():
        client.logout()
        transaction.set_rollback(True)
    assert flush(CEILING)
    assert recorded.sent == []


async def expect_signed_out(client: Client) -> None:
    tab = InboxTab(client=client)
    assert await tab.connect(timeout=CEILING) == (True, None)
    assert await tab.closed() == 4401
    await tab.leave()


async def test_a_changed_password_signs_out(user: User) -> None:
    client = await signed_in(user)
    user.set_password("another")
    await user.asave()
    await expect_signed_out(client)


async def test_a_deactivated_user_is_signed_out(user: User) -> None:
    client = await signed_in(user)
    user.is_active = False
    await user.asave()
    await expect_signed_out(client)


async def test_a_backend_that_is_no_more_signs_out(user: User, settings: Settings) -> None:
    client = await signed_in(user)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    await expect_signed_out(client)


async def test_an_unknown_session_is_anonymous(user: User) -> None:
    client = await signed_in(user)
    store = import_module("django.contrib.sessions.backends.db").SessionStore
    await sync_to_async(store(client.session.session_key).delete)()
    await expect_signed_out(client)


async def test_a_changed_secret_key_keeps_sessions_while_the_old_one_is_a_fallback(
    user: User, settings: Settings
) -> None:
    client = await signed_in(user)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    async with InboxTab(client=client) as tab:
        assert tab.sync is not None
    settings.SECRET_KEY_FALLBACKS = []
    await expect_signed_out(client)


def sessions_told(recorded: RecordingLayer) -> list[str]:
    assert flush(CEILING)
    return [event["session"] for _, event in recorded.sent if event["type"] == "inbox.signed_out"]


def test_a_logout_reaches_servers_with_an_older_secret_key(
    user: User, settings: Settings, recorded: RecordingLayer, client: Client
) -> None:
    settings.SECRET_KEY_FALLBACKS = ["older"]
    client.force_login(user)
    key = client.session.session_key
    assert key is not None
    older = session_digest(key, "older")
    with override_settings(SECRET_KEY="older", SECRET_KEY_FALLBACKS=[]):
        assert session_digest(key) == older
    client.post("/logout/")
    assert sessions_told(recorded) == [session_digest(key), older] * 2


async def test_a_logout_at_a_server_with_an_older_secret_key_is_heard(
    user: User, settings: Settings, nobody_looks: None
) -> None:
    client = await signed_in(user)
    older = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "newer", [older]
    async with InboxTab(client=client) as tab, InboxTab(client=client) as another:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = older, []
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401
        assert await another.closed() == 4401
    [hub] = running_hubs()
    assert (list(hub._guard._held.all()), hub._guard._held._newest) == ([], {})


def test_a_logout_from_before_the_secret_key_changed_ends_what_the_browser_had(
    user: User, settings: Settings, recorded: RecordingLayer, client: Client
) -> None:
    """Django gives the session another key on the way to the view."""
    client.force_login(user)
    key = client.session.session_key
    assert key is not None
    before = session_digest(key)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    client.post("/logout/")
    assert {before, session_digest(key)} <= set(sessions_told(recorded))


async def test_a_session_that_cannot_be_loaded_makes_the_client_come_back(
    user: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    client = await signed_in(user)
    settings.SESSION_ENGINE = "tests.realtime.no_such_engine"
    tab = InboxTab(client=client)
    assert await tab.connect(timeout=CEILING) == (True, None)
    assert await tab.closed() == 1011
    await tab.wait(CEILING)
    assert "A socket's session could not be loaded." in caplog.text
