"""Sockets that were open when their user, session or password was changed by somebody else."""

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError, connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from realtime import guard, log, still_signed_in
from realtime.hubs import running_hubs
from realtime.login import SessionSignIn
from realtime.testing import InboxTab
from stored_messages.api import owner_key
from tests.realtime.backends import Slow
from tests.services.waiting import CEILING, eventually

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
SERVER_SIDE = ENGINES[:-1]


@pytest.fixture(autouse=True)
def quick_rotation(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 1.5}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Settings, tmp_path: Any) -> str:
    return use_engine(request.param, settings, tmp_path)


@pytest.fixture(params=SERVER_SIDE)
def server_side(request: pytest.FixtureRequest, settings: Settings, tmp_path: Any) -> str:
    return use_engine(request.param, settings, tmp_path)


def use_engine(engine: str, settings: Settings, tmp_path: Any) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    store = import_module("django.contrib.sessions.backends.file").SessionStore
    if hasattr(store, "_storage_path"):  # kept by Django from the test before
        del store._storage_path
    return engine


async def signed_in(user: User) -> Client:
    client = Client()
    await sync_to_async(client.force_login)(user)
    return client


async def looked(*tabs: InboxTab) -> None:
    """Wait until the guard has been all round twice, and see that these tabs are open."""
    [hub] = running_hubs()
    for _ in range(2):
        before = {held: held.due for held in hub._guard._held.all()}
        await eventually(
            lambda before=before: all(
                held.due > before[held] for held in hub._guard._held.all() if held in before
            ),
            "a look at every session",
        )
    for tab in tabs:
        assert await tab.frame("sync")


async def test_deactivated_and_deleted_users_are_cut_off(user: User, other: User) -> None:
    third = await sync_to_async(User.objects.create_user)("carol")
    async with (
        InboxTab(client=await signed_in(user)) as one,
        InboxTab(client=await signed_in(other)) as two,
        InboxTab(client=await signed_in(third)) as three,
        InboxTab(user=user) as without_session,
    ):
        await looked(one, two, three)
        user.is_active = False
        await user.asave()
        await other.adelete()
        for tab in (one, two, without_session):
            assert await tab.closed() == 4401
        await looked(three)


async def test_who_becomes_suspect_during_a_look_is_looked_at_again(
    user: User, settings: Settings, patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 3600.0}
    looked_at, may_go_on = threading.Event(), threading.Event()
    usual = still_signed_in.certain_owners

    def slow(sign_ins: Any) -> Any:
        found = usual(sign_ins)
        looked_at.set()
        assert may_go_on.wait(CEILING * 2)
        return found

    monkeypatch.setattr(guard, "certain_owners", slow)
    async with InboxTab(client=await signed_in(user)) as tab:
        [hub] = running_hubs()
        try:
            await eventually(looked_at.is_set, "the first look")
            user.is_active = False
            await user.asave()
            await eventually(
                lambda: any(held.is_suspect for held in hub._guard._held.all()), "a suspicion"
            )
        finally:
            may_go_on.set()
        assert await tab.closed() == 4401


async def test_not_where_the_project_lets_inactive_users_in(user: User, settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    async with InboxTab(client=await signed_in(user)) as tab:
        user.is_active = False
        await user.asave()
        await looked(tab)


async def test_all_users_are_one_query(user: User, other: User) -> None:
    def ask(*users: User) -> tuple[dict[str, bool], int]:
        with CaptureQueriesContext(connection) as captured:
            found = still_signed_in.active_users(users)
        return found, len(captured)

    ask_for = sync_to_async(ask)
    active = {str(user.pk): True, str(other.pk): True}
    assert await ask_for(user, other) == (active, 1)
    assert await ask_for(user, other, User(pk=other.pk + 1)) == (active, 2)
    other.is_active = False
    await other.asave()
    assert await ask_for(user, other) == ({str(user.pk): True, str(other.pk): False}, 2)


@pytest.mark.parametrize("before", [True, False], ids=["always", "one day"])
async def test_one_who_cannot_be_asked_keeps_nobody_else_signed_in(
    user: User, other: User, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    usual = User.get_session_auth_hash
    third = await sync_to_async(User.objects.create_user)("carol")
    clients = [await signed_in(one) for one in (user, other, third)]

    def broken(account: User) -> str:
        if account.pk == user.pk and is_broken:
            raise AttributeError("alice's account has no security stamp")
        return usual(account)

    is_broken = False
    if before:
        monkeypatch.setattr(User, "get_session_auth_hash", broken)
    async with (
        InboxTab(client=clients[0]) as tab,
        InboxTab(client=clients[1]) as changed,
        InboxTab(client=clients[2]) as lost,
    ):
        monkeypatch.setattr(User, "get_session_auth_hash", broken)
        is_broken = True
        other.set_password("another")
        await other.asave()
        await sync_to_async(clients[2].session.delete)()
        assert await changed.closed() == 4401
        assert await lost.closed() == 4401
        assert await tab.frame("sync")


async def test_nobody_waits_for_a_backend_that_takes_its_time(
    user: User,
    other: User,
    settings: Settings,
    patience: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = "tests.realtime.backends.Slow"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, slow]
    third = await sync_to_async(User.objects.create_user)("carol")
    theirs = Client()
    await sync_to_async(theirs.force_login)(user, backend=slow)
    lost = await signed_in(third)
    asked, may_go_on = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        assert may_go_on.wait(CEILING * 2)

    async with (
        InboxTab(client=theirs) as tab,
        InboxTab(client=await signed_in(other)) as inactive,
        InboxTab(client=lost) as without_session,
    ):
        monkeypatch.setattr(Slow, "wait", staticmethod(wait))
        try:
            await eventually(asked.is_set, "the backend is asked")
            async with InboxTab(client=lost, live=False):
                pass
            other.is_active = False
            await other.asave()
            await sync_to_async(lost.session.delete)()
            assert await inactive.closed() == 4401
            assert await without_session.closed() == 4401
        finally:
            may_go_on.set()
        assert await tab.frame("sync")


async def test_who_is_gone_is_cut_off_where_asking_for_them_fails(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.realtime.backends.Slow"]
    async with InboxTab(client=await signed_in(user)) as tab:
        monkeypatch.setattr(Slow, "get_user", lambda self, pk: User.objects.get(pk=pk))
        await looked(tab)
        await user.adelete()
        assert await tab.closed() == 4401


async def test_a_lost_session_is_signed_out(user: User, other: User, server_side: str) -> None:
    lost, kept = await signed_in(user), await signed_in(other)
    async with InboxTab(client=lost) as tab, InboxTab(client=kept) as second:
        await looked(tab, second)
        await sync_to_async(lost.session.delete)()
        assert await tab.closed() == 4401
        await looked(second)


async def test_an_expired_session_is_signed_out(
    user: User, engine: str, settings: Settings
) -> None:
    client = await signed_in(user)
    async with InboxTab(client=client) as tab:
        await looked(tab)
        if engine == "signed_cookies":
            settings.SESSION_COOKIE_AGE = 0
        else:
            await sync_to_async(expire)(client)
        assert await tab.closed() == 4401


def expire(client: Client) -> None:
    """As if its time had passed."""
    session = client.session
    session.set_expiry(-1)
    session.save()


async def test_a_changed_password_signs_out_elsewhere(user: User, engine: str) -> None:
    here, there = await signed_in(user), await signed_in(user)
    async with InboxTab(client=here) as mine, InboxTab(client=there) as elsewhere:
        await looked(mine, elsewhere)

        def change_password() -> None:
            """As Django's view does: this browser's session gets a new key and stays signed in."""
            user.set_password("another")
            user.save()
            request = RequestFactory().get("/")
            request.session, request.user = here.session, user
            update_session_auth_hash(request, user)
            request.session.save()
            here.cookies["sessionid"] = request.session.session_key

        await sync_to_async(change_password)()
        assert await elsewhere.closed() == 4401
        # Its own key is another one now: it is told to come back, and does.
        assert await mine.closed() == 4401
    async with InboxTab(client=here) as again:
        assert again.sync is not None
        assert again.sync["user"] == owner_key(user)
        await looked(again)
    refused = InboxTab(client=there)
    await refused.connect(timeout=CEILING)
    assert await refused.closed() == 4401
    await refused.leave()


async def test_a_changed_secret_key_signs_nobody_out_while_the_old_one_is_a_fallback(
    user: User, settings: Settings
) -> None:
    async with InboxTab(client=await signed_in(user)) as tab:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"
        await looked(tab)
        settings.SECRET_KEY_FALLBACKS = []
        assert await tab.closed() == 4401


async def test_a_backend_of_ones_own_decides(user: User, settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.realtime.backends.Bouncer"]
    from tests.realtime.backends import Bouncer

    Bouncer.banned.clear()
    async with InboxTab(client=await signed_in(user)) as tab:
        await looked(tab)
        Bouncer.banned.add(user.pk)
        assert await tab.closed() == 4401


async def test_a_logout_that_nobody_told_us_of_is_found_soon(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of a logout is lost if it comes before the hub has joined the group."""
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 3600.0}
    may_look = threading.Event()

    def later(look: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def wait(them: Any) -> Any:
            assert may_look.wait(CEILING)
            return look(them)

        return wait

    # The first look at the session is the only one within an hour: it must not come before the logout.
    for name in ("active_users", "certain_owners"):
        monkeypatch.setattr(guard, name, later(getattr(still_signed_in, name)))
    client = await signed_in(user)
    tab = InboxTab(client=client)
    assert await tab.connect(timeout=CEILING) == (True, None)
    await sync_to_async(client.session.delete)()
    may_look.set()
    assert await tab.closed() == 4401
    await tab.leave()


class ForgetfulCache(LocMemCache):
    """One that can be taken away: it answers as if it were empty, or not at all."""

    mode = "there"

    def get(self, *args: Any, **kwargs: Any) -> Any:
        if self.mode == "silent":
            return None
        if self.mode == "raising":
            raise ConnectionError("the cache is away")
        return super().get(*args, **kwargs)


@pytest.mark.parametrize("mode", ["silent", "raising"])
async def test_a_cache_that_fails_signs_nobody_out(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.ForgetfulCache"}}
    client = await signed_in(user)
    async with InboxTab(client=client) as tab:
        monkeypatch.setattr(ForgetfulCache, "mode", mode)
        await failed_to_look()
        # Nor is whoever comes just now told that they are signed out.
        newcomer = InboxTab(client=client)
        await newcomer.connect(timeout=CEILING)
        assert await newcomer.closed() == 1011
        await newcomer.wait(CEILING)
        monkeypatch.setattr(ForgetfulCache, "mode", "there")
        await looked(tab)
        await sync_to_async(caches["default"].clear)()
        assert await tab.closed() == 4401


async def test_session_files_that_are_away_sign_nobody_out(
    user: User, settings: Settings, tmp_path: Any
) -> None:
    use_engine("file", settings, tmp_path)
    async with InboxTab(client=await signed_in(user)) as tab:
        aside = tmp_path.rename(tmp_path.with_name("aside"))
        await failed_to_look()
        aside.rename(tmp_path)
        await looked(tab)


async def test_a_database_that_fails_signs_nobody_out(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with InboxTab(client=await signed_in(user)) as tab:

        def failing(*args: Any) -> Any:
            raise OperationalError("the database is away")

        with monkeypatch.context() as broken:
            for name in ("active_users", "certain_owners"):
                broken.setattr(guard, name, failing)
            await failed_to_look()
        await looked(tab)


async def failed_to_look() -> None:
    """Wait until the guard has looked twice, and failed."""
    [hub] = running_hubs()
    assert not any(task.done() for task in hub._guard.tasks)
    seen: list[BaseException] = []
    real = log.error

    def note(event: str, message: str, error: BaseException, **fields: Any) -> None:
        if "who is signed out" in fields.get("task", ""):
            seen.append(error)
        real(event, message, error, **fields)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "error", note)
        await eventually(lambda: len(seen) >= 2, "two failed looks")


def signed_in_sessions(user: User, number: int) -> list[SessionSignIn]:
    """So many sessions of a user, in the database."""
    store = import_module("django.contrib.sessions.backends.db").SessionStore
    client = Client()
    client.force_login(user)
    content = store(client.session.session_key)
    rows = []
    for _ in range(number):
        session = store()
        session.update(dict(content.items()))
        session._session_key = session._get_new_session_key()
        rows.append(session.create_model_instance(session._session))
    store.get_model_class().objects.bulk_create(rows)
    return [SessionSignIn(row.session_key) for row in rows]


def look_at(sessions: list[SessionSignIn]) -> tuple[dict[str, str], int, int]:
    """Who is found, with how many queries, and how many sessions were decoded for that."""
    decoded: list[str] = []
    decode = SessionBase.decode

    def counting(self: SessionBase, session_data: str) -> dict[str, Any]:
        decoded.append(session_data)
        return decode(self, session_data)

    with (
        CaptureQueriesContext(connections["default"]) as captured,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(SessionBase, "decode", counting)
        found = still_signed_in.certain_owners(sessions)
    return found, len(captured), len(decoded)


@pytest.mark.parametrize("number", [1, 700])
async def test_sessions_in_the_database_are_asked_in_bulk(user: User, number: int) -> None:
    sessions = await sync_to_async(signed_in_sessions)(user, number)
    everybody = {one.digest: str(user.pk) for one in sessions}

    assert await sync_to_async(look_at)(sessions) == (everybody, 2, number)
    assert await sync_to_async(look_at)(sessions) == (everybody, 2, 0)


async def test_only_what_has_changed_since_it_was_found_good_is_decoded_again(
    user: User, other: User
) -> None:
    def look() -> None:
        mine, theirs = signed_in_sessions(user, 3), signed_in_sessions(other, 1)
        look_at([*mine, *theirs])
        changed = SessionStore(mine[0].key)
        changed["colour"] = "blue"
        changed.save()
        SessionStore(mine[1].key).delete()

        found, queries, decoded = look_at([*mine, *theirs])
        expected = dict.fromkeys((one.digest for one in mine), str(user.pk))
        expected |= {mine[1].digest: None, theirs[0].digest: str(other.pk)}
        assert found == expected
        assert (queries, decoded) == (3, 1)

        other.set_password("another")
        other.save()
        found, _, decoded = look_at([*mine, *theirs])
        assert found == {**expected, theirs[0].digest: None}
        assert decoded == 1

    await sync_to_async(look)()


async def test_a_user_with_a_hash_of_their_own_is_asked_each_time(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = ["a"]
    monkeypatch.setattr(User, "get_session_auth_hash", lambda self: hashes[-1], raising=False)

    def look() -> None:
        sessions = signed_in_sessions(user, 2)
        for _ in range(2):
            assert look_at(sessions)[::2] == ({one.digest: str(user.pk) for one in sessions}, 2)
        hashes.append("b")
        assert look_at(sessions)[0] == dict.fromkeys((one.digest for one in sessions), None)

    await sync_to_async(look)()
