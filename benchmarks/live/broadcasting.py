"""A message to everybody, with more and more sockets; on the in-memory layer; on each server."""

from benchmarks.live.figures import Broadcasts, broadcasts
from benchmarks.live.parties import ALL, RIVALS, Site, contest
from benchmarks.live.plot import chart
from benchmarks.live.report import Page, ms, us
from benchmarks.live.sizes import Sizes

BROADCAST_HEAD = (
    "sockets",
    "contender",
    "server CPU per delivery",
    "deliveries per second",
    "last socket after",
    "p99",
    "client CPU per delivery",
)


def broadcasting(page: Page, site: Site, sizes: Sizes) -> None:
    """A message to everybody, with more and more sockets."""
    found: dict[str, list[Broadcasts]] = {name: [] for name in ALL}
    with contest(page, ALL, site) as parties:
        for sockets in sizes.ladder:
            for party in parties:
                party.connect(sockets - party.sockets)
            rounds = sizes.rounds if sockets in sizes.promised else min(sizes.rounds, 3)
            for party, figures in zip(
                parties, broadcasts(parties, rounds, slow=2, fast=20), strict=True
            ):
                found[party.name].append(figures)
    for ours, raw, bare in zip(*found.values(), strict=True):
        if ours.sockets in sizes.promised:
            _promised_of_broadcasts(page, ours, raw, bare)
    page.table(
        "A broadcast, by number of sockets (uvicorn, channels_redis pub/sub)",
        BROADCAST_HEAD,
        [
            _row(name, one)
            for step in zip(*found.values(), strict=True)
            for name, one in zip(ALL, step, strict=True)
        ],
    )
    page.plot(
        "broadcast",
        "Cost of a broadcast by number of sockets",
        chart(
            "Server CPU per delivery of a broadcast",
            "sockets of one process",
            "microseconds",
            {name: [(one.sockets, one.cpu * 1e6) for one in found[name]] for name in ALL},
        ),
    )


def _promised_of_broadcasts(
    page: Page, ours: Broadcasts, raw: Broadcasts, bare: Broadcasts
) -> None:
    name = f"broadcast to {ours.sockets:,} sockets: "
    page.at_most(
        name + "server CPU per delivery",
        us(ours.cpu),
        f"raw {us(raw.cpu)}",
        ours.cpu / raw.cpu,
        "1/12",
    )
    page.at_most(
        name + "the same, against the bare application",
        us(ours.cpu),
        f"bare {us(bare.cpu)}",
        ours.cpu / bare.cpu,
        "1.25",
    )
    page.at_least(
        name + "deliveries per second",
        f"{ours.rate:,.0f}",
        f"raw {raw.rate:,.0f}, bare {bare.rate:,.0f}",
        ours.rate / raw.rate,
        8,
    )
    page.at_most(
        name + "time to the last socket",
        ms(ours.last),
        f"raw {ms(raw.last)}, bare {ms(bare.last)}",
        ours.last / raw.last,
        "1/6",
    )
    page.at_most(
        name + "p99",
        ms(ours.p99),
        f"raw {ms(raw.p99)}, bare {ms(bare.p99)}",
        ours.p99 / raw.p99,
        "1/5",
    )


def in_memory(page: Page, site: Site, sizes: Sizes) -> None:
    """The layer that one gets without configuring any, in one process."""
    with contest(page, RIVALS, site, layer="memory") as parties:
        for party in parties:
            party.connect(sizes.some)
        ours, raw = broadcasts(parties, sizes.rounds, slow=2, fast=20)
    page.at_least(
        f"in-memory layer, broadcast to {sizes.some:,} sockets: deliveries per second",
        f"{ours.rate:,.0f}",
        f"raw {raw.rate:,.0f}",
        ours.rate / raw.rate,
        30,
    )
    page.table(
        "The in-memory layer, where the server's process also sends (uvicorn)",
        BROADCAST_HEAD,
        [_row("ours", ours), _row("raw", raw)],
    )


def _row(name: str, one: Broadcasts) -> tuple[str, ...]:
    return (
        f"{one.sockets:,.0f}",
        name,
        us(one.cpu),
        f"{one.rate:,.0f}",
        ms(one.last),
        ms(one.p99),
        us(one.client_cpu),
    )
