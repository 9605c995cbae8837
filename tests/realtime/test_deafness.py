"""Whatever a layer forgets, a hub hears again: not only do summaries heal what was missed, events arrive by themselves.

What arrives is a `stored` frame; reconciling sends only `sync`.
"""

import asyncio
import gc
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from io import StringIO
from itertools import count, cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels_redis.core import RedisChannelLayer
from channels_redis.utils import _consistent_hash as consistent_hash
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings
from redis import Redis, RedisError

from realtime import line, membership, status
from realtime.counters import counters
from realtime.events import deliveries
from realtime.groups import everybody, user_group
from realtime.health import health
from realtime.hubs import get_hub
from realtime.publisher import flush, publish, waiting
from realtime.publisher_thread import WINDOW
from realtime.testing import InboxTab
from tests.realtime.sending import send, summary
from tests.services.redis import RedisServer
from tests.services.waiting import CEILING, eventually

# A connection whose Redis goes may be left as it is, and says so when it is collected.
REDIS_GOES = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"


def use(settings: Settings, backend: str, **config: Any) -> Any:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": config}}
    return get_channel_layer()


@pytest.fixture(params=[None, IN_MEMORY, PUBSUB, CORE], ids=["own", "in-memory", "pubsub", "core"])
def backend(request: pytest.FixtureRequest, settings: Settings) -> str | None:
    if request.param in (PUBSUB, CORE):
        use(settings, request.param, hosts=[request.getfixturevalue("redis_url")])
    elif request.param is not None:
        use(settings, request.param)
    chosen: str | None = request.param
    return chosen


async def hears(tab: InboxTab, user: User, timeout: float = CEILING) -> None:
    """Wait until a message arrives by itself."""
    sent: set[str] = set()

    async def heard() -> bool:
        sent.add((await send(user)).id)
        while True:
            frame = await tab.frame()
            if frame["type"] == "stored" and frame["message"]["id"] in sent:
                return True
            if frame["type"] == "sync" and frame["unread"] == (await summary(user)).unread:
                return False  # a summary was quicker

    await eventually(heard, "an event by the live path", timeout=timeout)


async def test_the_layer_is_flushed_under_a_pending_receive(
    user: User, backend: str | None
) -> None:
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        # The core layer closes the publisher's connections too, in the wrong loop, having forgotten everything.
        with suppress(RuntimeError):
            await (get_channel_layer() or get_hub().layer).flush()
        await hears(tab, user)


@REDIS_GOES
async def test_the_layer_is_flushed_while_redis_is_down(
    user: User, settings: Settings, redis_url: str, redis_server: RedisServer
) -> None:
    """It knows the channel no more, and says so only when it is asked to add it to a group."""
    use(settings, PUBSUB, hosts=[redis_url])
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        joined = get_hub()._line.membership
        doubts = joined._doubts
        await asyncio.to_thread(redis_server.kill)
        try:
            await eventually(lambda: joined._doubts > doubts, "the hub doubts its groups")
            with suppress(RuntimeError, RedisError):
                await get_hub().layer.flush()
        finally:
            redis_server.start()
        await hears(tab, user)


@pytest.mark.parametrize("own", [True, False], ids=["own", "in-memory"])
async def test_an_event_waited_for_longer_than_its_expiry(
    user: User, settings: Settings, own: bool
) -> None:
    if not own:
        use(settings, IN_MEMORY)
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        layer = get_channel_layer() or get_hub().layer
        layer.expiry = 0.05
        group = user_group(user.pk)
        [channel] = layer.groups[group]
        # Something keeps the loop busy while an event waits; the next one finds the channel expired.
        await layer.send(channel, {"type": "inbox.probe", "way": "own"})
        time.sleep(0.1)  # noqa: ASYNC251
        await layer.group_send(group, {"type": "inbox.probe", "way": "own"})
        assert channel not in layer.groups.get(group, {})
        layer.expiry = 60
        await hears(tab, user)


async def test_groups_are_added_again_before_they_expire(
    user: User, settings: Settings, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REALTIME = {"RECONCILE_INTERVAL": 12.0}  # a busy machine needs time for probes
    expiry = 3
    layer = use(settings, CORE, hosts=[redis_url], group_expiry=expiry)
    with Redis.from_url(redis_url) as client:

        def added() -> float:
            members = client.zrange(layer._group_key(user_group(user.pk)), 0, -1, withscores=True)
            return max((score for _, score in members), default=0.0)

        async with InboxTab(user=user) as tab:
            first = added()
            await eventually(lambda: added() > first + expiry, "the group outlives its expiry")
            await hears(tab, user)
    assert "Nothing arrives" not in caplog.text


@REDIS_GOES
@pytest.mark.parametrize("layer", [PUBSUB, CORE], ids=["pubsub", "core"])
async def test_a_group_is_joined_while_redis_is_down(
    user: User,
    other: User,
    settings: Settings,
    redis_url: str,
    redis_server: RedisServer,
    layer: str,
) -> None:
    use(settings, layer, hosts=[redis_url])
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        await asyncio.to_thread(redis_server.kill)
        async with InboxTab(user=other, live=False) as newcomer:
            message = await send(other)
            while (await newcomer.frame("sync"))["digest"] != message.stamp:
                pass
            redis_server.start()
            await hears(newcomer, other)
            await hears(tab, user)


async def test_a_burst_exceeds_every_capacity(user: User, backend: str | None) -> None:
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        for number in range(1000):
            publish(deliveries([user.pk], [f'{{"type":"burst","number":{number}}}'])[0])
        await hears(tab, user)
        message = await send(user)
        await eventually(lambda: get_hub()._line.arrived.is_set() is False, "the burst is over")
        while (await tab.frame("sync"))["unread"] != (await summary(user)).unread:
            pass
        assert message.stamp


async def test_a_layer_that_is_slower_than_a_hub_is_patient(user: User, settings: Settings) -> None:
    """Nothing is lost there, and giving up channel after channel would lose everything."""
    layer = use(settings, "tests.realtime.layers.SlowLayer")
    # Slower than any hub at first: one that was held up itself would find its probe and lose no patience.
    usual, layer.delay = layer.delay, 5.0
    async with InboxTab(user=user, live=False) as tab:
        await eventually(lambda: layer.channels_made > 1, "the hub has lost its patience")
        layer.delay = usual
        await hears(tab, user)
        await eventually(lambda: keeps_its_channel(tab), "a channel that is kept")


async def keeps_its_channel(tab: InboxTab) -> bool:
    renewed = counters.channels_renewed
    for _ in range(2):  # heartbeats, a second apart
        await tab.frame("sync")
    return counters.channels_renewed == renewed


@pytest.fixture
def second_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
    gc.collect()


async def test_one_of_several_brokers_forgets_its_groups(
    settings: Settings,
    transactional_db: None,
    redis_server: RedisServer,
    redis_url: str,
    second_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the others, and with them everything that probes go through, are well."""
    layer = use(settings, CORE, hosts=[redis_url, second_redis.url])
    well = layer.consistent_hash(everybody())
    word = next(
        word for word in map(str, count()) if layer.consistent_hash(f"realtime.hub.{word}") == well
    )
    monkeypatch.setattr(line, "get_random_string", lambda length: word)
    users = [await User.objects.acreate(username=f"user-{number}") for number in range(20)]
    user = next(one for one in users if layer.consistent_hash(user_group(one.pk)) != well)
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        await asyncio.to_thread((redis_server, second_redis)[1 - well].flush)
        await hears(tab, user)


@REDIS_GOES
@pytest.mark.parametrize("down", [0, 1])
async def test_one_of_several_brokers_is_down(
    settings: Settings,
    transactional_db: None,
    redis_url: str,
    second_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    down: int,
) -> None:
    """Who comes meanwhile hears what goes through the other; be it the one that everybody's group is at."""
    monkeypatch.setattr(membership, "BATCH", 2)
    settings.REALTIME = {
        "RECONCILE_INTERVAL": 3.0
    }  # time for probes: a new channel is another test
    hosts = [redis_url, second_redis.url][:: -1 if down == 0 else 1]
    use(settings, PUBSUB, hosts=hosts)
    users = [await User.objects.acreate(username=f"user-{number}") for number in range(40)]

    def is_well(user: User) -> bool:
        return consistent_hash(f"asgi__group__{user_group(user.pk)}", 2) != down

    well = [user for user in users if is_well(user)]
    others = [user for user in users if not is_well(user)]
    async with InboxTab(user=well[0]) as first, AsyncExitStack() as tabs:
        await hears(first, well[0])
        second_redis.stop()
        for other in others[:3]:
            await tabs.enter_async_context(InboxTab(user=other, live=False))
        for user in well[1:4]:
            tab = await tabs.enter_async_context(InboxTab(user=user, live=False))
            await hears(tab, user)
        second_redis.start()
        async with InboxTab(user=others[3], live=False) as late:
            await hears(late, others[3])


async def test_which_of_several_brokers_is_frozen_is_said(
    settings: Settings,
    transactional_db: None,
    redis_url: str,
    second_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By those who can be heard: they, and everybody's group, are at the other one."""

    def place(group: str) -> int:
        return int(consistent_hash(f"asgi__group__{group}", 2))

    def place_of_channel(number: str) -> int:
        return int(consistent_hash(f"asgispecific.{number}", 2))

    well = place(everybody())
    word = next(word for word in map(str, count()) if place(f"realtime.hub.{word}") == well)
    monkeypatch.setattr(line, "get_random_string", lambda length: word)
    # So is the hub's channel: over a line that it has, the layer would not wait for the frozen one's answer.
    numbers = (
        number for number in map("{:032x}".format, count()) if place_of_channel(number) == well
    )
    monkeypatch.setattr(
        "channels_redis.pubsub.uuid",
        SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=next(numbers))),
    )
    # Who asks for an answer by the frozen one asks by another, and not for ever.
    names = cycle(
        next(name for name in map(str, count()) if place(f"realtime.status.{name}") == at)
        for at in (1 - well, well)
    )
    monkeypatch.setattr(status, "get_random_string", lambda length: next(names))
    use(settings, PUBSUB, hosts=[redis_url, second_redis.url][:: 1 if well == 0 else -1])
    users = [await User.objects.acreate(username=f"user-{number}") for number in range(20)]
    user = next(one for one in users if place(user_group(one.pk)) == well)
    other = next(one for one in users if place(user_group(one.pk)) != well)
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        second_redis.send_signal(signal.SIGSTOP)
        try:
            async with InboxTab(user=other, live=False):
                await eventually(
                    lambda: any("failing" in one for one in health().problems), "health says so"
                )
                printed = StringIO()
                with pytest.raises(CommandError, match=rf"from 127\.0\.0\.1:{second_redis.port}\b"):
                    await asyncio.to_thread(
                        call_command, "realtime_status", wait=10.0, stdout=printed
                    )
        finally:
            second_redis.send_signal(signal.SIGCONT)
        assert "1 process answered." in printed.getvalue()
        assert "All is well" not in printed.getvalue()
        await eventually(lambda: health().ok, "all is well again")


async def test_news_by_one_broker_wait_for_none_by_a_frozen_one(
    settings: Settings, transactional_db: None, redis_url: str, second_redis: RedisServer
) -> None:
    # Whoever waited for the frozen one would wait for minutes, and nobody is told by a comparison.
    settings.REALTIME = {"RECONCILE_INTERVAL": 600.0, "PUBLISH_TIMEOUT": 120.0}
    use(settings, PUBSUB, hosts=[redis_url, second_redis.url])
    users = [await User.objects.acreate(username=f"user-{number}") for number in range(60)]
    of_host: list[list[User]] = [[], []]
    for user in users:
        of_host[consistent_hash(f"asgi__group__{user_group(user.pk)}", 2)].append(user)
    well, frozen = of_host[0][:10], of_host[1][: WINDOW + 4]
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(InboxTab(user=user)) for user in well]
        second_redis.send_signal(signal.SIGSTOP)
        try:
            for user in frozen + well:
                await send(user, text="news")
            for tab in tabs:
                await tab.received("news", timeout=CEILING)
            await eventually(lambda: waiting() == len(frozen), "only they are waited for")
        finally:
            second_redis.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(flush, CEILING)


class ChannelElsewhere(RedisChannelLayer):
    """What is sent to its channels, not by groups, goes to another broker than the one it receives from."""

    async def new_channel(self, prefix: str = "specific") -> str:
        while True:
            channel: str = await super().new_channel(prefix)
            if self.consistent_hash(channel) != self.consistent_hash(self.non_local_name(channel)):
                return channel


async def test_a_channel_that_only_groups_lead_to(
    user: User, settings: Settings, redis_url: str, second_redis: RedisServer
) -> None:
    """As of several brokers: it is as good as any, and not given up for another."""
    use(settings, f"{__name__}.ChannelElsewhere", hosts=[redis_url, second_redis.url])
    async with InboxTab(user=user) as tab:
        await hears(tab, user)
        await eventually(lambda: keeps_its_channel(tab), "a channel that is kept")
