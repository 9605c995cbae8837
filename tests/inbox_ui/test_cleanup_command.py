"""``manage.py stored_messages_cleanup``."""

import os
import pty
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.inbox_ui import legacy as third_party
from tests.inbox_ui.sending import archive, draft, inbox, sent_days_ago


@pytest.fixture(autouse=True)
def _days(configure):
    configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)


@pytest.fixture
def due(configure):
    """Give a user something of everything that a cleanup is for."""

    def send(backend, user):
        configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=1000)
        for days, text in ((30, "gone"), (15, "old"), (1, "fresh")):
            backend.send([user], [sent_days_ago(days, text)])
        configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)

    return send


def run(*arguments, **options):
    out = StringIO()
    call_command("stored_messages_cleanup", *arguments, stdout=out, **options)
    return out.getvalue()


def test_it_cleans_up_and_says_so(backend, ada, due, configure):
    due(backend, ada)

    out = run()
    assert out.startswith("Removed ")
    assert out.endswith(" expired and 0 without an owner, and 1 from inboxes only.\n")
    assert run() == "Removed 0 expired and 0 without an owner, and 0 from inboxes only.\n"
    configure(INBOX_EXPIRE_DAYS=None, MESSAGE_EXPIRE_DAYS=None)
    assert inbox(backend, ada) == ["fresh"]
    assert archive(backend, ada) == ["old", "fresh"]


def test_a_dry_run_says_the_same_and_removes_nothing(backend, ada, due, configure):
    due(backend, ada)

    would = run("--dry-run")
    assert would.startswith("Would remove ")
    assert run("--dry-run") == would
    assert run() == would.replace("Would remove", "Removed")


def test_quietly(backend, ada, due):
    due(backend, ada)

    assert run(verbosity=0) == ""
    assert backend.cleanup(dry_run=True) == (0, 0, 0)


def on_a_terminal(*arguments, **options):
    """What somebody sees who runs the command."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        call_command("stored_messages_cleanup", *arguments, stdout=terminal, **options)
    seen = b""
    # A terminal that nobody writes to any more ends with an error.
    with os.fdopen(master, "rb", buffering=0) as screen, suppress(OSError):
        while shown := screen.read(4096):
            seen += shown
    return seen.decode()


def test_a_bar_on_a_terminal(backend, ada, due):
    due(backend, ada)

    lines = on_a_terminal().splitlines()
    bars = [line for line in lines if line.startswith("[")]
    assert bars[-1] == f"[{'#' * 40}] 100%"
    assert lines[-1].startswith("Removed ")


def test_no_bar_without_work_or_when_quiet(backend, ada, due):
    assert "[" not in on_a_terminal()
    due(backend, ada)
    assert "[" not in on_a_terminal("--dry-run")


def test_a_backend_with_the_method_of_1_4_0_only(legacy, ada):
    legacy.send([ada], [draft()])
    before = legacy.cleaned

    assert run() == "Cleaned up. This backend does not say what it removed.\n"
    assert legacy.cleaned == before + 1
    assert "Cleaned up." in on_a_terminal()
    with pytest.raises(CommandError, match="LegacyBackend cannot tell"):
        run("--dry-run")
    assert legacy.cleaned == before + 2


def test_a_backend_without_cleanup(db, configure):
    configure(STORAGE_BACKEND=f"{third_party.__name__}.NoCleanup")

    with pytest.raises(CommandError, match="There is no cleanup"):
        run()
