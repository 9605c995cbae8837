"""The Redis backend on a server or a cluster, people, and a count of what goes over the wire."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis.connection
from django.contrib.auth.models import User
from django.utils import timezone

from stored_messages import get_backend

REDIS = "stored_messages.backends.RedisBackend"


@pytest.fixture
def at(settings):
    """Configure the backend for a url and return it."""

    def at(url, **keys):
        settings.STORED_MESSAGES = {
            **settings.STORED_MESSAGES,
            "STORAGE_BACKEND": REDIS,
            "REDIS_URL": url,
            **keys,
        }
        return get_backend()

    return at


@pytest.fixture
def backend(at, redis_url, db):
    return at(redis_url)


@pytest.fixture
def on_cluster(at, redis_cluster_url, db):
    return at(redis_cluster_url)


@pytest.fixture
def person(db):
    """Create a user who joined a day ago, so that they see the broadcasts of the test."""

    def create(username="ada"):
        joined = timezone.now() - timedelta(days=1)
        return User.objects.create(username=username, date_joined=joined)

    return create


@pytest.fixture
def ada(person):
    return person("ada")


@pytest.fixture
def ben(person):
    return person("ben")


@pytest.fixture
def crowd(db):
    def create(number):
        joined = timezone.now() - timedelta(days=1)
        return User.objects.bulk_create(
            User(username=f"user{i}", date_joined=joined) for i in range(number)
        )

    return create


@pytest.fixture
def sent_to(monkeypatch):
    """Within `with sent_to() as ports`, the port of each batch of bytes that goes to a server; it goes there."""
    recorded = []
    send_packed_command = redis.connection.AbstractConnection.send_packed_command

    def send(self, command, *args, **kwargs):
        for writes in recorded:
            writes.append(getattr(self, "port", None))
        return send_packed_command(self, command, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", send)

    @contextmanager
    def sent_to():
        writes = []
        recorded.append(writes)
        try:
            yield writes
        finally:
            recorded.remove(writes)

    return sent_to
