"""What a page and a summary cost, in small and large tables and inboxes."""

from django.contrib.auth.models import User

import stored_messages
from benchmarks.inbox.filling import fill
from benchmarks.inbox.sizes import Sizes
from benchmarks.inbox.timing import Times, timed
from benchmarks.report import Report
from stored_messages import get_backend

#: A page of the size that clients ask for, and the row that tells of another page.
ROWS = 21
FEW = 10


def measure(report: Report, sizes: Sizes) -> None:
    little, much = User.objects.order_by("pk")[:2]
    fill({little: FEW}, 100)
    base = _figures(little, FEW)
    _report(report, base, base, f"{FEW} unread in a table of 100")
    fill({little: FEW, much: sizes.inbox}, sizes.deliveries)
    for reader, unread in ((little, FEW), (much, sizes.inbox)):
        name = f"{unread:,} unread in a table of {sizes.deliveries:,}"
        _report(report, _figures(reader, unread), base, name)


def _figures(reader: User, unread: int) -> dict[str, Times]:
    backend = get_backend()
    # In the middle of what is unread: far from either end of the index.
    middle = int(backend._rows(reader, None, None, archive=False)[unread // 2].position, 16)

    def rows(before: int | None) -> Times:
        return timed(lambda: backend._rows(reader, before, ROWS, archive=False))

    return {
        "rows of the first page": rows(None),
        "rows of a further page": rows(middle),
        "count and digest": timed(lambda: stored_messages.summary(reader)),
        "a page with count and digest": timed(lambda: stored_messages.inbox(reader)),
    }


def _report(report: Report, figures: dict[str, Times], base: dict[str, Times], name: str) -> None:
    for what, figure in figures.items():
        report.add(f"{what}, {name}", str(figure), figure.times(base[what]))
