"""Every fault in turn and all together, on a site as in production and on the smallest one.

Always the same schedules, unless `FAULTS_SEED` is another one; `make faults` draws one and goes on for minutes.
"""

import os
import random
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.faults.conftest import deployment_key
from tests.faults.deployment import embedded, production
from tests.faults.run import Run
from tests.faults.watching import Watcher

#: What is late on a busy machine is little against it: only so can two intervals be meant to the letter.
INTERVAL = 3.0


@pytest.fixture
def seed() -> str:
    return os.environ.get("FAULTS_SEED") or "1"


async def test_a_site_as_in_production(
    seed: str, tmp_path: Path, page: Page, request: pytest.FixtureRequest
) -> None:
    network = random.Random(f"{seed}/network")
    async with production(
        tmp_path, layer="pubsub", interval=INTERVAL, generator=network
    ) as deployment:
        request.node.stash[deployment_key] = deployment
        watcher = Watcher(page)
        run = Run(deployment, seed, look=watcher.what_is_wrong)
        try:
            await run.begin(before_looking=lambda: watcher.visit(deployment.url, "ada"))
            together = [
                [
                    "a sender is killed after its commit",
                    "Redis is frozen",
                    "a client does not read",
                ],
                ["Redis is killed", "a server is killed", "connections are half-open"],
                list(run.harm.faults),
            ]
            for faults in together:
                await run.round(faults)
            await run.finish()
        finally:
            await run.writers.stop()
            print(run.report)


async def test_the_smallest_site(seed: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    network = random.Random(f"{seed}/network")
    async with embedded(tmp_path, interval=INTERVAL, generator=network) as deployment:
        request.node.stash[deployment_key] = deployment
        run = Run(deployment, seed)
        try:
            await run.begin()
            faults = list(run.harm.faults)
            for together in (faults[:3], faults[3:]):
                await run.round(together)
            await run.finish()
        finally:
            await run.writers.stop()
            print(run.report)
