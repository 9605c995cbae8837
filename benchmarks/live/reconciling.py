"""What the comparison of inboxes costs while nothing happens: the server's share and the database's."""

import time

from benchmarks import procfs
from benchmarks.live.parties import Site, contest
from benchmarks.live.plot import chart
from benchmarks.live.report import Page, us
from benchmarks.live.site import fill
from benchmarks.live.sizes import Sizes


def reconciling(page: Page, site: Site, sizes: Sizes) -> None:
    """What the comparison of inboxes costs while nothing happens: the server's share and the database's."""
    fill(sizes.users[-1])
    shares = []
    with contest(page, ["ours"], site) as (party,):
        for users in sizes.users:
            party.connect(users - party.sockets)
            database = procfs.cpu_seconds(procfs.tree(site.database))
            began = time.monotonic()
            server = party.idle(sizes.seconds)
            took = time.monotonic() - began
            database = procfs.cpu_seconds(procfs.tree(site.database)) - database
            shares.append((users, server / took, database / took))
        queries = party.queries_of_a_round()
    users, server_share, database_share = shares[-1]
    page.target(
        f"reconciling {users:,} connected users, 50 live broadcasts: share of a core",
        f"{server_share + database_share:.1%}",
        f"server {server_share:.1%}, database {database_share:.1%}",
        f"{server_share + database_share:.1%}",
        "<= 5 %",
        server_share + database_share <= 0.05,
    )
    page.target(
        "the same: queries of a round", str(queries), "", str(queries), "<= 3", queries <= 3
    )
    page.table(
        "Reconciling and heartbeats at the default interval, by number of connected users",
        ("users", "server, share of a core", "database, share of a core", "per user and round"),
        [
            (f"{users:,}", f"{server:.1%}", f"{database:.1%}", us((server + database) * 5 / users))
            for users, server, database in shares
        ],
    )
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
