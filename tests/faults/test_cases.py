"""Histories with a name, each once with every event dropped and once with all of them passed on.

What is read and what arrives can cancel out in a count; what commits late can be older than what is known. The real
client must show the truth all the same.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.faults.deployment import Deployment
from tests.faults.run import shows
from tests.services.postgresql import PostgreSQL
from tests.services.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

INTERVAL = 0.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(
    postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    """One server whose layer ends there: what workers store is found out by reconciling."""
    deployment = Deployment(
        tmp_path_factory.mktemp("cases"),
        interval=INTERVAL,
        kinds=("uvicorn",),
        layer=None,
        postgres=postgres,
        redis=None,
        generator=random.Random(1),
    )
    async with deployment.running():
        yield deployment


_numbers = count()


class Case:
    """A user with a tab, and what is done to the inbox: in the server's process, so that events are told."""

    def __init__(self, deployment: Deployment, directory: Path, name: str | None = None) -> None:
        self.name = name or f"user{next(_numbers)}"
        self._deployment = deployment
        self._directory = directory

    async def join(self) -> "Case":
        await self.do("create users", names=[self.name])
        return self

    async def open(self, page_size: int = 100) -> None:
        session = await self._deployment.sign_in(self.name)
        await self._deployment.clients.ask(
            command="open",
            name=self.name,
            user=self.name,
            origin=self._deployment.url,
            session=session,
            pageSize=page_size,
        )
        await self.shows_the_truth()

    async def do(self, kind: str, **rest: Any) -> Any:
        operation = {"kind": kind, "to": [self.name], "user": self.name, "draw": 0.0, **rest}
        return await self._deployment.post(self._deployment.servers[0], "/perform/", operation)

    async def send(self, *numbers: str, **rest: Any) -> None:
        for number in numbers:
            await self.do("send", number=number, **rest)

    async def begin(self, kind: str, number: str) -> Callable[[], Awaitable[None]]:
        """Do it in a transaction; what is returned commits it."""
        begun, commit = (self._directory / f"{word}-{number}" for word in ("begun", "commit"))
        operation = {"kind": kind, "to": [self.name], "number": number}
        asking = asyncio.create_task(
            self.do("commit late", operation=operation, begun=str(begun), commit=str(commit))
        )
        await eventually(begun.exists, "the transaction has written")

        async def finish() -> None:
            commit.touch()
            await asking

        return finish

    async def act(self, action: str, draw: float = 0.0) -> Any:
        return await self._deployment.clients.ask(
            command="act", name=self.name, action=action, draw=draw
        )

    async def truth(self) -> list[tuple[str, str]]:
        found = await self.do("truth", names=[self.name])
        return [(one, text) for one, text in found[self.name]]

    async def texts(self) -> list[str]:
        return [text.split(": ")[1] for _, text in await self.truth()]

    async def shows_the_truth(self) -> None:
        async def does() -> bool:
            states = await self._deployment.clients.ask(command="states")
            state = states[self.name]
            assert not state["violations"]
            return state["liveAt"] is not None and shows(state, await self.truth())

        await eventually(does, f"{self.name} is shown the truth")


@pytest.fixture(params=["events-dropped", "events-passed-on"])
def dropping(request: pytest.FixtureRequest, deployment: Deployment) -> None:
    drops_all = request.param == "events-dropped"
    deployment.balancer.drops = lambda payload: (
        drops_all and not payload.startswith(b'{"type":"sync"')
    )


@pytest_asyncio.fixture(loop_scope="module")
async def case(deployment: Deployment, dropping: None, tmp_path: Path) -> Case:
    return await Case(deployment, tmp_path).join()


async def test_commits_in_the_other_order_while_an_older_message_is_read(case: Case) -> None:
    await case.send("old")
    await case.open()
    commit = await case.begin("send", "first")
    await case.send("second")
    await case.shows_the_truth()
    await case.do("read", draw=0.99)
    await commit()
    assert await case.texts() == ["second", "first"]
    await case.shows_the_truth()


async def test_one_is_read_and_another_unread(case: Case) -> None:
    await case.send("one", "another")
    await case.do("read", draw=0.99)
    await case.open()
    assert await case.texts() == ["another"]
    await asyncio.gather(case.do("read"), case.do("unread", draw=0.99))
    assert await case.texts() == ["one"]
    await case.shows_the_truth()


async def test_dismissed_and_stored_again(case: Case) -> None:
    await case.send("one", "two")
    await case.open()
    await case.do("again", draw=0.99)
    assert await case.texts() == ["one", "two"]
    await case.shows_the_truth()


async def test_one_expires_and_another_arrives(case: Case) -> None:
    await case.send("fading")
    await case.open()
    assert await case.texts() == ["fading"]
    await case.do("expire")
    assert await case.texts() == []
    await case.send("fresh")
    assert await case.texts() == ["fresh"]
    await case.shows_the_truth()


async def test_one_that_is_on_no_loaded_page_is_read(case: Case) -> None:
    await case.send(*map(str, range(8)))
    await case.open(page_size=3)
    await case.do("read", draw=0.99)
    assert "0" not in await case.texts()
    await case.shows_the_truth()
    while await case.act("loadMore"):
        await case.shows_the_truth()


async def test_a_list_is_fetched_before_and_arrives_after_an_event(
    case: Case, deployment: Deployment
) -> None:
    await case.send("before")
    await case.open()
    balancer = deployment.balancer
    balancer.held = 0
    balancer.answers.clear()
    try:
        refreshing = asyncio.create_task(case.act("refresh"))
        await eventually(lambda: balancer.held, "the list is on its way")
        await case.send("meanwhile")
        await case.do("read", draw=0.99)
    finally:
        balancer.answers.set()
    await refreshing
    assert await case.texts() == ["meanwhile"]
    await case.shows_the_truth()


async def test_a_broadcast_from_before_somebody_joined(
    case: Case, deployment: Deployment, tmp_path: Path
) -> None:
    await case.open()
    commit = await case.begin("broadcast", "older")
    newcomer = await Case(deployment, tmp_path).join()
    await newcomer.open()
    await commit()
    assert await newcomer.texts() == []
    assert await case.texts() == ["older"]
    await case.shows_the_truth()
    await newcomer.send("newer")
    await newcomer.shows_the_truth()


async def test_everything_is_marked_read_before_a_broadcast_is_committed(case: Case) -> None:
    await case.send("one", "two")
    await case.open()
    commit = await case.begin("broadcast", "late")
    await case.send("three")
    await case.shows_the_truth()
    assert await case.act("markAllRead")
    await commit()
    assert await case.texts() == ["late"]
    await case.shows_the_truth()
