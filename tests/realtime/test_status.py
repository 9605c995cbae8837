"""`manage.py realtime_status` and servers that are stopped, with real servers and a real Redis."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.core.management import CommandError, call_command
from pytest_django import Settings
from websockets.asyncio.client import ClientConnection, connect

from realtime import status
from realtime.groups import everybody
from tests.services.redis import RedisServer
from tests.services.server import Kind, Project, Serve, Server
from tests.services.waiting import CEILING, eventually

SIGN_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
user, _ = get_user_model().objects.get_or_create(username="ada")
client = Client()
client.force_login(user)
print(client.session.session_key)
"""
BROADCAST = """
import stored_messages
from realtime.publisher import flush
stored_messages.broadcast_message(stored_messages.STORED_INFO, "hello")
assert flush(60)
"""


@asynccontextmanager
async def tab(server: Server, session_key: str) -> AsyncIterator[ClientConnection]:
    headers = {"Cookie": f"sessionid={session_key}"}
    async with connect(
        server.socket_url, additional_headers=headers, origin=server.url, open_timeout=CEILING
    ) as socket:
        assert "sync" in await socket.recv()
        yield socket


async def sign_in(project: Project) -> str:
    printed = await asyncio.to_thread(project.shell, SIGN_IN)
    return printed.split()[-1]


async def test_all_processes_are_on_one_page(
    serve: Serve, project: Project, redis_url: str, redis_server: RedisServer
) -> None:
    project = project.with_env(CHANNEL_REDIS=redis_url)
    first = await asyncio.to_thread(lambda: serve("daphne", project=project))
    second = await asyncio.to_thread(lambda: serve("uvicorn", project=project))
    key = await sign_in(project)

    async def status(*arguments: str) -> str:
        return await asyncio.to_thread(project.manage, "realtime_status", *arguments)

    async def processes() -> list[dict[str, Any]]:
        found = json.loads(await status("--json", "--wait", "2"))
        assert not found["local"]
        answers: list[dict[str, Any]] = found["processes"]
        return answers

    assert "No process answered within 1 s: nobody is connected" in await status()
    async with tab(first, key), tab(first, key), tab(second, key) as here:
        # The groups are joined in the background.
        both = await eventually(
            lambda: when(processes, lambda found: len(found) == 2), "two answers"
        )
        assert sorted(one["metrics"]["sockets"] for one in both) == [1, 2]
        assert {one["process"].rpartition(":")[2] for one in both} == {
            str(server.pid) for server in (first, second)
        }
        assert all(one["problems"] == [] for one in both)
        await asyncio.to_thread(project.shell, BROADCAST)
        while "stored" not in await here.recv():
            pass
        table = await eventually(
            lambda: when(lambda: status("--wait", "2"), lambda found: "2 processes" in found),
            "a table of two",
        )
        assert "channels_redis.pubsub.RedisPubSubChannelLayer" in table
        lines = [line.split() for line in table.splitlines() if line.startswith(("all", "process"))]
        assert lines[0][:4] == ["process", "users", "sockets", "deliveries"]
        assert lines[1][:4] == ["all", "2", "3", "3"]
        assert "2 processes answered. All is well with them." in table
        assert "2 processes answered." in await status("--wait", "5", "--expect", "2")
        first.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(RuntimeError, match="1 process answered within 5 s, 2 are expected"):
                await status("--wait", "5", "--expect", "2")
        finally:
            first.send_signal(signal.SIGCONT)
    await asyncio.to_thread(redis_server.stop)
    try:
        with pytest.raises(RuntimeError, match="CommandError: The channel layer 'default'"):
            await status()
    finally:
        redis_server.start()


async def when(ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    found = await ask()
    return found if holds(found) else None


def test_a_layer_that_ends_at_its_process_is_said_to(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    call_command("realtime_status")
    printed = capsys.readouterr().out
    assert "channels.layers.InMemoryChannelLayer" in printed
    assert "no other process can be asked from here" in printed
    with pytest.raises(CommandError, match="1 process is expected, and none can be asked"):
        call_command("realtime_status", "--expect", "1")
    capsys.readouterr()
    settings.CHANNEL_LAYERS = {}
    call_command("realtime_status", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "layer": "none",
        "alias": "default",
        "local": True,
        "processes": [],
        "silent_hosts": [],
    }


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("redis://one:6379/0", "one:6379/0"),
        ("rediss://user:secret@one:6379/0", "one:6379/0"),
        ("redis://one:6379/0?password=secret&db=1", "one:6379/0"),
        ("unix://user:secret@/run/one.sock?db=1", "/run/one.sock"),
        (("one", 6379), "one:6379"),
        ({"address": "redis://:secret@one:6379"}, "one:6379"),
        ({"host": "one", "port": 6380, "password": "secret"}, "one:6380"),
        ({"host": "one"}, "one:6379"),
        ({"path": "/run/one.sock", "password": "secret"}, "/run/one.sock"),
        ({"unix_socket_path": "/run/one.sock"}, "/run/one.sock"),
        ({"sentinels": [("one", 26379)], "master_name": "mine"}, "mine"),
    ],
)
def test_hosts_are_named_without_their_passwords(host: Any, name: str) -> None:
    assert status._host_name(host) == name


async def test_two_containers_may_have_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that share the host's network have its name, and pid 1 each."""
    now = 0.0  # it is over when all answers are there, however long that takes
    monkeypatch.setattr(status, "time", SimpleNamespace(monotonic=lambda: now))
    layer = InMemoryChannelLayer()
    servers = await layer.new_channel()
    await layer.group_add(everybody(), servers)
    asking = asyncio.ensure_future(status.ask(layer, CEILING))
    asked = await layer.receive(servers)
    answer = {**status.report(), "process": "host:1"}
    for identity in ("one", "another", "one"):
        await layer.group_send(asked["reply_to"], {**answer, "id": identity})
    [channel] = layer.groups[asked["reply_to"]]
    await eventually(
        lambda: channel not in layer.channels or layer.channels[channel].empty(),
        "all answers are taken",
    )
    now = CEILING
    await layer.group_send(asked["reply_to"], {"type": "whatever ends the wait"})
    assert [one["process"] for one in await asking] == ["host:1", "host:1"]
    assert status.report()["id"] == answer["id"]


def test_a_layer_that_fails(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.RaisingLayer"}}
    with pytest.raises(CommandError, match="does not work: NotImplementedError"):
        call_command("realtime_status")
    for wait in ("0", "-1", "nan", "inf"):
        with pytest.raises(CommandError, match="more than 0 seconds"):
            call_command("realtime_status", f"--wait={wait}")
    with pytest.raises(CommandError, match="a number of processes"):
        call_command("realtime_status", "--expect", "-1")


@pytest.mark.parametrize(("kind", "code"), [("uvicorn", 1012), ("daphne", 4012)])
async def test_a_server_that_stops_says_so(
    serve: Serve, project: Project, kind: Kind, code: int
) -> None:
    server = await asyncio.to_thread(lambda: serve(kind, project=project))
    key = await sign_in(project)
    async with tab(server, key) as one, tab(server, key) as two:
        server.send_signal(signal.SIGTERM)
        for socket in (one, two):
            await socket.wait_closed()
            assert socket.close_code == code
    await asyncio.to_thread(server.stop)
    assert "Traceback" not in server.log
