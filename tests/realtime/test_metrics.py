"""Figures, health, log lines: what operators see of a process."""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

import stored_messages
from realtime import lanes, log, metrics, publisher
from realtime.groups import user_group
from realtime.health import health
from realtime.testing import InboxTab
from realtime.testing.hearing import hears
from tests.realtime.sending import broadcast, send
from tests.realtime.stores import GatedBackend
from tests.services.server import ROOT
from tests.services.waiting import CEILING, eventually, wait_for

if TYPE_CHECKING:
    from tests.realtime.layers import PartlyStuckLayer


def figures() -> dict[str, float]:
    return {metric.name: metric.value for metric in metrics.collect()}


@pytest.fixture
def since() -> Callable[[str], float]:
    """How much a counter has grown since the test began: they are the process's."""
    before = figures()
    return lambda name: figures()[name] - before[name]


async def test_sockets_and_deliveries_are_counted(
    user: User, other: User, gate: type[GatedBackend], since: Callable[[str], float]
) -> None:
    async with InboxTab(user=user) as one, InboxTab(user=user), InboxTab(user=other) as three:
        # A comparison that falls between a commit and its frames would be a hint.
        gate.shut()
        await asyncio.to_thread(gate.wait_until_computed)
        await send(user)
        await one.frame("stored")
        await broadcast()
        await three.frame("stored")
        await eventually(lambda: since("deliveries") == 5, "two and three deliveries")
        gate.open_for_good()
        now = figures()
        assert (now["hubs"], now["users"], now["sockets"]) == (1, 2, 3)
        assert since("sockets_opened") == 3
        assert since("events_received") == since("events_published") == 2
        await eventually(lambda: since("reconciles") > 2, "rounds of reconciling")
        assert since("syncs") >= 6
        assert since("fetch_hints") == 0
        assert figures()["reconcile_seconds"] > 0
    assert figures()["sockets"] == 0


async def test_what_no_frame_told_is_a_hint(user: User, since: Callable[[str], float]) -> None:
    async with InboxTab(user=user) as tab:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("realtime.receivers.publish", lambda publication: None)
            await send(user)
        while (await tab.frame("sync"))["unread"] != 1:
            pass
        assert since("fetch_hints") == 1


async def test_who_is_not_let_in_and_who_is_sent_away(
    user: User, settings: Settings, since: Callable[[str], float]
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SOCKETS_PER_USER": 1}
    client = Client()
    await sync_to_async(client.force_login)(user)
    stranger = InboxTab(client=client, headers={"Origin": "http://evil.example"})
    assert not (await stranger.connect(timeout=CEILING))[0]
    async with InboxTab(client=client) as tab:
        second = InboxTab(client=client)
        await second.connect(timeout=CEILING)
        assert await second.closed() == 4429
        await second.leave()
        # The hub has opened another channel meanwhile, and hears of a logout once it has joined the groups.
        await hears(tab.sync["user"], CEILING)
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401
    assert since("sockets_refused") == 2
    assert since("sockets_signed_out") == 1


@pytest.fixture
def stuck(user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "PartlyStuckLayer":
    """A layer that does not answer, for this user, until it may go on."""
    monkeypatch.setattr(lanes, "LATE", 60)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.PartlyStuckLayer"}}
    layer = cast("PartlyStuckLayer", get_channel_layer())
    layer.stuck = {user_group(user.pk)}
    return layer


def test_what_waits_for_the_layer(
    user: User, settings: Settings, since: Callable[[str], float], stuck: "PartlyStuckLayer"
) -> None:
    settings.REALTIME = {"PUBLISH_TIMEOUT": 60, "PUBLISH_QUEUE": 2}
    for _ in range(3):
        stored_messages.add_message_for([user], stored_messages.STORED_INFO, "hello")
    wait_for(lambda: stuck.asked == 1, "the first is under way")
    assert figures()["publisher_queue"] == 2
    assert since("publish_drops") == 1
    assert health().ok  # it has only just begun
    stuck.go_on.set()  # and fail
    wait_for(lambda: since("publish_drops") == 3, "the end of all attempts")
    wait_for(lambda: figures()["publisher_queue"] == 0, "nothing waits")


def test_a_layer_that_takes_nothing_is_a_problem(
    user: User, settings: Settings, stuck: "PartlyStuckLayer"
) -> None:
    settings.REALTIME = {"PUBLISH_TIMEOUT": 0.1}
    stored_messages.add_message_for([user], stored_messages.STORED_INFO, "hello")
    problem = wait_for(lambda: health().problems, "a problem")
    assert re.fullmatch(
        r"The channel layer has taken nothing for \d+ seconds; 1 events wait\.", problem[0]
    )
    stuck.stuck = set()
    stuck.go_on.set()
    wait_for(lambda: health() == (True, []), "the end of the attempts")


async def test_a_database_that_hangs_is_a_problem(user: User, gate: type[GatedBackend]) -> None:
    async with InboxTab(user=user):
        await eventually(lambda: health().ok, "health")
        gate.shut()
        await eventually(
            lambda: any("Inboxes were not compared for" in one for one in health().problems),
            "a problem",
        )
        assert not health().ok
        assert figures()["reconcile_lag_seconds"] > 0
        gate.open_for_good()
        await eventually(lambda: health().ok, "health")


async def test_a_silent_layer_is_a_problem(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async with InboxTab(user=user):
        monkeypatch.setattr("realtime.line.Line._take", lambda line, event: None)
        await eventually(
            lambda: any("has been silent" in one for one in health().problems), "a problem"
        )


def test_the_metrics_are_all_there_is() -> None:
    fields = set(metrics.counters.__dataclass_fields__)
    assert set(metrics.COUNTERS) == fields
    assert [one.name for one in metrics.collect()] == [*metrics.COUNTERS, *metrics.GAUGES]


def test_one_line_for_many_of_a_kind(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        log.error("one_kind", "It failed.", ValueError(number))
        log.error("another_kind", "That failed too: %(figure)d.", figure=number)

    def said() -> list[logging.LogRecord]:
        # Not asyncio's, of what another test left, when that is collected.
        return [record for record in caplog.records if record.name == "realtime"]

    first, second = said()
    assert (first.message, first.event, first.levelname) == ("It failed.", "one_kind", "ERROR")  # type: ignore[attr-defined]
    assert first.exc_info is not None
    assert (second.message, second.figure) == ("That failed too: 0.", 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(log, "INTERVAL", 0.0)
    log.forget()
    for _ in range(2):
        log.error("one_kind", "It failed.")
    assert len(said()) == 4
    monkeypatch.setattr(log, "INTERVAL", 10.0)
    log.error("one_kind", "It failed.")
    log.error("one_kind", "It failed.")
    monkeypatch.setattr("realtime.log.time.monotonic", lambda: 1e9)
    log.error("one_kind", "It failed.")
    assert said()[-1].getMessage() == "It failed. (1 more like it were not logged)"


_EVENTS = re.compile(r"log\.(info|warning|error)\(\s*\"(\w+)\"")


def test_every_log_line_is_documented_and_goes_through_one_module() -> None:
    sources = {path: path.read_text() for path in (ROOT / "realtime").rglob("*.py")}
    events = {event for text in sources.values() for _, event in _EVENTS.findall(text)}
    documented = (ROOT / "docs" / "operations.md").read_text()
    table = documented.partition("## Log lines")[2].partition("\n## ")[0]
    assert events == set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    for path, text in sources.items():
        if path.name != "log.py":
            assert "import logging" not in text, path


def test_every_metric_is_documented() -> None:
    documented = (ROOT / "docs" / "operations.md").read_text()
    table = documented.partition("## Figures")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [
        *metrics.COUNTERS,
        *metrics.GAUGES,
    ]


async def test_nobody_is_named_in_log_lines(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
) -> None:
    """Everything that can be logged is, about a user whose every trait would be recognised."""
    caplog.set_level(logging.DEBUG, logger="realtime")
    secrets = ["zaphod", "zaphod@example.org", "the-text-sent", "987654321"]
    user = await User.objects.acreate(
        pk=987654321, username="zaphod", email="zaphod@example.org", first_name="zaphod"
    )
    client = Client()
    await sync_to_async(client.force_login)(user)
    secrets.append(str(client.session.session_key))

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("away")

    refused = InboxTab(client=client, headers={"Origin": "http://evil.example"})
    await refused.connect(timeout=CEILING)
    with monkeypatch.context() as patch:
        patch.setattr("realtime.arrivals.Arrivals.session_and_user", fails)
        for headers in ({}, {"Authorization": "Token the-text-sent"}):
            tab = InboxTab(client=client, headers=headers)
            await tab.connect(timeout=CEILING)
            assert await tab.closed() == 1011
            await tab.wait(CEILING)
    async with InboxTab(client=client) as tab:
        with monkeypatch.context() as patch:
            for name in ("certain_owners", "active_users"):
                patch.setattr(f"realtime.guard.{name}", fails)
            patch.setattr("realtime.reconcile.api.summaries", fails)
            patch.setattr("realtime.line.Line._take", lambda line, event: None)
            patch.setattr("realtime.receivers.events.stored_frame", fails)
            await send(user, text="the-text-sent")
            expected = {"task_failed", "layer_silent", "telling_failed"}
            await eventually(lambda: expected <= events_of(caplog), f"{expected} in the log")
        with monkeypatch.context() as patch:
            patch.setattr("realtime.publisher.configured_layer", fails)
            await send(user, text="the-text-sent")
        # The hub has opened another channel meanwhile, and hears of a logout once it has joined the groups.
        await hears(tab.sync["user"], CEILING)
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.RaisingLayer"}}
    await send(user, text="the-text-sent")
    assert await sync_to_async(publisher.flush)(CEILING)
    assert {"hub_started", "signed_out", "login_failed", "origin_refused"} <= events_of(caplog)
    assert "publish_failed" in events_of(caplog)
    formatter = logging.Formatter()
    for record in caplog.records:
        if record.name == "realtime":
            line = formatter.format(record) + repr(vars(record))
            assert not [secret for secret in secrets if secret in line], line


def events_of(caplog: pytest.LogCaptureFixture) -> set[str]:
    return {record.event for record in caplog.records if record.name == "realtime"}  # type: ignore[attr-defined]
