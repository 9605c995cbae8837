"""What is made of what was heard: rates, latencies, medians."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.live.parties import Heard, Party


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latencies(heard: Heard) -> list[float]:
    """Seconds from the commit of a message to each of its arrivals."""
    return [
        moment - committed
        for committed, arrived in zip(heard.sent["committed"], heard.arrived, strict=True)
        for moment in arrived
    ]


@dataclass(frozen=True)
class Broadcasts:
    """Medians of some rounds, each of one broadcast alone and of several in a row."""

    sockets: int
    cpu: float  # seconds per delivery
    client_cpu: float
    rate: float  # deliveries per second
    last: float  # seconds to the last socket
    p99: float


def broadcasts(parties: Sequence[Party], rounds: int, *, slow: int, fast: int) -> list[Broadcasts]:
    """Let the contenders take turns: raw Channels with ``slow`` messages in a row, the others with ``fast``."""
    taken: dict[str, list[Broadcasts]] = {party.name: [] for party in parties}
    for party in parties:
        party.broadcast(1)  # warm-up
    for _ in range(rounds):
        for party in parties:
            taken[party.name].append(_round(party, slow if party.name == "raw" else fast))
    return [
        Broadcasts(
            *(
                statistics.median(getattr(one, field) for one in taken[party.name])
                for field in Broadcasts.__dataclass_fields__
            )
        )
        for party in parties
    ]


def _round(party: Party, in_a_row: int) -> Broadcasts:
    party.settle()
    alone = latencies(party.broadcast(1))
    burst = party.broadcast(in_a_row)
    took = max(map(max, burst.arrived)) - burst.sent["committed"][0]
    return Broadcasts(
        party.sockets,
        burst.cpu / burst.count,
        burst.client_cpu / burst.count,
        burst.count / took,
        max(alone),
        percentile(alone, 0.99),
    )
