"""What sending costs, to some and to everybody."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

import stored_messages
from benchmarks.inbox import predecessor
from benchmarks.inbox.filling import create_users
from benchmarks.inbox.sizes import Sizes
from benchmarks.report import Report, median_ms
from stored_messages import STORED_INFO, get_backend


def measure(report: Report, sizes: Sizes) -> None:
    _sending(report, sizes)
    _broadcasting(report, sizes)
    get_backend()._flush()


#: How many times faster than 1.4.0 it has to be, by number of users.
WANTED = {1: 2, 10_000: 40}
#: Of so many users 1.4.0's time is measured; of more, it is as many times that.
SAMPLE = 1000


def _sending(report: Report, sizes: Sizes) -> None:
    for count in (1, 100, sizes.users):
        ours = _median(count, stored_messages.add_message_for, _recipients(count))
        sample = min(count, SAMPLE)
        with predecessor.tables():
            theirs = _median(sample, predecessor.add_message_for, _recipients(sample))
        theirs *= count / sample
        wanted = f", wanted: {WANTED[count]}" if count in WANTED else ""
        report.add(
            f"store for {count:,} user{'s' if count > 1 else ''}",
            f"{ours:,.1f} ms",
            f"1.4.0's way: {theirs:,.1f} ms, {theirs / ours:,.1f} times{wanted}",
        )
    with CaptureQueriesContext(connection) as captured:
        stored_messages.add_message_for(User.objects.all(), STORED_INFO, "x")
    report.add(f"statements to store for {sizes.users:,} users", str(len(captured)), "at most 25")


def _recipients(count: int) -> Any:
    """One user is at hand; more of them are looked up."""
    last = User.objects.order_by("pk")[count - 1]
    return [last] if count == 1 else User.objects.filter(pk__lte=last.pk)


def _median(count: int, send: Callable[[Any, int, str], Any], users: Any) -> float:
    return median_ms(
        lambda: send(users if isinstance(users, list) else users.all(), STORED_INFO, "x"),
        rounds=max(5, 100 // count),
    )


def _broadcasting(report: Report, sizes: Sizes) -> None:
    few = median_ms(lambda: stored_messages.broadcast_message(STORED_INFO, "x"))
    create_users(sizes.many_users)
    many = median_ms(lambda: stored_messages.broadcast_message(STORED_INFO, "x"))
    report.add(
        f"broadcast with {sizes.many_users:,} users",
        f"{many:,.1f} ms",
        f"with {sizes.users:,} users: {few:,.1f} ms",
    )
