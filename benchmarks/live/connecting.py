"""What a socket costs to open and to keep, its session's sign-in included."""

import statistics

from benchmarks.live.parties import ALL, RIVALS, Site, contest
from benchmarks.live.report import Page, each, kib
from benchmarks.live.sizes import Sizes


def connecting(page: Page, site: Site, sizes: Sizes) -> None:
    """What a socket costs to open and to keep, its session's sign-in included."""
    for layer in ("redis", "memory"):
        with contest(page, ALL if layer == "redis" else RIVALS, site, layer=layer) as parties:
            names = [party.name for party in parties]
            label = "channels_redis pub/sub" if layer == "redis" else "in-memory layer"
            for party in parties:
                party.connect(sizes.some // 10)
            before = [party.memory() for party in parties]
            rounds: dict[str, list[float]] = {name: [] for name in names}
            step = sizes.many // sizes.rounds
            for _ in range(sizes.rounds):
                for party in parties:
                    rounds[party.name].append(step / party.connect(step))
            held = [
                (party.memory() - was) / (step * sizes.rounds)
                for party, was in zip(parties, before, strict=True)
            ]
            rates = [statistics.median(rounds[name]) for name in names]
        others = each(names[1:], kib, held[1:])
        page.target(
            f"memory per idle socket, {label}",
            kib(held[0]),
            others,
            f"{held[0] / held[1]:.0%} of raw",
            "<= 75 %",
            held[0] <= 0.75 * held[1],
        )
        if layer == "memory":
            page.target(
                "the same", kib(held[0]), others, kib(held[0]), "<= 30 KiB", held[0] <= 30 * 1024
            )
        page.at_least(
            f"connects per CPU-second of the server, {label}",
            f"{rates[0]:,.0f}",
            each(names[1:], "{:,.0f}".format, rates[1:]),
            rates[0] / rates[1],
            1.5,
        )
