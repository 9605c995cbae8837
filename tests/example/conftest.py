"""The tracker's people, signed in."""

from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from stored_messages import get_backend

# The settings of a process cannot be exchanged: `pytest tests/example` is a run of its own.
collect_ignore_glob = [] if "tracker" in settings.INSTALLED_APPS else ["test_*.py"]


def person(name, **fields):
    return User.objects.create(username=name, first_name=name.title(), last_name="Test", **fields)


@pytest.fixture
def ada(db):
    return person("ada")


@pytest.fixture
def ben(db):
    return person("ben")


@pytest.fixture
def mira(db):
    return person("mira", is_staff=True)


@pytest.fixture
def browser(client):
    """Sign a person in, and return what they would browse with."""

    def sign_in(who):
        client.force_login(who)
        return client

    return sign_in


@pytest.fixture
def seeded(db):
    call_command("seed", stdout=StringIO())


@pytest.fixture
def inbox():
    """What a person has unread, oldest first."""
    return lambda who: list(get_backend().inbox_list(who))
