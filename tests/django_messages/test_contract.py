"""Django's own tests of message storages pass with ours, on both backends."""

import os
import re
import subprocess
import sys

import pytest

from tests.services.server import ROOT

pytestmark = pytest.mark.xdist_group("django_messages")

#: Fewer means that the adapter lost some: Django 4.2 has the fewest of them.
AT_LEAST = 600


@pytest.mark.parametrize("store", ["database", "redis"])
def test_django_s_own_tests(store, django_tests, tmp_path, request):
    env = {
        **os.environ,
        "DJANGO_TESTS": str(django_tests),
        "PROJECT_DATABASE": str(tmp_path / "project.sqlite3"),
        # On another database than a file: beside that of the tests that started this one.
        "TEST_DATABASE": f"django_messages_{os.getpid()}"
        if "TEST_DATABASE_URL" in os.environ
        else str(tmp_path / "test.sqlite3"),
    }
    if store == "redis":
        env["REDIS_URL"] = request.getfixturevalue("redis_url")
    command = [sys.executable, "-m", "django", "test", "--noinput", "--pythonpath", str(ROOT)]
    command += ["--settings", "tests.django_messages.settings"]
    # With the apps installed, Django's own storages are what they were, too.
    command += ["messages_tests", "tests.django_messages.adapter"]

    done = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.search(r"^Ran (\d+) tests", done.stderr, re.MULTILINE)
    assert ran is not None, done.stderr
    assert int(ran[1]) >= AT_LEAST
    assert "skipped" not in done.stderr
