"""Several writers at once, each with a random sequence of its own."""

import asyncio
import random
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from tests.faults.deployment import Deployment
from tests.faults.programs import Ended, Refused
from tests.faults.promptness import Write

#: What is done how often.
_WEIGHTS = {
    "send": 30,
    "broadcast": 6,
    "read": 14,
    "unread": 8,
    "dismiss": 6,
    "again": 6,
    "roll back": 4,
    "mark all": 2,
}
_ACTIONS = {"markRead": 8, "markAllRead": 1, "loadMore": 2, "refresh": 1}
#: Seconds between two writes of one writer, on average.
_PAUSE = 0.1
#: How many seconds anybody may take who is asked for something; servers have as long.
PATIENCE = 60


class Writers:
    """Writes through workers, through servers and through clients while :attr:`active`.

    ``done`` counts the operations by kind; ``failures`` has what nobody could do, by who was asked: a "worker", a
    "server" or a "tab". ``writes`` are all that were done but by tabs, ``longest`` is how many seconds anything took
    at most.
    """

    def __init__(
        self, deployment: Deployment, names: list[str], tabs: list[str], seed: str
    ) -> None:
        self.done: dict[str, int] = {}
        self.failures: list[tuple[str, str]] = []
        self.writes: list[Write] = []
        self.longest = 0.0
        self._deployment = deployment
        self._names = names
        self._tabs = tabs
        self._seed = seed
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._idle: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def messages(self) -> int:
        return sum(self.done.get(kind, 0) for kind in ("send", "broadcast", "send many"))

    def start(self) -> None:
        for index in range(len(self._deployment.workers)):
            self._begin(f"worker-{index}", lambda asked, i=index: self._by_worker(i, asked))
        for index in range(len(self._deployment.servers)):
            self._begin(f"server-{index}", lambda asked, i=index: self._by_server(i, asked))
        self._begin("tabs", self._by_tab, actions=True)

    def _begin(self, name: str, do: Any, *, actions: bool = False) -> None:
        generator = random.Random(f"{self._seed}/{name}")
        self._idle[name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._write(name, generator, do, actions=actions)))

    async def pause(self) -> None:
        """Return when everything under way is done."""
        self._allowed.clear()
        for idle in self._idle.values():
            await idle.wait()

    def go_on(self) -> None:
        self._allowed.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, name: str, generator: random.Random, do: Any, *, actions: bool) -> None:
        weights = _ACTIONS if actions else _WEIGHTS
        number = 0
        while True:
            if not self._allowed.is_set():
                self._idle[name].set()
                await self._allowed.wait()
                self._idle[name].clear()
            number += 1
            [kind] = generator.choices(list(weights), list(weights.values()))
            asked = {
                "kind": kind,
                "to": generator.sample(self._names, generator.randint(1, 3)),
                "user": generator.choice(self._names),
                "number": f"{name}.{number}",
                "draw": generator.random(),
                "tab": generator.choice(self._tabs),
            }
            began = time.monotonic()
            try:
                await do(asked)
            except (Refused, Ended, OSError, HTTPException) as error:
                self.failures.append((name.partition("-")[0], f"{kind}: {error!r}"))
            else:
                self.done[kind] = self.done.get(kind, 0) + 1
                if not actions:
                    self.writes.append(Write(name, kind, began, time.monotonic() - began))
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(generator.expovariate(1 / _PAUSE))

    async def _by_worker(self, index: int, asked: dict[str, Any]) -> None:
        try:
            await asyncio.wait_for(self._deployment.workers[index].ask(**asked), PATIENCE)
        except asyncio.TimeoutError:
            raise Refused(f"no answer within {PATIENCE} seconds") from None

    async def _by_server(self, index: int, asked: dict[str, Any]) -> None:
        await self._deployment.post(self._deployment.servers[index], "/perform/", asked)

    async def _by_tab(self, asked: dict[str, Any]) -> None:
        with suppress(Refused):
            await self._deployment.clients.ask(
                command="act", name=asked["tab"], action=asked["kind"], draw=asked["draw"]
            )
