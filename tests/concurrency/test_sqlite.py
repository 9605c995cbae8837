"""Processes that write to one SQLite database wait for each other, up to its timeout."""

import sqlite3
import subprocess
import sys
import textwrap

import pytest

WRITERS = 3
ROUNDS = 10

#: What each process does: sends and all changes, in transactions of its own.
PROGRAM = textwrap.dedent("""
    import sys
    import django
    from django.conf import settings

    database, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "stored_messages"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "OPTIONS": {"timeout": float(sys.argv[4])},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="for tests",
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import User
    from stored_messages import STORED_INFO, add_message_for, get_backend, mark_all_read
    from stored_messages import broadcast_message, dismiss, mark_read, mark_unread

    user = User.objects.get()
    backend = get_backend()
    for number in range(rounds):
        message = add_message_for(User.objects.all(), STORED_INFO, f"{name} {number}")
        assert mark_read(user, message) in (True, False)
        mark_unread(user, message)
        backend.inbox_store([user], message)
        backend.cleanup()
        everybody = broadcast_message(STORED_INFO, f"{name} {number}")
        mark_all_read(user)
        dismiss(user, everybody)
""")

PREPARE = PROGRAM.split("from django.contrib.auth.models")[0] + textwrap.dedent("""
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    User.objects.create(username="ada")
""")


def start(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "crowded.sqlite3"
    process = start(PREPARE, path, "", 0, 30)
    assert process.communicate(timeout=120) == (None, "")
    return path


def test_writers_wait_for_each_other(database):
    writers = [start(PROGRAM, database, number, ROUNDS, 60) for number in range(WRITERS)]

    assert [writer.communicate(timeout=120)[1] for writer in writers] == [""] * WRITERS

    with sqlite3.connect(database) as connection:
        count = "SELECT count(*) FROM stored_messages_message WHERE NOT broadcast"
        assert connection.execute(count).fetchone() == (WRITERS * ROUNDS,)
        count = (
            "SELECT count(DISTINCT message_id) FROM stored_messages_delivery WHERE NOT broadcast"
        )
        assert connection.execute(count).fetchone() == (WRITERS * ROUNDS,)


def test_who_waits_longer_than_the_timeout_is_told(database):
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        writer = start(PROGRAM, database, "late", 1, 0.1)
        error = writer.communicate(timeout=120)[1]
        connection.execute("ROLLBACK")

    assert "database is locked" in error
