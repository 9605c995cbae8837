"""The groups that a hub's channel is in.

Layers forget: a group expires, Redis is restarted or flushed. So being in a group is a lease: every group is added
again in rotation, well before it expires, and all of them at once when there is reason to doubt them.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from realtime import supervision
from realtime.groups import everybody

#: Seconds after which a group is added again, unless the layer forgets sooner.
LEASE = 300.0
#: Seconds for which a group is kept after its last socket: people go from page to page.
LINGER = 10.0
#: Seconds that one call of the layer may take.
TIMEOUT = 2.0
#: How many calls are under way at once.
BATCH = 32
#: How many groups are suspected at a time.
SUSPECTS = 256


class Membership:
    """Keeps a channel in the groups that are wanted."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self._lease = min(LEASE, getattr(layer, "group_expiry", LEASE * 3) / 3)
        self._channel: str | None = None
        self._wanted: dict[str, float | None] = {everybody(): None}  # group: unwanted since
        self._joined: dict[str, float] = {}  # group: when it was added, oldest first
        #: What the layer did not add the last time, the longest ago first.
        self._failed: dict[str, None] = {}
        #: Whether something has failed since all was well.
        self._shaken = False
        #: Whether the layer added the channel to no group at all when it was last asked.
        self.is_shut_out = False
        self._changed = asyncio.Event()
        self._doubts = 0

    @property
    def joined(self) -> frozenset[str]:
        """The groups that the channel is in, as far as we know."""
        return frozenset(self._joined)

    def want(self, group: str) -> None:
        self._wanted[group] = None
        if group not in self._joined:
            self._changed.set()

    def release(self, group: str) -> None:
        """Leave this group soon, unless it is wanted again."""
        if group in self._wanted:
            self._wanted[group] = asyncio.get_running_loop().time()

    def doubt(self) -> None:
        """Add every group again, at once."""
        self._doubts += 1
        self._joined.clear()
        self._changed.set()

    def suspect(self, groups: Iterable[str]) -> None:
        """Add these groups again: something was missed that should have come by them.

        With several brokers one may forget its groups while the others, and every probe, are well. A few at a time:
        what one process stores without a way to tell another is missed by all, and no group is to blame.
        """
        for group in islice(groups, SUSPECTS):
            self._joined.pop(group, None)
        self._changed.set()

    def move_to(self, channel: str | None) -> None:
        """Go on with another channel, or with none for now."""
        self._channel = channel
        self.is_shut_out = False
        self.doubt()

    async def leave_all(self, channel: str) -> None:
        """Take a channel that was given up out of all groups.

        Some layers add nothing where they believe to be already; having left, they do.
        """
        for batch in _batches(list(self._wanted)):
            if await self._call("group_discard", batch, channel):
                return  # not worth a wait: nobody reads that channel any more

    async def keep(self) -> None:
        """Add, refresh and leave groups; runs until it is cancelled or the layer fails.

        Of several brokers one may be down for long: what fails there is raised when all has been tried, so that it
        keeps nobody out of the groups of the others.
        """
        while True:
            if self._channel is not None:
                await self._round(self._channel, asyncio.get_running_loop().time())
            await supervision.wait_for_event(self._changed, min(LINGER, self._lease) / 2)

    async def _round(self, channel: str, now: float) -> None:
        left = [
            group
            for group, since in self._wanted.items()
            if since is not None and now - since > LINGER
        ]
        for group in left:
            del self._wanted[group]
            self._joined.pop(group, None)
            self._failed.pop(group, None)
        errors: list[Exception] = []
        for batch in _batches(left):
            errors += (await self._call("group_discard", batch, channel)).values()
        # A group that was wanted again meanwhile is missing now, and added with the others.
        missing = [group for group in self._wanted if group not in self._joined]
        due = [group for group, added in self._joined.items() if now - added > self._lease]
        refused = await self._add(missing + due, channel)
        self.is_shut_out = bool(refused) and not self._joined and channel == self._channel
        errors += refused
        if errors:
            self._shaken = True
            raise errors[0]
        if self._shaken and not self._failed:
            # What failed is well again, and may have forgotten what it had before.
            self._shaken = False
            self.doubt()

    async def _add(self, groups: list[str], channel: str) -> list[Exception]:
        """Add the channel to these groups and return what failed.

        What failed the last time comes last, and only until a whole batch fails again: where each call takes its time
        to fail, the others would wait for them.
        """
        known = set(self._failed)
        fresh = [group for group in groups if group not in known]
        among = known.intersection(groups)
        again = [group for group in self._failed if group in among]
        errors: list[Exception] = []
        for batch in (*_batches(fresh), *_batches(again)):
            doubts = self._doubts
            failed = await self._call("group_add", batch, channel)
            errors += failed.values()
            if channel != self._channel:
                break
            now = asyncio.get_running_loop().time()
            for group in batch:
                self._failed.pop(group, None)
                self._joined.pop(group, None)
                if group in failed:
                    self._failed[group] = None
                elif doubts == self._doubts:  # else the layer may have forgotten it again
                    self._joined[group] = now
            if len(failed) == len(batch) and known.issuperset(batch):
                break
        return errors

    async def _call(self, method: str, groups: list[str], channel: str) -> dict[str, Exception]:
        """Call the layer for each of these groups at a time; return for which it failed, and how."""
        call = getattr(self.layer, method)

        async def one(group: str) -> None:
            await call(group, channel)

        results = await supervision.all_within(TIMEOUT, map(one, groups))
        return {
            group: result
            for group, result in zip(groups, results, strict=True)
            if isinstance(result, Exception)
        }


def _batches(groups: list[str]) -> Iterator[list[str]]:
    return (groups[start : start + BATCH] for start in range(0, len(groups), BATCH))
