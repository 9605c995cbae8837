"""What sending costs, to some and to everybody."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

import stored_messages
from benchmarks.inbox.filling import create_users
from benchmarks.inbox.sizes import Sizes
from benchmarks.report import Report, median_ms
from stored_messages import STORED_INFO, get_backend


def measure(report: Report, sizes: Sizes) -> None:
    _sending(report, sizes)
    _broadcasting(report, sizes)
    get_backend()._flush()


def _sending(report: Report, sizes: Sizes) -> None:
    for count in (1, 100, sizes.users):
        users = User.objects.order_by("pk")[:count]
        ours = median_ms(
            lambda users=users: stored_messages.add_message_for(users, STORED_INFO, "x")
        )
        rounds, sample = (5, count) if count <= 100 else (1, 1000)
        theirs = median_ms(
            lambda sample=sample: _as_in_1_4(User.objects.order_by("pk")[:sample]),
            rounds,
            warm_up=0,
        )
        theirs *= count / sample
        report.add(
            f"store for {count:,} users",
            f"{ours:,.1f} ms",
            f"1.4.0's four statements a user: {theirs:,.0f} ms, {theirs / ours:,.0f} times",
        )
    with CaptureQueriesContext(connection) as captured:
        stored_messages.add_message_for(User.objects.all(), STORED_INFO, "x")
    report.add(f"statements to store for {sizes.users:,} users", str(len(captured)), "at most 25")


def _as_in_1_4(users: Any) -> None:
    """What 1.4.0 does: look for a row, and write it, in two tables, user by user. In bare SQL, to its advantage."""
    with connection.cursor() as cursor:
        for table in ("old_archive", "old_inbox"):
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id serial PRIMARY KEY, message_id integer, user_id integer)"
            )
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_user ON {table} (user_id)")
        for pk in users.values_list("pk", flat=True):
            for table in ("old_archive", "old_inbox"):
                cursor.execute(
                    f"SELECT id FROM {table} WHERE user_id = %s AND message_id = 1", [pk]
                )
                cursor.execute(f"INSERT INTO {table} (message_id, user_id) VALUES (1, %s)", [pk])


def _broadcasting(report: Report, sizes: Sizes) -> None:
    few = median_ms(lambda: stored_messages.broadcast_message(STORED_INFO, "x"))
    create_users(sizes.many_users)
    many = median_ms(lambda: stored_messages.broadcast_message(STORED_INFO, "x"))
    report.add(
        f"broadcast with {sizes.many_users:,} users",
        f"{many:,.1f} ms",
        f"with {sizes.users:,} users: {few:,.1f} ms",
    )
