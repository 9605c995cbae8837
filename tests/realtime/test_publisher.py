"""Off the caller's path, from wherever it is called."""

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from pytest_django import Settings
from redis import Redis

import stored_messages
from realtime import lanes
from realtime.counters import counters
from realtime.events import Publication, deliveries
from realtime.groups import user_group
from realtime.publisher import flush, publish, waiting
from realtime.publisher_thread import PublisherThread
from tests.realtime.layers import RecordingLayer
from tests.services.redis import RedisServer
from tests.services.waiting import CEILING, wait_for


def event(number: int) -> Publication:
    return deliveries([1], [str(number)])[0]


def numbers(layer: RecordingLayer) -> list[int]:
    return [int(message["frames"][0]) for _, message in layer.sent]


def test_order_is_kept_in_one_thread_of_its_own(recorded: RecordingLayer) -> None:
    for number in range(500):
        publish(event(number))
    assert flush(CEILING)
    assert numbers(recorded) == list(range(500))
    assert recorded.threads == {"realtime-publisher"}


def test_the_wait_for_the_layer_is_shared_among_users(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But one user's events stay in order, and everybody's are apart from all others."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.WaitingLayer"}}
    monkeypatch.setattr(lanes, "LATE", 60)
    layer = get_channel_layer()
    everybody = list(range(20))
    for number, users in enumerate(([1], [1], [2], [3], [2], everybody, [4])):
        [publication] = deliveries(users, [str(number)])
        publish(publication)
        if number == 0:
            wait_for(lambda: layer.under_way == [0], "the first is under way")
    for together in ([1, 2, 3], [4], [5], [6]):
        layer.may_answer = together[0]
        wait_for(
            lambda together=together: layer.under_way[together[0] :] == together, f"{together}"
        )
    layer.may_answer = 7
    assert flush(CEILING)
    assert numbers(layer) == list(range(7))


def test_no_file_stays_open_where_no_thread_can_be_started(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    publisher = PublisherThread()
    before = eventfds()
    for number in range(3):
        with pytest.raises(RuntimeError, match="new thread"):
            publisher.put(event(number))
    assert eventfds() == before


def eventfds() -> int:
    """How many eventfds this process has open, as Linux says."""
    found = 0
    for file in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile
            found += "eventfd" in str(file.readlink())
    return found


def test_a_layer_that_is_cancelled_has_failed(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(group: str, message: object) -> None:
        raise asyncio.CancelledError

    drops = counters.publish_drops
    with monkeypatch.context() as while_it_fails:
        while_it_fails.setattr(recorded, "group_send", cancelled)
        publish(event(1))
        publish(event(2))
        assert flush(CEILING)
    assert counters.publish_drops == drops + 2
    publish(event(3))
    assert flush(CEILING)
    assert numbers(recorded) == [3]


def test_from_threads(recorded: RecordingLayer) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [publish(event(n * 50 + i)) for i in range(50)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert flush(CEILING)
    assert sorted(numbers(recorded)) == list(range(400))


async def test_from_a_coroutine(recorded: RecordingLayer) -> None:
    publish(event(1))
    assert await asyncio.to_thread(flush, CEILING)
    assert numbers(recorded) == [1]


def test_from_a_sync_view(user: User, recorded: RecordingLayer, client: Client) -> None:
    client.force_login(user)
    client.post("/send/", {"text": "hello"})
    assert json.loads(recorded.wait_for(1)[0][1]["frames"][0])["type"] == "stored"


async def test_from_a_view_under_asgi(
    user: User, recorded: RecordingLayer, async_client: AsyncClient
) -> None:
    await sync_to_async(async_client.force_login)(user)
    await async_client.post("/send/", {"text": "hello"})
    assert await asyncio.to_thread(recorded.wait_for, 1)


def test_each_publish_has_a_second_attempt(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.FlakyLayer"}}
    publish(event(1))
    publish(event(2))
    assert flush(CEILING)
    assert numbers(get_channel_layer()) == [1, 2]


def test_a_stuck_layer_is_given_up(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REALTIME = {"PUBLISH_TIMEOUT": 0.1}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.StuckLayer"}}
    publish(event(1))
    assert flush(CEILING)
    assert "events dropped: 1." in caplog.text


def test_who_gets_no_answer_holds_up_nobody_else(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """But what is behind it for the same user: that is neither sent before nor tried, one by one, after it."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.PartlyStuckLayer"}}
    settings.REALTIME = {"PUBLISH_TIMEOUT": 60}
    layer, drops = get_channel_layer(), counters.publish_drops
    layer.stuck = {user_group(1), user_group(2)}
    everybody = list(range(20))
    for number, users in enumerate(([1], [3], [1], [2], everybody, [2], [3])):
        [publication] = deliveries(users, [str(number)])
        publish(publication)
    wait_for(lambda: waiting() == 4, "all others have gone")
    assert numbers(layer) == [1, 4, 6]
    assert counters.publish_drops == drops

    layer.stuck = {user_group(2)}
    layer.go_on.set()
    wait_for(lambda: len(layer.sent) == 5, "user 1, in order")
    assert numbers(layer)[3:] == [0, 2]
    assert flush(CEILING)
    assert "events dropped: 2." in caplog.text
    assert counters.publish_drops == drops + 2


def test_too_many_without_an_answer_are_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "LANES", 2)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.PartlyStuckLayer"}}
    settings.REALTIME = {"PUBLISH_TIMEOUT": 60}
    layer = get_channel_layer()
    layer.stuck = {user_group(1), user_group(2)}
    for user in (1, 2):
        publish(deliveries([user], [str(user)])[0])
        wait_for(lambda user=user: layer.asked == user, "it is under way")
    publish(deliveries([3], ["3"])[0])
    layer.stuck = set()
    assert not flush(1)
    assert numbers(layer) == []
    layer.go_on.set()
    assert flush(CEILING)
    assert sorted(numbers(layer)) == [1, 2, 3]


def test_the_queue_is_bounded(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REALTIME = {"PUBLISH_QUEUE": 3, "PUBLISH_TIMEOUT": 0.1}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.StuckLayer"}}
    for number in range(1000):
        publish(event(number))
    dropped = [record for record in caplog.records if "keep up" in record.getMessage()]
    assert len(dropped) == 1
    assert flush(CEILING)


async def test_without_a_hub_there_is_nobody_to_tell(user: User) -> None:
    await sync_to_async(stored_messages.add_message_for)(
        [user], stored_messages.STORED_INFO, "hello"
    )


# What Python says from 3.12 on to who forks beside threads. It is what this is about.
FORKING = "ignore:This process:DeprecationWarning"

PROGRAM = """
    import os, sys, django
    from django.conf import settings
    settings.CHANNEL_LAYERS = {{"default": {{
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {{"hosts": [{url!r}]}},
    }}}}
    settings.REALTIME = {{"PUBLISH_TIMEOUT": 60}}
    django.setup()
    from realtime import publisher
    from realtime.events import deliveries
    from realtime.publisher import flush, publish
    publisher.FLUSH = 60  # a busy machine may take longer than the usual two seconds
    {body}
"""

SPAWNED = """
import django
from django.conf import settings
settings.REALTIME = {"PUBLISH_TIMEOUT": 60}
django.setup()
from realtime import publisher
from realtime.events import deliveries
publisher.FLUSH = 60
publisher.publish(deliveries([7], ["child"])[0])
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # The last thing that a command does.
        ("publish(deliveries([7], ['last'])[0])", ["last"]),
        # A worker that is forked from a process that has published.
        (
            """publish(deliveries([7], ['parent'])[0]); assert flush(60); child = os.fork()
    os.waitpid(child, 0) if child else publish(deliveries([7], ['child'])[0])""",
            ["parent", "child"],
        ),
        # One of a pool's, which ends without Python's usual end.
        (
            """publish(deliveries([7], ['parent'])[0]); assert flush(60); import multiprocessing
    child = multiprocessing.get_context('fork').Process(target=publish, args=deliveries([7], ['child']))
    child.start(); child.join()""",
            ["parent", "child"],
        ),
        # One that begins from nothing, and ends in both ways.
        (
            """os.environ["CHANNEL_REDIS"] = {url!r}; import multiprocessing
    child = multiprocessing.get_context('spawn').Process(target=exec, args=({spawned!r},))
    child.start(); child.join()""",
            ["child"],
        ),
        # Threads of the parent's may be at anything when it forks.
        (
            """import signal
    from realtime import log; from stored_messages import positions
    from stored_messages.backends import redis_connection
    for lock in (log._lock, positions._clock._lock, redis_connection._clients_lock):
        lock.acquire()
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
    else:
        signal.alarm(60)
        log.forget(); positions.next_position(); redis_connection.client_for({url!r})
        publish(deliveries([7], ['child'])[0])""",
            ["child"],
        ),
    ],
    ids=["at-exit", "after-fork", "multiprocessing", "spawned", "locked"],
)
def test_what_is_published_leaves_the_process(
    redis_url: str, redis_server: RedisServer, body: str, expected: list[str]
) -> None:
    url = redis_url.replace("127.0.0.1", "localhost")
    body = body.format(url=url, spawned=SPAWNED)
    program = textwrap.dedent(PROGRAM.format(url=url, body=body))
    with Redis.from_url(redis_url) as client, client.pubsub() as pubsub:
        pubsub.psubscribe("*")
        assert pubsub.get_message(timeout=30)
        done = subprocess.run(
            [sys.executable, "-W", FORKING, "-c", program],
            check=False,
            capture_output=True,
            text=True,
            env=_environment(),
            timeout=CEILING,
        )
        assert (done.returncode, done.stderr) == (0, "")
        arrived: list[bytes] = []

        def all_arrived() -> bool:
            if message := pubsub.get_message(timeout=1):
                arrived.append(message["data"])
            return len(arrived) == len(expected)

        wait_for(all_arrived, "the events")
    for text, data in zip(expected, arrived, strict=True):
        assert text.encode() in data


def test_where_threads_are_none_nothing_is_told_and_nothing_breaks(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkey = ModuleType("gevent.monkey")
    monkey.is_module_patched = lambda name: name == "threading"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gevent.monkey", monkey)
    drops = counters.publish_drops

    for text in ("one", "two"):
        publish(deliveries([7], [text])[0])

    assert flush(CEILING)
    assert recorded.sent == []
    assert counters.publish_drops == drops + 2
    assert "gevent or eventlet" in caplog.text


def test_a_thread_that_cannot_be_started_is_tried_again(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.publisher._publisher", PublisherThread())

    def fails(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", fails)
        publish(deliveries([7], ["one"])[0])
    publish(deliveries([7], ["two"])[0])

    assert flush(CEILING)
    assert len(recorded.sent) == 2


def test_where_there_are_no_eventfds_the_thread_is_woken_too(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "eventfd", raising=False)
    thread = PublisherThread()
    monkeypatch.setattr("realtime.publisher._publisher", thread)
    for number in range(3):
        publish(event(number))
        assert flush(CEILING)  # so that it waits when the next one comes
    assert numbers(recorded) == [0, 1, 2]
    thread.stop(CEILING)


def test_after_the_end_nothing_is_kept(
    recorded: RecordingLayer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread = PublisherThread()
    monkeypatch.setattr("realtime.publisher._publisher", thread)
    publish(event(1))
    thread.stop(CEILING)
    publish(event(2))
    assert numbers(recorded) == [1]
    assert thread.waiting == 0
    assert "The publisher has been stopped." in caplog.text


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.project.settings"}
