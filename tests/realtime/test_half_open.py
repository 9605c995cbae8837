"""A connection to Redis on which nothing passes any more, and of which neither end is told.

Nothing fails there for many minutes, so nothing is tried again: the hub has to find out by itself.
"""

import gc
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from realtime.testing import InboxTab
from tests.realtime.test_deafness import CORE, PUBSUB, hears, use
from tests.services.processes import HOST
from tests.services.redis import RedisServer
from tests.services.waiting import eventually
from tests.services.wire import Wire

#: News arrive by themselves within so many intervals after Redis can be reached again.
INTERVAL, BACK_WITHIN = 3.0, 10


# What is dead cannot be closed in good order: it is left, and says so when it is collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

LAYERS = {"pubsub": PUBSUB, "core": CORE}


@pytest.fixture
def wire(redis_server: RedisServer, redis_url: str) -> Iterator[Wire]:
    with Wire(redis_server.port).running() as wire:
        yield wire
    # What a layer had under way has failed, and says so when it is collected. Python 3.11 breaks off whatever
    # is being compiled at such a moment.
    gc.collect()


@pytest.mark.parametrize(
    ("layer", "again"),
    [
        ("pubsub", "everything passes"),
        ("pubsub", "new connections work"),
        ("core", "everything passes"),
        ("core", "new connections work"),
    ],
)
async def test_nothing_passes_for_a_while(
    user: User,
    wire: Wire,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    layer: str,
    again: str,
) -> None:
    settings.REALTIME = {"RECONCILE_INTERVAL": INTERVAL}
    # No timeout, as it is before redis-py 8: there a core layer cannot even close what is dead.
    host = {"address": f"redis://{HOST}:{wire.port}/0", "socket_timeout": None}
    use(settings, LAYERS[layer], hosts=[host])
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        assert wire.go_dead()
        await eventually(lambda: "watching the channel layer" in caplog.text, "the hub finds out")
        if again == "everything passes":
            wire.come_back()
        else:
            wire.take_new()
        await hears(tab, user, timeout=BACK_WITHIN * INTERVAL)
