"""Behind Redis Sentinel: what is sent elsewhere arrives, and again after another Redis took over."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.faults.deployment import LAYERS, SETTINGS, post
from tests.faults.listeners import Listener, leave, listen
from tests.services.processes import HOST
from tests.services.redis import RedisServer
from tests.services.redis_sentinel import MASTER, RedisSentinel
from tests.services.server import ROOT, Project, Serve, Server
from tests.services.waiting import eventually, wait_for


class Watched:
    """A master, its replica, and who makes the one the other when it is dead."""

    def __init__(self, directory: Path) -> None:
        for name in ("master", "replica", "sentinel"):
            (directory / name).mkdir()
        self.master = RedisServer(directory / "master")
        at = (HOST, str(self.master.port))
        # The copy is sent at once, and not in the hope of more replicas.
        now = ("--repl-diskless-sync-delay", "0")
        self.replica = RedisServer(directory / "replica", "--replicaof", *at, *now)
        self.sentinel = RedisSentinel(directory / "sentinel", self.master)

    def has_copy(self) -> bool:
        with Redis.from_url(self.replica.url, decode_responses=True) as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def knows_replica(self) -> bool:
        with Redis(host=HOST, port=self.sentinel.port, decode_responses=True) as client:
            replicas = client.execute_command("SENTINEL REPLICAS", MASTER)
        # Names and values in turn, or already pairs, by the version of the client.
        known = [
            one if isinstance(one, dict) else dict(zip(one[::2], one[1::2], strict=True))
            for one in replicas
        ]
        return any(one.get("master-link-status") == "ok" for one in known)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    with ExitStack() as stack:
        for server in (watched.master, watched.replica, watched.sentinel):
            stack.callback(server.kill)
            server.start()
            if server is watched.replica:
                # The sentinel looks at once, and then only every ten seconds.
                wait_for(watched.has_copy, "the replica has its copy")
        wait_for(watched.knows_replica, "the sentinel knows the replica")
        yield watched


@pytest.mark.parametrize("layer", LAYERS)
async def test_another_redis_takes_over(
    serve: Serve, migrated_database: Path, tmp_path: Path, watched: Watched, layer: str
) -> None:
    hosts = [{"sentinels": [(HOST, watched.sentinel.port)], "master_name": MASTER}]
    settings: dict[str, Any] = {
        "REALTIME": {"RECONCILE_INTERVAL": 1, "PUBLISH_TIMEOUT": 1},
        "CHANNEL_LAYERS": {"default": {"BACKEND": LAYERS[layer], "CONFIG": {"hosts": hosts}}},
    }
    database = shutil.copy(migrated_database, tmp_path / "project.sqlite3")
    env = {"PROJECT_DATABASE": str(database), "PROJECT_SETTINGS": json.dumps(settings)}
    project = Project(ROOT, SETTINGS, env=env)
    here, elsewhere = (serve("uvicorn", project=project) for _ in range(2))
    [key] = await _perform(here, kind="sign in many", users=1)
    listener = await listen(here.port, key)
    await _hears(listener, elsewhere)
    await _answers(project, here)
    await asyncio.to_thread(watched.master.kill)
    await _hears(listener, elsewhere)
    await _answers(project, here)
    await leave(listener)


async def _perform(server: Server, **operation: Any) -> Any:
    return await asyncio.to_thread(post, server.port, "/perform/", operation)


async def _answers(project: Project, server: Server) -> None:
    """It says how it does when all processes are asked; it may still be joining everybody's group."""

    async def asked() -> list[Any]:
        command = ("realtime_status", "--json", "--wait", "2")
        processes: list[Any] = json.loads(await asyncio.to_thread(project.manage, *command))[
            "processes"
        ]
        return processes

    [process] = await eventually(asked, "an answer")
    assert process["process"].endswith(f":{server.pid}")
    assert process["metrics"]["sockets"] == 1


async def _hears(listener: Listener, sender: Server) -> None:
    """Send until a message arrives by itself: the process may still be joining groups."""
    before = listener.frames.get("stored", 0)

    async def heard() -> bool:
        await _perform(sender, kind="send", to=["user-0"], number="1")
        return listener.frames.get("stored", 0) > before

    await eventually(heard, "an event by the live path")
