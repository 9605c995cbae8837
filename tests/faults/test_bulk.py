"""A message to ten thousand users, a thousand of whom are looking: few events, and each arrives everywhere once."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from realtime.groups import everybody
from tests.faults.deployment import LAYERS, SETTINGS, post
from tests.faults.listeners import leave, listen_all
from tests.services.redis import RedisServer
from tests.services.server import ROOT, Project, Serve
from tests.services.waiting import eventually

USERS, CONNECTED = 10_000, 1_000
RECIPIENTS_PER_EVENT = 1_000

TO_ALL = """
import stored_messages
from django.contrib.auth.models import User
from realtime.publisher import flush
stored_messages.add_message_for(User.objects.all(), stored_messages.STORED_INFO, "to each")
assert flush(60)
"""
BROADCAST = """
import stored_messages
from realtime.publisher import flush
stored_messages.broadcast_message(stored_messages.STORED_INFO, "to everybody")
assert flush(60)
"""


@pytest.fixture
def redis(redis_server: RedisServer, redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def project(migrated_database: Path, tmp_path: Path, redis_url: str) -> Project:
    # Nothing is reconciled or probed meanwhile: what arrives came as an event, and each publish is one.
    settings: dict[str, Any] = {
        "REALTIME": {"RECONCILE_INTERVAL": 3600},
        "CHANNEL_LAYERS": {
            "default": {"BACKEND": LAYERS["pubsub"], "CONFIG": {"hosts": [redis_url]}}
        },
    }
    database = shutil.copy(migrated_database, tmp_path / "project.sqlite3")
    env = {"PROJECT_DATABASE": str(database), "PROJECT_SETTINGS": json.dumps(settings)}
    return Project(ROOT, SETTINGS, env=env)


async def test_one_event_for_a_thousand_recipients(
    serve: Serve, project: Project, redis: Redis
) -> None:
    servers = [serve("uvicorn", project=project) for _ in range(2)]
    keys = await asyncio.to_thread(
        post,
        servers[0].port,
        "/perform/",
        {"kind": "sign in many", "users": USERS, "count": CONNECTED},
    )
    halves = await asyncio.gather(
        listen_all(servers[0].port, keys[: CONNECTED // 2]),
        listen_all(servers[1].port, keys[CONNECTED // 2 :]),
    )
    listeners = [listener for half in halves for listener in half]
    await eventually(
        lambda: redis.pubsub_numsub(f"asgi__group__{everybody()}")[0][1] == len(servers),
        "both hear everybody's events",
    )

    def published() -> int:
        return int(redis.info("commandstats").get("cmdstat_publish", {"calls": 0})["calls"])

    for number, (code, at_most) in enumerate(
        [(TO_ALL, USERS // RECIPIENTS_PER_EVENT), (BROADCAST, 1)], start=1
    ):
        before = published()
        await asyncio.to_thread(project.shell, code)
        assert 1 <= published() - before <= at_most
        await eventually(
            lambda n=number: {one.frames.get("stored", 0) for one in listeners} == {n},
            "everybody got it, once",
        )
    await leave(*listeners)
