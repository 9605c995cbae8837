"""The same over a real Redis: the way between processes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

import stored_messages
from realtime.testing import InboxTab, OpenTabs
from tests.realtime.sending import broadcast, mark_all_read, send
from tests.services.redis import RedisServer
from tests.services.waiting import eventually

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"


@pytest.fixture(scope="module")
def second_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("second-redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["one", "sharded"])
def hosts(request: pytest.FixtureRequest, redis_url: str) -> list[Any]:
    """One Redis, or two that share the channels. Behind Sentinel: tests/faults/test_sentinel.py."""
    if request.param == "sharded":
        return [redis_url, request.getfixturevalue("second_redis").url]
    return [redis_url]


@pytest.fixture(params=[PUBSUB, CORE], ids=["pubsub", "core"])
def layers(request: pytest.FixtureRequest, settings: Settings, hosts: list[Any]) -> dict[str, Any]:
    made = {"default": {"BACKEND": request.param, "CONFIG": {"hosts": hosts}}}
    settings.CHANNEL_LAYERS = made
    # Rounds are rare here: what arrives in time comes by Redis, for which even a busy machine has the patience.
    settings.REALTIME = {"RECONCILE_INTERVAL": 30.0}
    return made


@pytest.fixture
def rounds(settings: Settings) -> None:
    """Less patience, where something has to be found out."""
    settings.REALTIME = {"RECONCILE_INTERVAL": 3.0}


async def joined(*tabs: InboxTab) -> None:
    """Wait until everybody's group is joined: only then is a broadcast heard by all tabs at once."""
    message = await broadcast("first")
    for tab in tabs:
        while True:
            frame = await tab.frame()
            if frame["type"] == "stored" and frame["message"]["id"] == message.id:
                break
            if frame["type"] == "sync":
                message = await broadcast("again")


async def test_everything_arrives(user: User, other: User, layers: dict[str, Any]) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    async with InboxTab(client=client) as tab, InboxTab(user=other) as second:
        await joined(tab)
        message = await send(user, other, text="hello")
        while (await tab.frame("stored"))["message"]["id"] != message.id:
            pass
        while (await second.frame("stored"))["message"]["id"] != message.id:
            pass
        await mark_all_read(user)
        await tab.frame("read_all")
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401


PROGRAM = """
import django
from django.conf import settings
settings.CHANNEL_LAYERS = {layers!r}
settings.REALTIME = {{"PUBLISH_TIMEOUT": 60}}
django.setup()
import stored_messages
from realtime import publisher
publisher.FLUSH = 60  # a busy machine may take longer than the usual two seconds
stored_messages.add_message_for([{pk}], 21, "from afar")
"""


async def test_from_another_process_that_ends_at_once(user: User, layers: dict[str, Any]) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.project.settings",
        "PROJECT_DATABASE": str(connection.settings_dict["NAME"]),
    }
    async with InboxTab(user=user) as tab:
        await joined(tab)
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", PROGRAM.format(layers=layers, pk=user.pk)],
            check=True,
            env=environment,
        )
        while (await tab.frame("stored"))["message"]["text"] != "from afar":
            pass


async def test_back_after_redis_forgot_everything(
    user: User, layers: dict[str, Any], rounds: None, redis_server: RedisServer
) -> None:
    async with InboxTab(user=user) as tab:
        await joined(tab)
        await asyncio.to_thread(redis_server.flush)
        if "pubsub" in layers["default"]["BACKEND"]:
            # It keeps nothing in Redis: it is this that makes it forget.
            await get_channel_layer().flush()
        await joined(tab)


async def test_back_after_redis_was_restarted(
    user: User, layers: dict[str, Any], rounds: None, redis_server: RedisServer
) -> None:
    async with InboxTab(user=user) as tab:
        await joined(tab)
        await asyncio.to_thread(redis_server.stop)
        missed = await send(user, text="meanwhile")
        while (frame := await tab.frame())["type"] != "sync" or not frame["digest"]:
            pass
        assert missed.stamp
        # From this thread: the server ends with the thread that started it.
        redis_server.start()
        await joined(tab)


async def test_messages_of_one_user_only_come_to_who_listens(
    user: User, other: User, layers: dict[str, Any]
) -> None:
    async with InboxTab(user=user) as tab:
        await joined(tab)
        await send(other, text="not for this process")
        message = await send(user, text="for this one")
        frame = await tab.frame("stored")
        while frame["message"]["broadcast"]:
            frame = await tab.frame("stored")
        assert frame["message"]["id"] == message.id


def test_in_two_event_loops_of_a_process(user: User, layers: dict[str, Any]) -> None:
    with OpenTabs() as open_here, OpenTabs() as open_there:
        tabs = open_here(user), open_there(user)
        stored_messages.add_message_for([user], stored_messages.STORED_INFO, "in both")
        for tab in tabs:
            tab.received("in both")


async def test_all_processes_are_asked_how_they_do(user: User, layers: dict[str, Any]) -> None:
    async def status(*arguments: str) -> str:
        printed = StringIO()
        await asyncio.to_thread(call_command, "realtime_status", *arguments, stdout=printed)
        return printed.getvalue()

    async def processes() -> list[Any]:
        found: list[Any] = json.loads(await status("--json", "--wait", "0.5"))["processes"]
        return found

    async def all_is_well() -> str:
        table = await status("--wait", "0.5")
        return table if "All is well with them." in table else ""

    assert "No process answered" in await status("--wait", "0.2")
    async with InboxTab(user=user) as tab, InboxTab(user=user):
        await joined(tab)
        [process] = await eventually(processes, "an answer")
        assert process["process"].endswith(f":{os.getpid()}")
        assert (process["metrics"]["users"], process["metrics"]["sockets"]) == (1, 2)
        table = await eventually(all_is_well, "a table")
        assert layers["default"]["BACKEND"] in table
