"""Figures of this process, for a metrics exporter.

::

    from realtime.metrics import collect

    for metric in collect():
        print(metric.name, metric.kind, metric.value, metric.help)

Reading them asks neither the database nor the channel layer, from any thread. Counters only grow while the process
lives; gauges are as of now. Several processes have figures of their own, to be added up.
"""

import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from realtime import publisher
from realtime.conf import app_settings
from realtime.counters import counters
from realtime.hubs import running_hubs


class Metric(NamedTuple):
    """One figure: ``kind`` is "counter" or "gauge"."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    value: float


COUNTERS: dict[str, str] = {
    "sockets_opened": "Sockets that were let in.",
    "sockets_refused": "Sockets that were not: of another site, or one too many of their user.",
    "sockets_slow": "Sockets closed because their client does not read.",
    "sockets_signed_out": "Sockets closed because their user is signed out.",
    "events_received": "Events that came from the channel layer.",
    "events_missed": "Events given up for a reconcile because too many came at once.",
    "events_published": "Events handed to the channel layer.",
    "publish_drops": "Events that the channel layer did not take: its queue was full, or it failed twice.",
    "deliveries": "Frames about a change, written to sockets.",
    "syncs": "Frames with a summary, written to sockets.",
    "fetch_hints": "Of these, such as told a change that no frame had brought: each makes a client fetch.",
    "reconciles": "Comparisons of all inboxes with what tabs were told.",
    "channels_renewed": "New channels opened because nothing was heard on the old ones.",
    "calls_given_up": "Looks into the database given up, with their connections, because no answer came.",
}

GAUGES: dict[str, str] = {
    "hubs": "Event loops with sockets: one a process, or none where nobody is connected.",
    "users": "Users with an open socket.",
    "sockets": "Open sockets.",
    "publisher_queue": "Events that wait for the channel layer.",
    "reconcile_seconds": "How long the last comparison took.",
    "reconcile_lag_seconds": "How much later than due the next comparison is, or was just before it ended.",
    "sign_in_lag_seconds": "How much later than due it is looked whether somebody is still signed in.",
}


def collect() -> Iterator[Metric]:
    """Yield all figures of this process."""
    for name, text in COUNTERS.items():
        yield Metric(name, "counter", text, getattr(counters, name))
    values = _gauges()
    for name, text in GAUGES.items():
        yield Metric(name, "gauge", text, values[name])


def _gauges() -> dict[str, float]:
    hubs = running_hubs()
    now = time.monotonic()
    interval = app_settings.RECONCILE_INTERVAL
    return {
        "hubs": len(hubs),
        "users": sum(hub.users for hub in hubs),
        "sockets": sum(hub.sockets for hub in hubs),
        "publisher_queue": publisher.waiting(),
        "reconcile_seconds": max((hub.rounds.took for hub in hubs), default=0.0),
        "reconcile_lag_seconds": max(
            (max(0.0, now - hub.rounds.ended - interval) for hub in hubs), default=0.0
        ),
        "sign_in_lag_seconds": max((hub.guard.lag for hub in hubs), default=0.0),
    }
