"""The inbox on PostgreSQL at scale: sending, reading, summaries and the upgrade from 1.4.0."""

import time
from dataclasses import dataclass
from typing import Any

import django
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

import stored_messages
from benchmarks.report import Report, median_ms
from stored_messages import STORED_INFO, get_backend
from stored_messages.positions import next_position


@dataclass(frozen=True)
class Sizes:
    """How much of everything. A trial of the benchmark itself takes less of it."""

    users: int = 10_000
    many_users: int = 1_000_000
    deliveries: int = 1_000_000
    inbox: int = 100_000
    connected: int = 5_000

    def divided(self, by: int) -> "Sizes":
        return Sizes(**{name: value // by for name, value in vars(self).items()})


def run(sizes: Sizes) -> Report:
    report = Report("The inbox on PostgreSQL" if sizes == Sizes() else "A trial of the inbox")
    call_command("migrate", verbosity=0)
    _create_users(sizes.users)
    _sending(report, sizes)
    _broadcasting(report, sizes)
    _reading(report, sizes)
    _summaries(report, sizes)
    _upgrading(report, sizes)
    report.write({"Django": django.get_version(), "PostgreSQL": _server_version()})
    return report


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
    report.add(f"statements to store for {sizes.users:,} users", str(len(captured)))


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
    _create_users(sizes.many_users)
    many = median_ms(lambda: stored_messages.broadcast_message(STORED_INFO, "x"))
    report.add(
        f"broadcast with {sizes.many_users:,} users",
        f"{many:,.1f} ms",
        f"with {sizes.users:,} users: {few:,.1f} ms",
    )
    get_backend()._flush()


def _reading(report: Report, sizes: Sizes) -> None:
    backend = get_backend()
    reader = User.objects.order_by("pk")[0]
    figures: dict[tuple[str, str], float] = {}
    for name, table, inbox in (
        ("a table of 100", 100, 10),
        (f"a table of {sizes.deliveries:,}", sizes.deliveries, 10),
        (f"an inbox of {sizes.inbox:,}", sizes.deliveries, sizes.inbox),
    ):
        _fill(reader, table, inbox)
        cursor = backend._rows(reader, None, None, archive=False)[min(inbox - 2, 5000)].position
        below = int(cursor, 16)
        figures[name, "first"] = median_ms(
            lambda: backend._rows(reader, None, 21, archive=False), 15
        )
        figures[name, "further"] = median_ms(
            lambda below=below: backend._rows(reader, below, 21, archive=False), 15
        )
        figures[name, "summary"] = median_ms(lambda: stored_messages.summary(reader), 15)
        figures[name, "page"] = median_ms(lambda: stored_messages.inbox(reader), 15)
        for what, label in (
            ("first", "rows of the first page"),
            ("further", "rows of a further page"),
            ("summary", "count and digest"),
            ("page", "a page with count and digest"),
        ):
            base = figures["a table of 100", what]
            figure = figures[name, what]
            report.add(f"{label}, {name}", f"{figure:.1f} ms", f"{figure / base:.1f} times")


def _summaries(report: Report, sizes: Sizes) -> None:
    get_backend()._flush()
    _fill_everybody(sizes.connected, 10)
    _fill_archive(sizes.deliveries - sizes.connected * 10)
    for _ in range(50):
        stored_messages.broadcast_message(STORED_INFO, "x")
    _analyze()
    users = list(User.objects.order_by("pk")[: sizes.connected])
    figure = median_ms(lambda: stored_messages.summaries(users), 9)
    with CaptureQueriesContext(connection) as captured:
        stored_messages.summaries(users)
    report.add(
        f"summaries of {sizes.connected:,} users, 10 unread each, 50 broadcasts, {sizes.deliveries:,} deliveries",
        f"{figure:.0f} ms",
        f"{len(captured)} statements",
    )


def _upgrading(report: Report, sizes: Sizes) -> None:
    get_backend()._flush()
    call_command("migrate", "stored_messages", "0002", verbosity=0)
    messages = sizes.deliveries // 10
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stored_messages_message (message, level, tags, date, url)"
            " SELECT 'message ' || n, 21, '', now(), NULL FROM generate_series(1, %s) n",
            [messages],
        )
        cursor.execute("SELECT min(id) FROM stored_messages_message")
        first = cursor.fetchone()[0]
        cursor.execute("SELECT min(id) FROM auth_user")
        user = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO stored_messages_messagearchive (message_id, user_id)"
            " SELECT %s + n %% %s, %s + n / %s FROM generate_series(0, %s) n",
            [first, messages, user, messages, sizes.deliveries - 1],
        )
        cursor.execute(
            "INSERT INTO stored_messages_inbox (message_id, user_id)"
            " SELECT message_id, user_id FROM stored_messages_messagearchive WHERE id %% 10 = 0".replace(
                "%%", "%"
            )
        )
    began = time.perf_counter()
    call_command("migrate", "stored_messages", verbosity=0)
    report.add(
        f"upgrade of {sizes.deliveries:,} archived rows of 1.4.0",
        f"{time.perf_counter() - began:.0f} s",
    )


def _create_users(total: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (username, password, first_name, last_name, email, is_staff,"
            " is_superuser, is_active, date_joined)"
            " SELECT 'user' || n, '', '', '', '', false, false, true, now() - interval '1 day'"
            " FROM generate_series((SELECT count(*) FROM auth_user) + 1, %s) n",
            [total],
        )
    _analyze()


def _fill(reader: User, table: int, inbox: int) -> None:
    """A table of so many deliveries, of which so many are unread ones of this user."""
    get_backend()._flush()
    _fill_archive(max(0, table - inbox))
    _insert(inbox, f"{reader.pk}", "NULL")
    _analyze()


def _fill_archive(count: int) -> None:
    """Read messages of many users."""
    _insert(count, "(SELECT min(id) FROM auth_user) + 1 + n %% 9000", "now()")


def _fill_everybody(users: int, each: int) -> None:
    _insert(users * each, f"(SELECT min(id) FROM auth_user) + n %% {users}", "NULL")


def _insert(count: int, user: str, read_at: str) -> None:
    start = next_position()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO stored_messages_message (message, level, extra_tags, date, sent_at, data,"
            " safe, broadcast, position, stamp) SELECT 'x', 21, '', now(), now(), '{}', false, false,"
            " %s + n, 1 + (random() * 4294967293)::bigint FROM generate_series(1, %s) n"
            " RETURNING id, position, stamp, date)"
            " INSERT INTO stored_messages_delivery (user_id, message_id, position, stamp, date, broadcast, read_at)"
            f" SELECT {user}, id, position, stamp, date, false, {read_at}"
            " FROM (SELECT *, row_number() OVER () AS n FROM made) AS numbered",
            [start, count],
        )


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).partition(" ")[0]
