"""What projects test with: the examples of the documentation, and what they say when nothing arrives."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

import stored_messages
from realtime.testing import InboxTab, OpenTabs, capture_live
from tests.realtime.documents import blocks
from tests.realtime.sending import send
from tests.services.server import ROOT, Project


def tell(*users: User, text: str = "hello") -> None:
    stored_messages.add_message_for(users, stored_messages.STORED_INFO, text)


def test_the_examples_of_the_documentation_pass(tmp_path: Path, project: Project) -> None:
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
    assert "6 passed" in done.stdout, done.stdout + done.stderr


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
        assert live.assert_received(self.ada, "hello")["level"] == stored_messages.STORED_INFO
        live.assert_nothing_received(self.ben)
        stored_messages.broadcast_message(stored_messages.STORED_INFO, "outside")
        assert live.texts(self.ben) == []

    def test_to_many_and_to_everybody(self) -> None:
        others = [User.objects.create_user(f"user-{number}") for number in range(20)]
        with capture_live() as live:
            tell(self.ada, *others)
            stored_messages.broadcast_message(stored_messages.STORED_INFO, "to all")
            stored_messages.mark_all_read(self.ada)
        assert live.texts(self.ada) == ["hello", "to all"]
        assert live.texts(self.ben) == ["to all"]
        assert [frame["type"] for frame in live.frames(self.ada)][-1] == "read_all"

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


def test_open_tabs_say_what_came_instead(user: User) -> None:
    with OpenTabs() as open_tab:
        tab, second = open_tab(user), open_tab(user)
        tell(user, text="something else")
        with pytest.raises(AssertionError, match=r"'hello' did not come .* There came 'something"):
            tab.received("hello", timeout=1)
        second.received("something else")
        second.close()


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
