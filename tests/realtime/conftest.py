"""A user, quick rounds, and layers and backends that can be looked at."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from realtime import database, log, login
from realtime.publisher import flush
from tests.realtime.layers import RecordingLayer
from tests.realtime.stores import GatedBackend
from tests.services.waiting import CEILING

INTERVAL = 0.5


@pytest.fixture(autouse=True)
def quick_rounds(settings: Settings) -> None:
    settings.REALTIME = {"RECONCILE_INTERVAL": INTERVAL}


@pytest.fixture(autouse=True)
def nothing_from_before() -> None:
    """Each test begins with nothing logged so far, and with no event of another test on its way to a layer."""
    assert flush(CEILING)
    log.forget()


@pytest.fixture
def user(transactional_db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def other(transactional_db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def recorded(settings: Settings) -> RecordingLayer:
    """The configured layer, which only notes what it is to send."""
    return _layer(settings, "tests.realtime.layers.RecordingLayer")


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No call of the database is given up: whoever is made to wait stays the only one who asks."""
    for name in ("SHORTEST", "LONGEST"):
        monkeypatch.setattr(database, name, CEILING * 2)
    login.stop_threads()
    yield
    login.stop_threads()


@pytest.fixture
def gate(settings: Settings, patience: None) -> Any:
    """A backend whose bulk summaries wait, once computed, until they are let through."""
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": "tests.realtime.stores.GatedBackend",
    }
    GatedBackend.reset()
    yield GatedBackend
    GatedBackend.open_for_good()


def _layer(settings: Settings, backend: str, **config: Any) -> Any:
    from channels.layers import get_channel_layer

    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": config}}
    return get_channel_layer()
