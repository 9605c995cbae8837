"""Users and deliveries by the hundred thousand, made by the database itself."""

from django.contrib.auth.models import User
from django.db import connection

from stored_messages import get_backend
from stored_messages.positions import next_position


def create_users(total: int) -> None:
    """See to it that there are so many users."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (username, password, first_name, last_name, email, is_staff,"
            " is_superuser, is_active, date_joined)"
            " SELECT 'user' || n, '', '', '', '', false, false, true, now() - interval '1 day'"
            " FROM generate_series((SELECT count(*) FROM auth_user) + 1, %s) n",
            [total],
        )
    analyze()


def fill(unread: dict[User, int], total: int) -> None:
    """A table of so many deliveries, of which some are unread ones of these users."""
    get_backend()._flush()
    fill_archives(total - sum(unread.values()))
    for reader, count in unread.items():
        _insert(count, f"{reader.pk}", "NULL")
    analyze()


def fill_archives(count: int, users: int = 9000) -> None:
    """So many read messages among the first users."""
    _insert(count, f"(SELECT min(id) FROM auth_user) + n %% {users}", "now()")


def fill_inboxes(users: int, each: int) -> None:
    """So many unread messages for each of the first users, theirs alone."""
    _insert(users * each, f"(SELECT min(id) FROM auth_user) + n %% {users}", "NULL")


def analyze() -> None:
    """What autovacuum does in time: statistics, and the map that index-only scans need."""
    with connection.cursor() as cursor:
        # The map shows no rows whose commit has not been written yet; the tests' server does not wait for that.
        cursor.execute("CHECKPOINT")
        cursor.execute("VACUUM ANALYZE")


def server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).partition(" ")[0]


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
