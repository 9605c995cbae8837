"""How long the rows of 1.4.0 take to be carried over, and back."""

import time

from django.core.management import call_command
from django.db import connection

from benchmarks.inbox.sizes import Sizes
from benchmarks.report import Report
from stored_messages import get_backend


def measure(report: Report, sizes: Sizes) -> None:
    get_backend()._flush()
    _migrate("0002")
    _fill_1_4(messages=sizes.deliveries // 10, copies=sizes.deliveries)
    forwards = _migrate()
    report.add(f"upgrade of {sizes.deliveries:,} archived rows of 1.4.0", f"{forwards:.0f} s")
    report.add(f"and back of {sizes.deliveries:,} deliveries", f"{_migrate('0002'):.0f} s")


def _migrate(*name: str) -> float:
    began = time.perf_counter()
    call_command("migrate", "stored_messages", *name, verbosity=0)
    return time.perf_counter() - began


def _fill_1_4(messages: int, copies: int) -> None:
    """Messages that ten users got each; every tenth copy is unread."""
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
            [first, messages, user, messages, copies - 1],
        )
        cursor.execute(
            "INSERT INTO stored_messages_inbox (message_id, user_id)"
            " SELECT message_id, user_id FROM stored_messages_messagearchive WHERE id % 10 = 0"
        )
