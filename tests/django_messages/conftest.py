from pathlib import Path

import pytest

from tests.django_messages.sources import fetch


@pytest.fixture(scope="session")
def django_tests(request: pytest.FixtureRequest) -> Path:
    """The directory with Django's own tests of its messages in it."""
    return fetch(request.config.cache.mkdir("django-tests"))
