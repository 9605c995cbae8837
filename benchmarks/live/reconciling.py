"""What the comparison of inboxes costs while nothing happens: the server's share and the database's."""

import time

from benchmarks import procfs
from benchmarks.live.parties import Party, Site, contest
from benchmarks.live.plot import chart
from benchmarks.live.report import Page, us
from benchmarks.live.site import fill
from benchmarks.live.sizes import Sizes

INTERVAL = 5  # seconds, the default
#: Seconds until what comes with opening sockets is over: the first look at who is signed in, for example.
SETTLING = 12


def reconciling(page: Page, site: Site, sizes: Sizes) -> None:
    fill(sizes.users[-1])
    shares = []
    with contest(page, ("ours", "bare"), site) as (ours, bare):
        for users in sizes.users:
            ours.connect(users - ours.sockets)
            ours.idle(SETTLING)
            shares.append((users, *_idle(ours, site, sizes.seconds)))
        queries = ours.queries_of_a_round()
        # The server's own pings cost whoever has sockets.
        bare.connect(users)
        bare.idle(SETTLING)
        pings, _ = _idle(bare, site, sizes.seconds)
    users, server, database = shares[-1]
    total = server - pings + database
    page.target(
        f"reconciling {users:,} connected users, 50 live broadcasts: share of a core",
        f"{total:.1%}",
        f"server {server:.1%} less {pings:.1%} of the bare application, database {database:.1%}",
        f"{total:.1%}",
        "<= 5 %",
        total <= 0.05,
    )
    page.target(
        "the same: queries of a round", str(queries), "", str(queries), "<= 3", queries <= 3
    )
    page.table(
        "Reconciling and heartbeats at the default interval, by number of connected users",
        ("users", "server, share of a core", "database, share of a core", "per user and round"),
        [
            (f"{users:,}", f"{server:.1%}", f"{database:.1%}", us((server + database) * INTERVAL / users))
            for users, server, database in shares
        ],
    )  # fmt: skip
    page.plot(
        "reconcile",
        "Cost of reconciling by number of users",
        chart(
            "Reconciling and heartbeats while nothing happens",
            "connected users of one process",
            "percent of a core",
            {
                "server": [(users, server * 100) for users, server, _ in shares],
                "database": [(users, database * 100) for users, _, database in shares],
            },
        ),
    )


def _idle(party: Party, site: Site, seconds: float) -> tuple[float, float]:
    """Shares of a core that the server and the database take."""
    database = procfs.tree(site.database)
    before, began = procfs.cpu_seconds(database), time.monotonic()
    server = party.idle(seconds)
    took = time.monotonic() - began
    return server / took, (procfs.cpu_seconds(database) - before) / took
