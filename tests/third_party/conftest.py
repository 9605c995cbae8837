"""Each of the backends in turn, and people."""

import pytest
from django.contrib.auth.models import User

from stored_messages import get_backend


@pytest.fixture(params=["DictBackend", "TextIdsBackend"])
def backend(request, settings):
    path = f"tests.third_party.backends.{request.param}"
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": path}
    backend = get_backend()
    yield backend
    backend._flush()


@pytest.fixture
def ada(db):
    return User.objects.create(username="ada")


@pytest.fixture
def ben(db):
    return User.objects.create(username="ben")
