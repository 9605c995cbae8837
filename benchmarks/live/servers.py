"""The same on each server."""

from benchmarks.live.figures import broadcasts
from benchmarks.live.parties import ALL, Site, contest
from benchmarks.live.report import Page, kib, ms, us
from benchmarks.live.sizes import Sizes


def servers(page: Page, site: Site, sizes: Sizes) -> None:
    """The same on each server."""
    rows = []
    for server in ("uvicorn", "daphne", "hypercorn", "granian"):
        with contest(page, ALL, site, server=server) as parties:
            held = []
            for party in parties:
                party.connect(sizes.some // 10)
                before = party.memory()
                cost = party.connect(sizes.some - party.sockets)
                held.append((party.memory() - before, cost))
            found = broadcasts(parties, min(sizes.rounds, 3), slow=2, fast=10)
        added = sizes.some - sizes.some // 10
        for name, one, (size, cost) in zip(ALL, found, held, strict=True):
            rows.append(
                (
                    server,
                    name,
                    us(one.cpu),
                    f"{one.rate:,.0f}",
                    ms(one.last),
                    kib(size / added),
                    f"{added / cost:,.0f}",
                )
            )
    page.table(
        f"Servers, with {sizes.some:,} sockets (channels_redis pub/sub)",
        (
            "server",
            "contender",
            "server CPU per delivery",
            "deliveries per second",
            "last socket after",
            "memory per socket",
            "connects per CPU-second",
        ),
        rows,
    )
