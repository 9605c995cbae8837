"""A site that looks into its database often, and what becomes of looks that are not answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.database import GIVEN_UP
from tests.faults.deployment import SETTINGS, post
from tests.services.server import ROOT, Project, Server
from tests.services.waiting import eventually

#: The shortest time after which a look is given up is five seconds.
INTERVAL = 1
#: One that compares, and of the others two: who is gone, and who is signed out.
KINDS = 3

SEND = """
import stored_messages
stored_messages.broadcast_message(stored_messages.STORED_INFO, "for everybody")
"""


def site_on(database: dict[str, Any]) -> Project:
    settings = {
        "REALTIME": {"RECONCILE_INTERVAL": INTERVAL},
        "DATABASES": {"default": {"CONN_MAX_AGE": 60, **database}},
    }
    return Project(ROOT, SETTINGS, env={"PROJECT_SETTINGS": json.dumps(settings)})


async def ask(server: Server, **operation: Any) -> Any:
    return await asyncio.to_thread(post, server.port, "/perform/", operation)


async def calls_given_up(server: Server) -> int:
    return int((await ask(server, kind="health"))["metrics"]["calls_given_up"])


async def stay_few(server: Server, waiting: Callable[[], Awaitable[int]]) -> None:
    """See that few looks wait for tables that are locked, also when as many were given up as may be."""

    async def few_wait() -> bool:
        return 1 <= await waiting() <= KINDS

    async def enough() -> bool:
        # All that may be while none is answered, of those who compare and those who look who is signed in.
        return await calls_given_up(server) >= GIVEN_UP * 2

    await eventually(few_wait, "looks wait for the tables")
    await eventually(enough, "looks are given up")
    await eventually(few_wait, "only one of each kind waits")
