"""The comparison of inboxes with what tabs were told: what heals everything that a layer may lose.

The rules are the protocol's: a socket is listed before its summary is queried; a sync goes where the summary is
not what was told last, and to everybody at least every second round; but not if an event was written to that
socket since the query began, unless it was passed over twice in a row.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from realtime import supervision
from realtime.counters import counters
from realtime.database import DatabaseThreads
from realtime.events import sync_frame
from realtime.sockets import Socket
from realtime.turns import short_turns
from stored_messages import api
from stored_messages.stored import Summary

if TYPE_CHECKING:
    from realtime.asgi_types import Message

T = TypeVar("T")

#: After so many sockets, everything else in the event loop gets its turn: a message is never long behind a round, here
#: and at a client with many sockets.
SLICE = 10
#: The same, for sockets that are only looked at.
LOOKS = 200
#: Seconds between greetings when sockets come by the hundred: a query for a few costs nearly as much as one for many.
GATHER = 0.02
#: How long a round waits for what else is missed, as a part of the interval.
HURRY = 0.1
#: Over how much of the interval a round spreads what tells nobody anything new. In one go, thousands of those would be
#: in the way of a message that comes meanwhile: in this process, on the wire and at the clients.
SPREAD = 0.2


class Connected(Protocol):
    """A user with open sockets."""

    user: Any
    key: str
    sockets: tuple[Socket, ...]


class Reconciler:
    """Greets new sockets and keeps all others told.

    ``users`` are the hub's connected users by primary key as text; ``sequence`` returns how many events it has
    handled so far. ``on_missed`` is told of the users about whom no event has come though one should have.
    """

    def __init__(
        self,
        users: Mapping[str, Connected],
        sequence: Callable[[], int],
        interval: float,
        on_missed: Callable[[set[str]], None] = lambda owners: None,
    ) -> None:
        self._on_missed = on_missed
        self._users = users
        self._sequence = sequence
        self._interval = interval
        self._heartbeat = interval * 2 if interval * 2 % 1 else int(interval * 2)
        self._new: list[Socket] = []
        self._arrived = asyncio.Event()
        self._missed = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self._database = DatabaseThreads(1)
        self._next_round = 0.0  # in the loop's time: when the next round begins
        #: When the last round ended, on the monotonic clock, and how many seconds it took.
        self.ended = time.monotonic()
        self.took = 0.0

    def open(self) -> None:
        # Processes that start together should not ask the database together.
        soon = self._interval * random.uniform(0.5, 1)  # noqa: S311
        self._next_round = asyncio.get_running_loop().time() + soon
        self.tasks = [
            supervision.start("greeting", self._greet, well_after=math.inf),
            supervision.start("reconciling", self._reconcile, well_after=math.inf),
        ]

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self._database.stop()

    def greet_soon(self, socket: Socket) -> None:
        """Send the first sync; all that wait at a time share one query."""
        self._new.append(socket)
        self._arrived.set()

    def hurry(self) -> None:
        """Begin the next round now: something was missed."""
        self._missed.set()

    async def _greet(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            # In a frame of its own: this one waits for the next arrivals, and would keep sockets that are gone by then.
            if await self._greet_new() > 1:
                await asyncio.sleep(GATHER)

    async def _greet_new(self) -> int:
        sockets, self._new = [one for one in self._new if not one.closing], []
        try:
            summaries = await self._summaries(sockets)
        except Exception:
            self._new = sockets + self._new
            self._arrived.set()
            raise
        supervision.succeeded()
        await self._sync(sockets, summaries)
        return len(sockets)

    async def _reconcile(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await supervision.wait_for_event(self._missed, self._next_round - loop.time())
            if loop.time() < self._next_round:
                await asyncio.sleep(self._interval * HURRY)
            # Neither one that fails nor one that was hurried is a reason to come later the next time.
            self._next_round = loop.time() + self._interval
            await self._round()

    async def _round(self) -> None:
        began, sequence = time.monotonic(), self._sequence()
        sockets: list[Socket] = []
        async for some in _by_and_by(list(self._users.values())):
            sockets += [one for user in some for one in user.sockets if one.greeted]
        # Not for those who come: when thousands come back at once, short turns cost more than they spare.
        with short_turns():
            summaries = await self._summaries(sockets)
        missed: set[str] = set()
        async for part in _by_and_by(sockets):
            missed.update(
                one.owner
                for one in part
                if one.told is not None and one.told != summaries.get(one.owner, one.told)
            )
        is_due = partial(self._is_due, sequence, summaries)
        others = sockets
        if missed:
            self._on_missed(missed)
            unaware = [socket for socket in sockets if socket.owner in missed]
            others = [socket for socket in sockets if socket.owner not in missed]
            await self._sync(unaware, summaries, is_due)
        supervision.succeeded()
        self.ended = time.monotonic()
        self.took = self.ended - began
        counters.reconciles += 1
        pause = self._interval * SPREAD * SLICE / max(len(others), 1)
        await self._sync(others, summaries, is_due, pause)

    @staticmethod
    def _is_due(sequence: int, summaries: Mapping[str, Summary], socket: Socket) -> bool:
        """Whether to tell it, now that its turn has come: events go on being written meanwhile."""
        if socket.behind:
            socket.close_if_stuck()
        elif socket.wrote > sequence and socket.skipped_rounds < 2:
            socket.skipped_rounds += 1
        elif socket.told == summaries.get(socket.owner) and not socket.quiet_rounds:
            socket.quiet_rounds += 1
        else:
            return True
        return False

    async def _summaries(self, sockets: Sequence[Socket]) -> dict[str, Summary]:
        told: dict[str, Summary | None] = {}
        async for some in _by_and_by(sockets):
            told.update((socket.owner, socket.told) for socket in some)
        users = [self._users[owner].user for owner in told if owner in self._users]
        return await self._database.run(_summaries, users, told) if users else {}

    async def _sync(
        self,
        sockets: Sequence[Socket],
        summaries: Mapping[str, Summary],
        is_due: Callable[[Socket], bool] = lambda socket: True,
        pause: float = 0.0,
    ) -> None:
        """Send their summaries to those of these sockets that are due.

        ``pause``: seconds after each slice, unless a round is wanted now.
        """
        message: Message = {}
        owner = None  # of this message: a user's sockets follow one another
        count = hints = 0
        async for some in _by_and_by(sockets):
            for socket in some:
                if not is_due(socket):
                    continue
                count += 1
                summary, connected = summaries.get(socket.owner), self._users.get(socket.owner)
                if socket.closing or summary is None or connected is None:
                    continue
                if socket.owner != owner:
                    owner = socket.owner
                    text = sync_frame(connected.key, summary, self._heartbeat)
                    message = {"type": "websocket.send", "text": text}
                if socket.told is not None and socket.told != summary:
                    hints += 1
                socket.sync(summary, message)
                if count % SLICE == 0:
                    await asyncio.sleep(0 if self._missed.is_set() else pause)
        counters.syncs += count
        counters.fetch_hints += hints


async def _by_and_by(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """Yield some at a time; before the next ones, everything else in the event loop gets its turn."""
    for start in range(0, len(items), LOOKS):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + LOOKS]


def _summaries(users: list[Any], told: Mapping[str, Summary | None]) -> dict[str, Summary]:
    """Return the summaries by owner: where nothing is new, the very object that was told.

    Thousands of others, in every round, would grow old enough for the garbage collector to go through the whole
    process because of them.
    """
    found = {}
    for pk, summary in api.summaries(users).items():
        owner = str(pk)
        before = told.get(owner)
        found[owner] = summary if before is None or before != summary else before
    return found
