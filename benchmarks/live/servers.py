"""The same on each server."""

from benchmarks.live.figures import broadcasts
from benchmarks.live.parties import ALL, SERVERS, Site, contest
from benchmarks.live.report import Page, kib, ms, us
from benchmarks.live.sizes import Sizes

HEAD = (
    "server",
    "contender",
    "server CPU per delivery",
    "deliveries per second",
    "last socket after",
    "memory per socket",
    "connects per CPU-second",
)


def servers(page: Page, site: Site, sizes: Sizes) -> None:
    rows = []
    for server in SERVERS:
        with page.going_on(server):
            rows += _rows(page, site, sizes, server)
    title = f"Servers, with {sizes.some:,} sockets (channels_redis pub/sub)"
    page.table(title, HEAD, rows)


def _rows(page: Page, site: Site, sizes: Sizes, server: str) -> list[tuple[str, ...]]:
    few = sizes.some // 10
    held = []
    with contest(page, ALL, site, server=server) as parties:
        for party in parties:
            party.connect(few)
            before = party.memory()
            cost = party.connect(sizes.some - few)
            held.append((party.memory() - before, cost))
        found = broadcasts(parties, min(sizes.rounds, 3), slow=2, fast=10)
    added = sizes.some - few
    return [
        (
            server,
            name,
            us(one.cpu),
            f"{one.rate:,.0f}",
            ms(one.last),
            kib(size / added),
            f"{added / cost:,.0f}",
        )
        for name, one, (size, cost) in zip(ALL, found, held, strict=True)
    ]
