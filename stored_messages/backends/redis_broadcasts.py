"""The index of broadcasts in Redis: who sees which, and what they add to summaries."""

import json
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from stored_messages.backends.redis_commands import Command, run
from stored_messages.backends.redis_connection import Client
from stored_messages.backends.redis_keys import BROADCASTS
from stored_messages.backends.redis_records import cutoffs, expired, micros
from stored_messages.owners import joined_at
from stored_messages.stored import StoredMessage, Summary


class Broadcast(NamedTuple):
    """What the index says of a broadcast: enough for summaries."""

    id: str
    position: str
    stamp: int
    date: int
    sent_at: int

    @property
    def record(self) -> list[str]:
        """What the record of a user who did not touch it would be."""
        return [self.position, str(self.stamp), str(self.date), "", "0", "1"]


def announcing(message: StoredMessage) -> Command:
    """The command that puts a broadcast, whose content is stored, into the index."""
    entry = [message.position, message.stamp, micros(message.date), micros(message.sent_at)]
    return Command(BROADCASTS, ("HSET", BROADCASTS, message.id, json.dumps(entry)))


def forgetting(msg_ids: Iterable[str]) -> Command:
    """The command that takes broadcasts out of the index."""
    return Command(BROADCASTS, ("HDEL", BROADCASTS, *msg_ids))


def all_broadcasts(client: Client) -> list[Broadcast]:
    """Return the whole index: one round trip."""
    [entries] = run(client, [Command(BROADCASTS, ("HGETALL", BROADCASTS))])
    return [Broadcast(msg_id, *json.loads(entry)) for msg_id, entry in entries.items()]


def live(broadcasts: Iterable[Broadcast], *, archive: bool = False) -> list[Broadcast]:
    """Return those that have not expired in inboxes, or archives."""
    cutoff = cutoffs()[1 if archive else 0]
    return [one for one in broadcasts if not expired(one.date, cutoff)]


def visible(broadcasts: Iterable[Broadcast], user: Any) -> list[Broadcast]:
    """Return those sent since a user (instance) joined."""
    joined = joined_at(user)
    since = None if joined is None else micros(joined)
    return [one for one in broadcasts if since is None or one.sent_at >= since]


class Totals:
    """Sums over broadcasts for any number of users: each sees a suffix of them, less what they touched."""

    def __init__(self, broadcasts: Iterable[Broadcast]) -> None:
        ordered = sorted(broadcasts, key=lambda one: one.sent_at)
        self._moments = [one.sent_at for one in ordered]
        self._digests_before = [0, *accumulate(one.stamp for one in ordered)]
        self._by_id = {one.id: (index, one.stamp) for index, one in enumerate(ordered)}

    def unread(self, user: Any, touched: Iterable[str]) -> Summary:
        """Return the summary of those that a user (instance) sees and has no record of."""
        joined = joined_at(user)
        first = 0 if joined is None else bisect_left(self._moments, micros(joined))
        seen = [self._by_id[msg_id] for msg_id in touched if msg_id in self._by_id]
        stamps = [stamp for index, stamp in seen if index >= first]
        return Summary(
            len(self._moments) - first - len(stamps),
            self._digests_before[-1] - self._digests_before[first] - sum(stamps),
        )
