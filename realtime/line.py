"""The hub's line to the channel layer: its one channel, and the certainty that something arrives on it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.utils.crypto import get_random_string

from realtime import log, supervision
from realtime.counters import counters
from realtime.groups import everybody
from realtime.layers import close_connections
from realtime.membership import TIMEOUT, Membership

#: How many events may wait for the hub. More than that, and it reconciles instead of handling them.
BACKLOG = 10_000

#: Seconds after which something is to be heard, if only what the hub says to itself: clients of Redis give up a call
#: that waits for five.
LONGEST_SILENCE = 3.0

#: How many times the usual patience a layer may get in the end.
SLOWEST = 4

PROBE = "inbox.probe"


class Line:
    """Receives into a bounded queue, and opens a new channel when probes show that nothing is heard any more.

    ``events``
        What arrived. ``arrived`` is set when there is something; whoever takes it clears that.
    ``on_gap``
        Called when events were or may have been missed.
    ``take_at_once``
        Called with an event if none waits: whether that is all that was to do about it.
    ``another``
        Makes one more layer like this. Given where nobody else uses this layer, so that its connections may be
        closed: one on which nothing passes any more, without a word to either end, is never given up otherwise.
    """

    def __init__(
        self,
        layer: Any,
        interval: float,
        on_gap: Callable[[], None],
        take_at_once: Callable[[dict[str, Any]], bool],
        another: Callable[[], Any] | None = None,
    ) -> None:
        self.events: deque[dict[str, Any]] = deque()
        self.arrived = asyncio.Event()
        self.membership = Membership(layer)
        self._own_group = f"realtime.hub.{get_random_string(12)}"
        self.membership.want(self._own_group)
        self.layer = layer
        self._another = another
        self._patience = min(interval / 3, LONGEST_SILENCE)
        self._on_gap = on_gap
        self._take_at_once = take_at_once
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
        await self._leave(self._give_up())
        await self._hang_up()

    async def _watch(self) -> None:
        """Hear what was said within a third of the interval, or three seconds, or begin again with a new channel.

        So too where no group can be joined: a layer that has lost the channel itself adds it to nothing any more.
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
            shut_out = self.membership.is_shut_out
            if not expected and not shut_out:
                continue
            if expected <= self._heard and not shut_out:
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
        given_up = self._give_up()
        # By what connects anew: nothing may pass any more on what was open.
        await self._hang_up()
        await self._leave(given_up)
        channel = await supervision.within(TIMEOUT, self.layer.new_channel())
        self._channel = channel
        self._receiving = supervision.start("receiving", lambda: self._receive(channel))
        self.membership.move_to(channel)

    def _give_up(self) -> str | None:
        """Have no channel any more; return what it was."""
        channel, self._channel = self._channel, None
        self.membership.move_to(None)
        return channel

    async def _leave(self, channel: str | None) -> None:
        """Take it out of all groups. The layer may be broken in any way by now."""
        if channel is not None:
            with suppress(Exception):
                await self.membership.leave_all(channel)

    async def _hang_up(self) -> None:
        """Receive no more, and close the connections if they are ours. A layer that cannot is given up with them."""
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving], timeout=TIMEOUT)
            self._receiving = None
        if self._another is not None:
            try:
                await supervision.within(TIMEOUT, close_connections(self.layer))
            except Exception:
                self.layer = self.membership.layer = self._another()

    async def _probe(self) -> set[str]:
        """Say something by both ways and return what is to be heard.

        Nothing is said to everybody when some hub was heard there since the last time: with many hubs, few do. Nor
        is anything where no group is joined: who joins them notices that. The hub's own way is a group too,
        not its channel, as events never come but by groups, and of several brokers a channel may be at another one.
        """
        ways = {"own": self._own_group}
        if "everybody" not in self._heard:
            ways["everybody"] = everybody()
        ways = {way: group for way, group in ways.items() if group in self.membership.joined}
        self._heard.clear()
        try:
            for way, group in ways.items():
                event = {"type": PROBE, "way": way}
                await supervision.within(TIMEOUT, self.layer.group_send(group, event))
        except Exception:
            self.membership.doubt()
            raise
        return set(ways)

    async def _receive(self, channel: str) -> None:
        try:
            while True:
                self._take(await self.layer.receive(channel))
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
        if not self.events and self._take_at_once(event):
            return
        if len(self.events) >= BACKLOG:
            counters.events_missed += len(self.events)
            self.events.clear()
            self._on_gap()
        self.events.append(event)
        self.arrived.set()
