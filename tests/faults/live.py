"""The live path itself: what arrives as an event, and not because a comparison found that it had not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from typing import Any, NamedTuple

from tests.faults.deployment import Deployment
from tests.faults.programs import Ended, Program, Refused
from tests.faults.writing import PATIENCE as ANSWER

#: How often each sender may try until every tab has heard it, an interval each time. The first message may be lost, and
#: found missing within that interval, as a group that was forgotten is; the second one may meet the mending of it.
ATTEMPTS = 7
#: How many intervals what is sent in peace may take on a busy machine.
PATIENCE = 4
#: Which part of it has to arrive. A hub may be just about to open another channel.
IN_PEACE = 0.8


class Way(NamedTuple):
    """From a sender to a tab: by the user's group ("send"), or by everybody's ("broadcast")."""

    sender: str
    kind: str
    tab: str


class LivePath:
    """Sends from everywhere while nothing else happens, and listens in every tab.

    ``attempts`` is how many it took at most until everybody was heard everywhere; of what was sent after that,
    ``heard`` of ``sent`` arrived.
    """

    def __init__(self, deployment: Deployment, names: Sequence[str], tabs: Sequence[str]) -> None:
        self.attempts = 0
        self.sent = self.heard = 0
        self._deployment = deployment
        self._names = list(names)
        self._count = 0
        self._senders: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            f"server-{index}": partial(deployment.post, server, "/perform/")
            for index, server in enumerate(deployment.servers)
        }
        # Without a layer between processes nobody hears of a worker but by comparing.
        if deployment.layer is not None:
            self._senders |= {
                f"worker-{index}": partial(_ask, worker)
                for index, worker in enumerate(deployment.workers)
            }
        kinds = ("send", "broadcast")
        self._ways = {
            Way(sender, kind, tab) for sender in self._senders for kind in kinds for tab in tabs
        }

    async def is_back(self) -> None:
        """Each sender reaches each tab again, soon, and then goes on to do so."""
        interval = self._deployment.interval
        before, missing = self._count, set(self._ways)
        attempts = 0
        while missing:
            attempts += 1
            await self._send_by(missing)
            missing = await self._still_missing(before, interval)
            assert not missing or attempts < ATTEMPTS, await self._story(missing)
        self.attempts = max(self.attempts, attempts)
        before = self._count
        await self._send_by(self._ways)
        missing = await self._still_missing(before, interval * PATIENCE)
        self.sent += len(self._ways)
        self.heard += len(self._ways) - len(missing)

    def judge(self) -> None:
        assert self.heard >= IN_PEACE * self.sent, (
            f"told live in peace: {self.heard} of {self.sent}"
        )

    async def _send_by(self, ways: set[Way]) -> None:
        self._count += 1
        senders = {(way.sender, way.kind) for way in ways}
        await asyncio.gather(*(self._send(sender, kind) for sender, kind in senders))

    async def _still_missing(self, before: int, patience: float) -> set[Way]:
        """Wait until something sent after this has come by all ways; return by which nothing did in time."""
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            missing = self._ways - await self._arrived(before)
            if not missing or asked - began > patience:
                return missing
            await asyncio.sleep(0.05)

    async def _story(self, missing: set[Way]) -> str:
        first = min(missing)
        recent = await self._deployment.clients.ask(command="recent", name=first.tab)
        lost = f"{len(missing)} of {len(self._ways)} ways nothing is told live, as by {first}"
        return "\n".join([lost, *recent])

    async def _send(self, sender: str, kind: str) -> None:
        number = f"live.{self._count}.{sender}.{kind}"
        # A connection that broke while its server was away may be used for the first time since.
        with suppress(Refused, Ended, OSError, HTTPException, asyncio.TimeoutError):
            asked = {"kind": kind, "to": self._names, "number": number}
            await asyncio.wait_for(self._senders[sender](asked), ANSWER)

    async def _arrived(self, before: int) -> set[Way]:
        states = await self._deployment.clients.ask(command="states")
        heard = [
            (tab, number.split(".")) for tab, state in states.items() for number in state["heard"]
        ]
        return {
            Way(sender, kind, tab) for tab, (_, count, sender, kind) in heard if int(count) > before
        }


async def _ask(worker: Program, asked: dict[str, Any]) -> Any:
    return await worker.ask(**asked)
