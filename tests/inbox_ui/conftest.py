"""The shipped backends, one of 1.4.0's time, and people."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from stored_messages import get_backend
from stored_messages.backends.database import DefaultBackend
from tests.inbox_ui.legacy import PATH as LEGACY

DATABASE = "stored_messages.backends.DefaultBackend"
REDIS = "stored_messages.backends.RedisBackend"


@pytest.fixture(params=[DATABASE, REDIS], ids=["database", "redis"])
def backend(request, settings, db):
    """Each shipped backend in turn."""
    configured = {**settings.STORED_MESSAGES, "STORAGE_BACKEND": request.param}
    if request.param == REDIS:
        configured["REDIS_URL"] = request.getfixturevalue("redis_url")
    settings.STORED_MESSAGES = configured
    yield get_backend()
    get_backend()._flush()


@pytest.fixture
def database(settings, db):
    """The backend whose tables a test looks into."""
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "STORAGE_BACKEND": DATABASE}
    backend = get_backend()
    assert isinstance(backend, DefaultBackend)
    return backend


@pytest.fixture
def redis_backend(settings, db, redis_url):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": REDIS,
        "REDIS_URL": redis_url,
    }
    return get_backend()


@pytest.fixture
def legacy(settings, db):
    """A third party's backend that knows 1.4.0's interface only."""
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "STORAGE_BACKEND": LEGACY}
    yield get_backend()
    get_backend()._flush()


@pytest.fixture
def configure(settings):
    """Set keys of ``STORED_MESSAGES`` beside those that are set."""

    def configure(**keys):
        settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, **keys}

    return configure


@pytest.fixture
def person(db):
    """Create a user who joined long ago, so that they see every broadcast of the test."""

    def create(username, **fields):
        joined = timezone.now() - timedelta(days=1000)
        return User.objects.create(username=username, date_joined=joined, **fields)

    return create


@pytest.fixture
def ada(person):
    return person("ada")


@pytest.fixture
def ben(person):
    return person("ben")
