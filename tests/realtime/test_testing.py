"""What projects test with: the examples of the documentation, and what they say when nothing arrives."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import transaction
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

import stored_messages
from realtime.testing import InboxTab, OpenTabs, capture_live
from tests.realtime.documents import blocks
from tests.realtime.sending import send
from tests.services.processes import free_port
from tests.services.server import ROOT, Project

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"


def tell(*users: User, text: str = "hello") -> None:
    stored_messages.add_message_for(users, stored_messages.STORED_INFO, text)


@pytest.mark.parametrize("layer", ["none", "redis"])
def test_the_examples_of_the_documentation_pass(
    request: pytest.FixtureRequest, tmp_path: Path, project: Project, layer: str
) -> None:
    if layer == "redis":
        project = project.with_env(CHANNEL_REDIS=request.getfixturevalue("redis_url"))
    for name, code in blocks("testing.md").items():
        (tmp_path / name).write_text(code)
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=tmp_path,
        env={**project.environment, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_what_is_for_tests_needs_no_pytest_and_production_needs_neither() -> None:
    program = """
import sys
sys.modules["pytest"] = None
import django
django.setup()
import realtime.asgi
assert not [name for name in sys.modules if name.startswith(("realtime.testing", "django.test"))]
import realtime.testing
"""
    subprocess.run(
        [sys.executable, "-c", program],
        env=Project(ROOT, "tests.project.settings").environment,
        check=True,
    )


class InATestCase(TestCase):
    """Where no transaction is ever committed."""

    def setUp(self) -> None:
        self.ada = User.objects.create_user("ada")
        self.ben = User.objects.create_user("ben")

    def test_what_was_sent_is_told_after_the_block(self) -> None:
        with capture_live() as live:
            tell(self.ada)
            with pytest.raises(AssertionError, match="Ask after it"):
                live.assert_received(self.ada, "hello")
            with pytest.raises(AssertionError, match="not known yet"):
                live.assert_nothing_received(self.ada)
        assert live.assert_received(self.ada, "hello")["level"] == stored_messages.STORED_INFO
        live.assert_nothing_received(self.ben)
        stored_messages.broadcast_message(stored_messages.STORED_INFO, "outside")
        assert live.texts(self.ben) == []

    def test_nobody_is_told_where_nothing_waits(self) -> None:
        tell(self.ada)
        with capture_live() as live:
            live.assert_nothing_received(self.ada)

    async def test_in_a_coroutine(self) -> None:
        async with capture_live() as live:
            await send(self.ada)
            with pytest.raises(AssertionError, match="Ask after it"):
                live.assert_nothing_received(self.ada)
        live.assert_received(self.ada, "hello")
        live.assert_nothing_received(self.ben)
        with pytest.raises(SynchronousOnlyOperation, match="async with"), capture_live():
            pass

    async def test_a_block_that_fails_in_a_coroutine(self) -> None:
        with pytest.raises(KeyError):
            async with capture_live() as live:
                raise KeyError
        await send(self.ada)
        live.assert_nothing_received(self.ada)

    def test_to_many_and_to_everybody(self) -> None:
        others = [User.objects.create_user(f"user-{number}") for number in range(20)]
        with capture_live() as live:
            tell(self.ada, *others)
            stored_messages.broadcast_message(stored_messages.STORED_INFO, "to all")
            stored_messages.mark_all_read(self.ada)
        assert live.texts(self.ada) == ["hello", "to all"]
        assert live.texts(self.ben) == ["to all"]
        assert [frame["type"] for frame in live.frames(self.ada)][-1] == "read_all"

    def test_what_an_inner_block_has_told_is_told_once(self) -> None:
        with capture_live() as outer:
            with capture_live() as inner:
                tell(self.ada, text="one")
            outer.assert_nothing_received(self.ben)
            with self.captureOnCommitCallbacks(execute=True):
                tell(self.ada, text="two")
            outer.assert_nothing_received(self.ben)
            tell(self.ada, text="three")
            with pytest.raises(AssertionError, match="not known yet"):
                outer.assert_nothing_received(self.ben)
        assert inner.texts(self.ada) == ["one"]
        assert outer.texts(self.ada) == ["one", "two", "three"]

    def test_what_is_rolled_back_is_told_to_nobody(self) -> None:
        with capture_live() as live:
            with transaction.atomic():
                tell(self.ada)
                transaction.set_rollback(True)
            tell(self.ben)
        live.assert_nothing_received(self.ada)
        live.assert_received(self.ben, "hello")

    def test_failures_say_what_happened(self) -> None:
        with capture_live() as nothing:
            pass
        with pytest.raises(AssertionError, match=r"ada was not told 'hello' live.*no message"):
            nothing.assert_received(self.ada, "hello")
        tell(self.ada)
        with capture_live() as too_late:
            pass
        with pytest.raises(AssertionError, match="send within the block"):
            too_late.assert_received(self.ada, "hello")
        with capture_live() as live:
            tell(self.ada, text="another")
        with pytest.raises(AssertionError, match="They were told 'another'"):
            live.assert_received(self.ada, "hello")
        with pytest.raises(AssertionError, match="ada was told 'another' live"):
            live.assert_nothing_received(self.ada)
        with pytest.raises(AssertionError, match="this user nothing"):
            live.assert_received(self.ben, "hello")

    def test_asking_costs_no_query(self) -> None:
        from django.db import connection

        with capture_live() as live:
            tell(self.ada)
        with CaptureQueriesContext(connection) as captured:
            live.assert_received(self.ada, "hello")
        assert len(captured) == 0

    def test_no_tab_opens(self) -> None:
        with OpenTabs() as open_tab, pytest.raises(RuntimeError, match="never commits"):
            open_tab(self.ada)


def test_what_is_committed_is_told_as_well(user: User) -> None:
    with capture_live() as live:
        tell(user)
        assert live.texts(user) == ["hello"]
    assert live.texts(user) == ["hello"]


async def test_what_a_coroutine_commits_is_told_as_well(user: User) -> None:
    async with capture_live() as live:
        live.assert_nothing_received(user)
        await send(user)
        assert live.texts(user) == ["hello"]
    assert live.texts(user) == ["hello"]


def test_open_tabs_say_what_came_instead(user: User) -> None:
    with OpenTabs() as open_tab:
        tab, second = open_tab(user), open_tab(user)
        tell(user, text="something else")
        second.received("something else")  # and so has the first one
        with pytest.raises(AssertionError, match=r"'hello' did not come .* There came 'something"):
            tab.received("hello", timeout=1)
        second.close()


# The core layer is good for one event loop.
@pytest.mark.parametrize(("layer", "loops"), [(PUBSUB, 5), (CORE, 1)], ids=["pubsub", "core"])
def test_open_tabs_hear_what_is_sent_at_once(
    user: User, settings: Settings, redis_url: str, layer: str, loops: int
) -> None:
    """Comparing is far away here: what arrives comes over Redis, where the hub joins groups while tabs open."""
    settings.REALTIME = {"RECONCILE_INTERVAL": 60.0}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": layer, "CONFIG": {"hosts": [redis_url]}}}
    client = Client()
    client.force_login(user)
    for number in range(loops):
        with OpenTabs() as open_tab:
            tab = open_tab(user)
            tell(user, text=f"to one {number}")
            second = open_tab(client=client)
            stored_messages.broadcast_message(stored_messages.STORED_INFO, f"to all {number}")
            tab.received(f"to one {number}")
            for one in (tab, second):
                one.received(f"to all {number}")


async def test_a_tab_does_not_open_where_nothing_is_heard(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens on that port; the tab without a layer hears by comparing, and says so."""
    monkeypatch.setattr("realtime.testing.tab.TIMEOUT", 5.0)
    config = {"hosts": [f"redis://127.0.0.1:{free_port()}"]}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": config}}
    tab = InboxTab(user=user)
    with pytest.raises(asyncio.TimeoutError, match="does not arrive over the channel layer"):
        await tab.__aenter__()
    await tab.leave()
    async with InboxTab(user=user, live=False) as without:
        message = await send(user)
        while (await without.frame("sync"))["digest"] != message.stamp:
            pass
        with pytest.raises(AssertionError, match="has changed, but nothing was told"):
            await without.received("hello", timeout=5)


async def test_a_tab_says_why_nothing_comes(user: User) -> None:
    async with InboxTab(user=user) as tab:
        await send(user, text="committed")
        await tab.received("committed")
        atomic = transaction.atomic()
        await sync_to_async(atomic.__enter__)()
        await sync_to_async(tell)(user)
        with pytest.raises(asyncio.TimeoutError, match="waits for the commit of 'default'"):
            await tab.frame("stored", timeout=1)
        await sync_to_async(transaction.set_rollback)(True)
        await sync_to_async(atomic.__exit__)(None, None, None)
