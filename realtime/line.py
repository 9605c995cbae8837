"""The hub's line to the channel layer: its one channel, and the certainty that something arrives on it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from realtime import log, supervision
from realtime.counters import counters
from realtime.groups import EVERYBODY
from realtime.membership import TIMEOUT, Membership

#: How many events may wait for the hub. More than that, and it reconciles instead of handling them.
BACKLOG = 10_000

#: How many times the usual patience a layer may get in the end.
SLOWEST = 4

PROBE = "inbox.probe"


class Line:
    """Receives into a bounded queue, and opens a new channel when probes show that nothing is heard any more.

    ``events``
        What arrived. ``arrived`` is set when there is something; whoever takes it clears that.
    ``on_gap``
        Called when events were or may have been missed.
    """

    def __init__(self, layer: Any, interval: float, on_gap: Callable[[], None]) -> None:
        self.events: deque[dict[str, Any]] = deque()
        self.arrived = asyncio.Event()
        self.membership = Membership(layer)
        self._layer = layer
        self._patience = interval / 3
        self._on_gap = on_gap
        self._channel: str | None = None
        self._receiving: asyncio.Task[None] | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self._heard: set[str] = set()
        self._probe_heard_at = 0.0
        #: When something arrived, on the monotonic clock.
        self.heard_at = time.monotonic()

    def open(self) -> None:
        self.tasks = [
            supervision.start("watching the channel layer", self._watch),
            supervision.start("joining groups", self.membership.keep),
        ]

    async def close(self) -> None:
        """Leave all groups, so that the layer keeps nothing for a channel that nobody reads."""
        for task in self.tasks:
            task.cancel()
        await self._drop()

    async def _watch(self) -> None:
        """Hear what was said within a third of the interval, or begin again with a new channel.

        With each new channel in a row it may take longer, and three times as long as it took the last time: if a slow
        layer got a new channel again and again, nothing would ever be heard.
        """
        if self._channel is None:
            await self._renew()
        patience = self._patience
        while True:
            asked = time.monotonic()
            expected = await self._probe()
            await asyncio.sleep(patience)
            if expected <= self._heard:
                took = self._probe_heard_at - asked
                patience = min(max(took * 3, self._patience), self._patience * SLOWEST)
            else:
                patience = min(patience * 2, self._patience * SLOWEST)
                counters.channels_renewed += 1
                log.warning(
                    "layer_silent",
                    "Nothing arrives from the channel layer: a new channel is opened.",
                )
                await self._renew()
                self._on_gap()

    async def _renew(self) -> None:
        await self._drop()
        channel = await supervision.within(TIMEOUT, self._layer.new_channel())
        self._channel = channel
        self._receiving = supervision.start("receiving", lambda: self._receive(channel))
        self.membership.move_to(channel)

    async def _drop(self) -> None:
        """Give the channel up. The layer may be broken in any way by now."""
        self._channel = None
        with suppress(Exception):
            await self.membership.leave_all()
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving], timeout=TIMEOUT)
            self._receiving = None

    async def _probe(self) -> set[str]:
        """Say something by both ways and return what is to be heard.

        Nothing is said to everybody when some hub was heard there since the last time: with many hubs, few do.
        """
        ways = {"channel"}
        if "everybody" not in self._heard and EVERYBODY in self.membership.joined:
            ways.add("everybody")
        self._heard.clear()
        try:
            await self._say(self._layer.send, str(self._channel), "channel")
            if "everybody" in ways:
                await self._say(self._layer.group_send, EVERYBODY, "everybody")
        except Exception:
            self.membership.doubt()
            raise
        return ways

    async def _say(self, send: Callable[..., Any], target: str, way: str) -> None:
        await supervision.within(TIMEOUT, send(target, {"type": PROBE, "way": way}))

    async def _receive(self, channel: str) -> None:
        try:
            while True:
                self._take(await self._layer.receive(channel))
        except Exception:
            self.membership.doubt()
            self._on_gap()
            raise

    def _take(self, event: dict[str, Any]) -> None:
        self.heard_at = time.monotonic()
        if event.get("type") == PROBE:
            self._heard.add(event["way"])
            self._probe_heard_at = self.heard_at
            return
        if len(self.events) >= BACKLOG:
            counters.events_missed += len(self.events)
            self.events.clear()
            self._on_gap()
        self.events.append(event)
        self.arrived.set()
