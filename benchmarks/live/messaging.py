"""One message to one user at a time."""

import statistics

from benchmarks.live.figures import latencies, percentile
from benchmarks.live.parties import RIVALS, Party, Site, contest
from benchmarks.live.report import Page, ms, us
from benchmarks.live.sizes import Sizes


def messaging(page: Page, site: Site, sizes: Sizes) -> None:
    """One message to one user at a time."""
    with contest(page, RIVALS, site) as parties:
        for party in parties:
            party.connect(sizes.many)
        _latency(page, parties, sizes)
        _rates(page, parties, sizes)
        _callers_cost(page, parties, sizes)


def _latency(page: Page, parties: list[Party], sizes: Sizes) -> None:
    taken: dict[str, list[list[float]]] = {party.name: [] for party in parties}
    for _ in range(sizes.rounds):
        for party in parties:
            taken[party.name].append(latencies(party.unicast(sizes.unicasts, every=0.015)))
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        ours, raw = (
            statistics.median(percentile(one, share) for one in taken[name]) for name in RIVALS
        )
        page.at_most(
            f"one message to one user at {sizes.many:,} sockets, commit to client: {label}",
            ms(ours),
            f"raw {ms(raw)}",
            ours / raw,
            "1/3",
        )


def _rates(page: Page, parties: list[Party], sizes: Sizes) -> None:
    ours, raw = parties
    fast, costs = _flood(ours, sizes, sizes.flood)
    slow, raw_costs = _flood(raw, sizes, sizes.flood // 10)
    asynchronous, async_costs = _flood(raw, sizes, sizes.flood // 2, "async")
    page.at_least(
        "sustainable unicast messages per second per sending process (live part alone)",
        f"{fast:,.0f}",
        f"raw {slow:,.0f} (from async code {asynchronous:,.0f})",
        fast / slow,
        10,
    )
    page.table(
        "What one message to one user costs where it passes: CPU (channels_redis pub/sub, one socket a user)",
        ("contender", *costs, "messages per second"),
        [
            (name, *map(us, spent.values()), f"{rate:,.0f}")
            for name, spent, rate in (
                ("ours", costs, fast),
                ("raw", raw_costs, slow),
                ("raw, from async code", async_costs, asynchronous),
            )
        ],
    )


def _flood(
    party: Party, sizes: Sizes, count: int, kind: str = "sync"
) -> tuple[float, dict[str, float]]:
    """Messages per second until the last has arrived, and what each cost where."""
    rates, spent = [], []
    for _ in range(sizes.rounds):
        before = party.cpu_everywhere()
        heard = party.flood(count, kind)
        after = party.cpu_everywhere()
        rates.append(count / (max(map(max, heard.arrived)) - heard.sent["began"]))
        spent.append({place: (after[place] - before[place]) / count for place in before})
    medians = {place: statistics.median(one[place] for one in spent) for place in spent[0]}
    return statistics.median(rates), medians


def _callers_cost(page: Page, parties: list[Party], sizes: Sizes) -> None:
    costs, work = {}, {}
    for party in parties:
        rounds = [party.cost(sizes.unicasts, every=0.003).sent for _ in range(sizes.rounds)]
        costs[party.name] = statistics.median(statistics.median(one["took"]) for one in rounds)
        work[party.name] = statistics.median(statistics.mean(one["worked"]) for one in rounds)
    page.target(
        "what sending costs a sync caller beyond storing",
        f"{us(costs['ours'])} (CPU {us(work['ours'])})",
        f"raw {us(costs['raw'])} (CPU {us(work['raw'])})",
        f"1/{costs['raw'] / costs['ours']:.0f}",
        "<= 100 µs",
        costs["ours"] <= 100e-6,
    )
