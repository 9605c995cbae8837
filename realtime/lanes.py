"""The way of events onto the channel layer, on which nobody waits behind who gets no answer.

Of several brokers one may be frozen while the others are well. An event whose answer does not come goes on waiting in a
lane of its own, with whatever is for the same group behind it, and all others pass.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from realtime import log, supervision
from realtime.conf import app_settings
from realtime.counters import counters
from realtime.events import Publication
from realtime.layers import configured_layer

#: Seconds after which an event that has no answer yet is left to its lane.
LATE = 0.25
#: How many of those there may be. Then everybody waits: who has that many is slow altogether.
LANES = 100


class Lanes:
    """Sends events, in order for each group. All of it belongs into one event loop.

    ``on_done`` is told how many have gone, or were given up; ``on_free`` when more may be sent: whether they
    ``are_free`` is to be asked.
    """

    def __init__(self, on_done: Callable[[int], None], on_free: Callable[[], None]) -> None:
        self._on_done = on_done
        self._on_free = on_free
        self._calls: dict[asyncio.Task[None], Publication] = {}
        self._missing = 0  # how many of them have not ended
        self._late: asyncio.TimerHandle | None = None
        self._behind: dict[str, deque[Publication]] = {}  # what follows in each lane, by group
        self._lanes: set[asyncio.Task[None]] = set()

    @property
    def are_free(self) -> bool:
        return not self._calls and len(self._lanes) < LANES

    def take(self, publication: Publication) -> bool:
        """Put an event behind what is late for the same group; return whether something is."""
        behind = self._behind.get(publication.group)
        if behind is None:
            return False
        behind.append(publication)
        return True

    def send(self, batch: Sequence[Publication]) -> None:
        """Send these events at a time, each for another group; free again when all that are not late have gone."""
        loop = asyncio.get_running_loop()
        self._calls = {loop.create_task(_send(publication)): publication for publication in batch}
        self._missing = len(self._calls)
        self._late = loop.call_later(LATE, self._settle)
        for call in self._calls:
            call.add_done_callback(self._ended)

    def _ended(self, call: "asyncio.Task[None]") -> None:
        if call in self._calls:  # else it was late
            self._missing -= 1
            if not self._missing:
                self._settle()

    def _settle(self) -> None:
        if self._late is not None:
            self._late.cancel()
        calls, self._calls = self._calls, {}
        gone = 0
        for call, publication in calls.items():
            if call.done() and not call.cancelled() and call.exception() is None:
                gone += 1
            else:
                self._open(call, publication)
        if gone:
            counters.events_published += gone
            self._on_done(gone)
        self._on_free()

    async def close(self) -> None:
        """Give up what has not gone."""
        if self._late is not None:
            self._late.cancel()
        left = {*self._lanes, *self._calls}
        self._calls = {}
        for task in left:
            task.add_done_callback(supervision.retrieve)
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=supervision.PATIENCE)

    def _open(self, call: "asyncio.Task[None]", publication: Publication) -> None:
        self._behind[publication.group] = deque()
        lane = asyncio.get_running_loop().create_task(self._follow(call, publication))
        self._lanes.add(lane)
        lane.add_done_callback(self._close_lane)

    def _close_lane(self, lane: "asyncio.Task[None]") -> None:
        self._lanes.discard(lane)
        self._on_free()

    async def _follow(self, call: "asyncio.Task[None]", publication: Publication) -> None:
        behind = self._behind[publication.group]
        try:
            while True:
                await _insist(call, publication)
                counters.events_published += 1
                self._on_done(1)
                if not behind:
                    break
                publication = behind.popleft()
                call = asyncio.get_running_loop().create_task(_send(publication))
        except Exception as error:  # whatever the layer raises: it is for reconciling to heal
            # What is behind it would take as long, one after the other.
            dropped = 1 + len(behind)
            counters.publish_drops += dropped
            log.error(
                "publish_failed",
                "The channel layer failed: events dropped: %(events)d.",
                error,
                events=dropped,
            )
            self._on_done(dropped)
        finally:
            del self._behind[publication.group]


async def _insist(call: "asyncio.Task[None]", publication: Publication) -> None:
    """Wait until the time for this event is up, and try it once more if it has failed by then."""
    timeout = app_settings.PUBLISH_TIMEOUT
    try:
        await supervision.within(max(timeout - LATE, 0.0), call)
    except Exception:
        await supervision.within(timeout, _send(publication))


async def _send(publication: Publication) -> None:
    layer = configured_layer()
    if layer is None:
        return
    try:
        await layer.group_send(publication.group, publication.event)
    except asyncio.CancelledError as error:
        # A layer may wait for what somebody else cancels. Whoever cancels this call has given it up in any case.
        raise ConnectionError("The channel layer was cancelled.") from error
