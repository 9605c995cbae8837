"""Users whose keys are no integers, in a project of their own: their kind is part of the tables."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import django
django.setup()
from django.contrib.auth import get_user_model
from django.test.utils import setup_databases, teardown_databases
from stored_messages import STORED_INFO, add_message_for, get_backend, inbox, mark_read, summaries

databases = setup_databases(verbosity=0, interactive=False)
users = [get_user_model().objects.create(name=name) for name in ("ada", "ben", 'c"\\\\\\'{}', "ä🔔")]
message = add_message_for(users, STORED_INFO, "for four")
add_message_for(get_user_model().objects.all(), STORED_INFO, "for all")
add_message_for(users[0], STORED_INFO, "for one")
assert mark_read(users[1], message)
get_backend().inbox_store(users, message)
found = {user.name: [str(one) for one in inbox(user).messages] for user in users}
assert found == {
    "ada": ["for one", "for all", "for four"],
    "ben": ["for four", "for all"],
    users[2].name: ["for all", "for four"],
    users[3].name: ["for all", "for four"],
}, found
assert [summary.unread for summary in summaries(users).values()] == [3, 2, 2, 2]
teardown_databases(databases, verbosity=0)
"""


@pytest.mark.parametrize("readers", ["NamedReader", "NumberedReader"])
def test_a_project_with_other_keys(readers, tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.redis.readers.settings",
        "READERS": readers,
        "PROJECT_DATABASE": str(tmp_path / "database.sqlite3"),
    }
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
