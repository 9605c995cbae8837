"""What reconciling costs: the summaries of all who are connected."""

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

import stored_messages
from benchmarks.inbox.filling import analyze, fill_archives, fill_inboxes
from benchmarks.inbox.sizes import Sizes
from benchmarks.inbox.timing import timed
from benchmarks.report import Report
from stored_messages import STORED_INFO, get_backend

UNREAD = 10
BROADCASTS = 50


def measure(report: Report, sizes: Sizes) -> None:
    get_backend()._flush()
    fill_inboxes(sizes.connected, UNREAD)
    fill_archives(sizes.deliveries - sizes.connected * UNREAD)
    for _ in range(BROADCASTS):
        stored_messages.broadcast_message(STORED_INFO, "x")
    analyze()
    users = list(User.objects.order_by("pk")[: sizes.connected])
    figure = timed(lambda: stored_messages.summaries(users), 15)
    with CaptureQueriesContext(connection) as captured:
        stored_messages.summaries(users)
    report.add(
        f"summaries of {sizes.connected:,} users, {UNREAD} unread each, {BROADCASTS} broadcasts,"
        f" {sizes.deliveries:,} deliveries",
        str(figure),
        f"{len(captured)} statements",
    )
