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

#: How often each sender may try until every tab has heard it, an interval each time. The first message may be lost, and
#: found missing within that interval, as a group that was forgotten is; the second one may meet the mending of it.
ATTEMPTS = 5
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
        missing = set(self._ways)
        attempts = 0
        while missing:
            assert attempts < ATTEMPTS, (
                f"not told live after {attempts} attempts: {len(missing)} of {len(self._ways)} ways, "
                f"as {sorted(missing)[:5]}"
            )
            attempts += 1
            missing = await self._still_missing(missing, interval)
        self.attempts = max(self.attempts, attempts)
        missing = await self._still_missing(self._ways, interval * PATIENCE)
        self.sent += len(self._ways)
        self.heard += len(self._ways) - len(missing)

    def judge(self) -> None:
        assert self.heard >= IN_PEACE * self.sent, (
            f"told live in peace: {self.heard} of {self.sent}"
        )

    async def _still_missing(self, ways: set[Way], patience: float) -> set[Way]:
        """Send once by all these ways; return by which nothing came."""
        self._count += 1
        await asyncio.gather(
            *(
                self._send(sender, kind)
                for sender, kind, _ in {way._replace(tab="") for way in ways}
            )
        )
        sent = time.monotonic()
        while True:
            asked = time.monotonic()
            missing = ways - await self._arrived()
            if not missing or asked - sent > patience:
                return missing
            await asyncio.sleep(0.05)

    async def _send(self, sender: str, kind: str) -> None:
        number = f"live.{self._count}.{sender}.{kind}"
        # A connection that broke while its server was away may be used for the first time since.
        with suppress(Refused, Ended, OSError, HTTPException):
            await self._senders[sender]({"kind": kind, "to": self._names, "number": number})

    async def _arrived(self) -> set[Way]:
        states = await self._deployment.clients.ask(command="states")
        now = f"live.{self._count}."
        heard = [
            (tab, number.removeprefix(now).split("."))
            for tab, state in states.items()
            for number in state["heard"]
            if number.startswith(now)
        ]
        return {Way(sender, kind, tab) for tab, (sender, kind) in heard}


async def _ask(worker: Program, asked: dict[str, Any]) -> Any:
    return await worker.ask(**asked)
