"""What a page and a summary cost, in small and large tables and inboxes."""

from django.contrib.auth.models import User

import stored_messages
from benchmarks.inbox.filling import fill
from benchmarks.inbox.sizes import Sizes
from benchmarks.report import Report, median_ms
from stored_messages import get_backend

#: A page of the size that clients ask for, and the row that tells of another page.
ROWS = 21
ROUNDS = 25


def measure(report: Report, sizes: Sizes) -> None:
    reader = User.objects.order_by("pk")[0]
    base: dict[str, float] = {}
    for name, table, inbox in (
        ("10 unread in a table of 100", 100, 10),
        (f"10 unread in a table of {sizes.deliveries:,}", sizes.deliveries, 10),
        (
            f"{sizes.inbox:,} unread in a table of {sizes.deliveries:,}",
            sizes.deliveries,
            sizes.inbox,
        ),
    ):
        fill(reader, table, inbox)
        for what, figure in _figures(reader, inbox).items():
            base.setdefault(what, figure)
            report.add(f"{what}, {name}", f"{figure:.2f} ms", f"{figure / base[what]:.1f} times")


def _figures(reader: User, inbox: int) -> dict[str, float]:
    backend = get_backend()
    # In the middle of what is unread: far from either end of the index.
    middle = int(backend._rows(reader, None, None, archive=False)[inbox // 2].position, 16)

    def rows(before: int | None) -> float:
        return median_ms(lambda: backend._rows(reader, before, ROWS, archive=False), ROUNDS)

    return {
        "rows of the first page": rows(None),
        "rows of a further page": rows(middle),
        "count and digest": median_ms(lambda: stored_messages.summary(reader), ROUNDS),
        "a page with count and digest": median_ms(lambda: stored_messages.inbox(reader), ROUNDS),
    }
