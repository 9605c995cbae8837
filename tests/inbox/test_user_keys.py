"""Users whose keys are no integers, in a project of their own: their kind is part of the tables."""

import json
import os
import subprocess
import sys

import pytest
from django.db import models

from stored_messages.models import Delivery
from stored_messages.owners import array_type, is_number

BEGIN = """
from contextlib import suppress
import django
django.setup()
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.test.utils import setup_databases, teardown_databases
from stored_messages import STORED_INFO, add_message_for, get_backend, inbox, mark_read, summaries

databases = setup_databases(verbosity=0, interactive=False)
Reader = get_user_model()
"""

END = """
get_backend()._flush()
teardown_databases(databases, verbosity=0)
"""

SEVERAL = """
users = [Reader.objects.create(**values) for values in ADA_BEN_AND_OTHERS]
message = add_message_for(users, STORED_INFO, "for four")
add_message_for(Reader.objects.all(), STORED_INFO, "for all")
add_message_for(users[0], STORED_INFO, "for one")
assert mark_read(users[1], message)
get_backend().inbox_store(users, message)
get_backend().cleanup()
assert [[str(one) for one in inbox(user).messages] for user in users] == [
    ["for one", "for all", "for four"],
    ["for four", "for all"],
    ["for all", "for four"],
    ["for all", "for four"],
]
assert summaries(users) == {user.pk: inbox(user).summary for user in users}
"""

NAMES = ["ada", "ben", "c\"\\'{}", "ä🔔"]
READERS = {
    "NamedReader": [{"name": name} for name in NAMES],
    "NumberedReader": [{"name": name} for name in NAMES],
    "PrefixedReader": [{"name": name, "id": f"usr_{7 + i}"} for i, name in enumerate(NAMES)],
    "ReaderByAddress": [
        {"id": address} for address in ("1.2.3.4", "::1", "2001:db8::1", "fe80::1")
    ],
}

NEARLY = r"""
ada, longest = Reader.objects.create(name="ada"), Reader.objects.create(name="z" * 600)
for nearly in ("ada\0", "ada\0x", "ada\ud800", "z" * 601, "z" * 5000):
    for others in ((), ("ben",), ("ben", "cy")):
        # A database may refuse it; it must not take it for another.
        with suppress(DatabaseError, ValueError):
            add_message_for([nearly, *others], STORED_INFO, "for somebody else")
        assert not inbox(ada).messages and not inbox(longest).messages, nearly
        get_backend().cleanup()
"""


@pytest.mark.parametrize("readers", READERS)
def test_users_with_keys_of_another_kind_have_inboxes(in_a_project_of_its_own, readers):
    several = SEVERAL.replace("ADA_BEN_AND_OTHERS", ascii(READERS[readers]))
    in_a_project_of_its_own(readers, several)


def test_a_key_that_is_nearly_that_of_a_user_is_not_theirs(in_a_project_of_its_own):
    in_a_project_of_its_own("NamedReader", NEARLY)


@pytest.mark.parametrize(
    ("db_type", "several"),
    [
        ("integer", "integer[]"),
        ("numeric(10, 2)", "numeric(10, 2)[]"),
        ("varchar(26)", "text[]"),
        ("VARCHAR(26)", "text[]"),
        ("character varying (26)", "text[]"),
        ("char(32)", "bpchar[]"),
        ("character(32)", "bpchar[]"),
        ("bit varying(8)", "varbit[]"),
    ],
)
def test_an_array_cuts_no_text(db_type, several):
    assert array_type(db_type) == several


@pytest.fixture
def in_a_project_of_its_own(backend, settings, tmp_path):
    def run(readers, program):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.redis.readers.settings",
            "READERS": readers,
            "INBOX": json.dumps(settings.STORED_MESSAGES),
            "PROJECT_DATABASE": str(tmp_path / "database.sqlite3"),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", BEGIN + program + END],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


def test_a_number_is_a_number_unless_a_field_makes_something_else_of_it():
    class Masked(models.BigIntegerField):
        def get_prep_value(self, value):
            return value ^ 0xFFFF

    assert is_number(models.BigAutoField())
    assert is_number(Delivery._meta.get_field("user"))
    assert not is_number(models.CharField())
    assert not is_number(Masked())
