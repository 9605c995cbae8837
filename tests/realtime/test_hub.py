"""The hub's rules, one by one, through sockets."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from realtime import hub, reconcile
from realtime.counters import counters
from realtime.events import DELIVER, deliveries
from realtime.groups import user_group
from realtime.hubs import get_hub, running_hubs
from realtime.reconcile import SLICE
from realtime.testing import InboxTab
from realtime.testing.hearing import hears
from stored_messages.api import owner_key
from stored_messages.backends.telling import Telling
from tests.realtime.conftest import INTERVAL
from tests.realtime.sending import broadcast, mark_all_read, mark_read, send, summary
from tests.realtime.stores import GatedBackend
from tests.services.waiting import CEILING, eventually


async def test_a_socket_begins_with_its_summary(user: User) -> None:
    message = await send(user)
    async with InboxTab(user=user) as tab:
        assert tab.sync == {
            "type": "sync",
            "user": owner_key(user),
            "unread": 1,
            "digest": message.stamp,
            "heartbeat": 2 * INTERVAL if 2 * INTERVAL % 1 else int(2 * INTERVAL),
        }


async def test_whole_seconds_may_be_written_without_a_point(user: User, settings: Settings) -> None:
    settings.REALTIME = {"RECONCILE_INTERVAL": 1}
    async with InboxTab(user=user) as tab:
        assert tab.sync["heartbeat"] == 2


async def test_what_happens_reaches_every_tab_of_that_user_and_no_other(
    user: User, other: User
) -> None:
    async with InboxTab(user=user) as one, InboxTab(user=user) as two, InboxTab(user=other) as foe:
        message = await send(user)
        for tab in (one, two):
            assert (await tab.frame("stored"))["message"]["id"] == message.id
        await mark_read(user, message)
        for tab in (one, two):
            [ref] = (await tab.frame("read"))["messages"]
            assert ref["id"] == message.id
        second = await send(user, other)
        await mark_all_read(user)
        for tab in (one, two):
            assert (await tab.frame("read_all"))["up_to"] == second.position
        assert (await foe.frame("stored"))["message"]["id"] == second.id


async def test_events_wait_for_the_first_sync(user: User, gate: type[GatedBackend]) -> None:
    gate.shut()
    tab = InboxTab(user=user)
    assert await tab.connect(timeout=CEILING) == (True, None)
    await asyncio.to_thread(gate.wait_until_computed)
    await hears(owner_key(user), CEILING)
    await send(user)
    # The event is there, and held: another tab's would have been written by now.
    [hub] = running_hubs()
    await eventually(lambda: hub._sequence == 1, "the event in the hub")
    assert tab.output_queue.empty()
    gate.open_for_good()
    assert (await tab.frame())["type"] == "sync"
    assert (await tab.frame())["type"] == "stored"
    assert (await tab.frame("sync"))["unread"] == 1
    await tab.leave()


async def test_a_summary_from_before_an_event_is_not_told_after_it(
    user: User, gate: type[GatedBackend]
) -> None:
    async with InboxTab(user=user) as tab:
        gate.shut()
        await asyncio.to_thread(gate.wait_until_computed)
        await send(user)
        assert (await tab.frame("stored"))["message"]["text"] == "hello"
        gate.open_for_good()
        assert (await tab.frame("sync"))["unread"] == 1


async def test_after_two_rounds_passed_over_the_third_is_told(
    user: User, gate: type[GatedBackend]
) -> None:
    async with InboxTab(user=user) as tab:
        gate.shut()
        for text in ("one", "two", "three"):
            await asyncio.to_thread(gate.wait_until_computed)
            await send(user, text=text)
            assert (await tab.frame("stored"))["message"]["text"] == text
            gate.let_through()
        # Of the third round: computed before the third message.
        assert (await tab.frame())["unread"] == 2


async def test_every_second_round_is_told_to_everybody(
    user: User, gate: type[GatedBackend]
) -> None:
    async with InboxTab(user=user) as tab:
        gate.shut()
        await asyncio.to_thread(gate.wait_until_computed)
        told = []
        for _ in range(6):
            while not tab.output_queue.empty():
                tab.output_queue.get_nowait()
            gate.let_through()
            # When the next one has begun, this one is over.
            await asyncio.to_thread(gate.wait_until_computed)
            told.append(not tab.output_queue.empty())
        assert told in ([True, False] * 3, [False, True] * 3)


async def test_one_query_greets_all_that_wait(
    user: User, other: User, gate: type[GatedBackend], settings: Settings
) -> None:
    settings.REALTIME = {"RECONCILE_INTERVAL": 600}  # nobody else asks
    gate.shut()
    tabs = [InboxTab(user=one) for one in (user, other) * 5]
    assert await tabs[0].connect(timeout=CEILING) == (True, None)
    await asyncio.to_thread(gate.wait_until_computed)
    for tab in tabs[1:]:
        assert await tab.connect(timeout=CEILING) == (True, None)
    before = gate.calls
    gate.let_through()
    await tabs[0].frame("sync")
    await asyncio.to_thread(gate.wait_until_computed)
    gate.open_for_good()
    for tab in tabs[1:]:
        assert (await tab.frame("sync"))["unread"] == 0
    assert gate.calls - before == 1
    for tab in tabs:
        await tab.leave()


async def test_what_another_process_stores_arrives_by_reconciling(user: User) -> None:
    program = (
        "import django; django.setup(); import stored_messages; "
        f"stored_messages.add_message_for([{user.pk}], 21, 'from afar')"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.project.settings",
        "PROJECT_DATABASE": str(connection.settings_dict["NAME"]),
    }
    async with InboxTab(user=user) as tab:
        await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program], check=True, env=environment
        )
        while (await tab.frame())["unread"] != 1:
            pass


async def test_what_came_with_an_event_that_fails_waits_for_no_other(user: User) -> None:
    async with InboxTab(user=user, live=False) as tab:
        [running] = running_hubs()
        [told] = deliveries([user.pk], [json.dumps({"type": "read", "number": 7})])
        running._line.events.append({"type": DELIVER, "to": 7})
        running._line.events.append(dict(told.event))
        running._line.arrived.set()
        assert (await tab.frame("read"))["number"] == 7


async def test_events_that_come_together_leave_others_their_turn(user: User) -> None:
    numbers = range(2 * hub.SLICE)
    async with InboxTab(user=user, live=False) as tab:
        [running] = running_hubs()
        before = counters.deliveries
        for number in numbers:
            [told] = deliveries([user.pk], [json.dumps({"type": "read", "number": number})])
            running._line._take(dict(told.event))
        assert counters.deliveries - before <= hub.SLICE
        for number in numbers:
            assert (await tab.frame("read"))["number"] == number


async def test_who_missed_something_is_told_first_and_the_others_little_by_little(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the rounds that are asked for, at once, and with a pause of three seconds after a slice.
    settings.REALTIME = {"RECONCILE_INTERVAL": 600}
    monkeypatch.setattr(reconcile, "HURRY", 0)
    monkeypatch.setattr(reconcile, "SPREAD", 0.01)
    names = [f"user{number}" for number in range(2 * SLICE + 1)]
    await User.objects.abulk_create(User(username=name) for name in names)
    async with AsyncExitStack() as stack:
        users = [user async for user in User.objects.order_by("pk")]
        tabs = [await stack.enter_async_context(InboxTab(user=user)) for user in users]
        await a_round()  # only every second one has something for everybody
        with monkeypatch.context() as untold:
            untold.setattr(Telling, "send", lambda telling: None)
            await send(users[-1])
        await a_round()
        # Counted before anything is waited for: however late this is seen, the pause ends after that.
        assert sum(not tab.output_queue.empty() for tab in tabs[:-1]) == SLICE
        assert (await tabs[-1].frame("sync"))["unread"] == 1
        [hub] = running_hubs()
        hub.rounds.hurry()
        for tab in tabs[:-1]:
            assert (await tab.frame("sync"))["unread"] == 0


async def a_round() -> None:
    [hub] = running_hubs()
    rounds = counters.reconciles
    hub.rounds.hurry()
    await eventually(lambda: counters.reconciles > rounds, "a round of reconciling")


async def test_a_broadcast_is_for_who_had_joined(user: User, other: User) -> None:
    other.date_joined = timezone.now() + timedelta(hours=1)
    await other.asave()
    async with InboxTab(user=user) as member, InboxTab(user=other) as newcomer:
        await broadcast("for members")
        await send(other, text="for the newcomer")
        assert (await member.frame("stored"))["message"]["text"] == "for members"
        assert (await newcomer.frame("stored"))["message"]["text"] == "for the newcomer"


async def test_an_overflow_is_made_good_by_reconciling(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.line.BACKLOG", 0)
    async with InboxTab(user=user) as tab:
        await send(user)
        while (await tab.frame("sync"))["unread"] != 1:
            pass


async def test_a_database_that_fails_for_a_while_only_delays(
    user: User, gate: type[GatedBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([ConnectionError("the database is away")] * 3)
    real = gate.summaries

    def failing(self: GatedBackend, users: Any) -> Any:
        for failure in failures:
            raise failure
        return real(self, users)

    monkeypatch.setattr(gate, "summaries", failing)
    async with InboxTab(user=user) as tab:
        await send(user)
        while (await tab.frame("sync"))["unread"] != 1:
            pass
    assert next(failures, None) is None


IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.mark.parametrize("layers", [{}, IN_MEMORY], ids=["own", "configured"])
async def test_a_deaf_hub_opens_a_new_channel(
    user: User, settings: Settings, layers: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHANNEL_LAYERS = layers
    async with InboxTab(user=user) as tab:
        await send(user, text="before")
        assert (await tab.frame("stored"))["message"]["text"] == "before"
        layer = get_channel_layer() or get_hub().layer
        await layer.flush()
        sent: set[str] = set()

        async def heard() -> bool:
            # By the socket, and not by a sync that reconciling sends. Whoever has heard that first hears of an earlier
            # message the next time.
            sent.add((await send(user, text="after")).id)
            while (frame := await tab.frame())["type"] != "stored":
                if frame["unread"] == (await summary(user)).unread:
                    return False
            return frame["message"]["id"] in sent

        await eventually(heard, "an event after the layer forgot everything")
    assert "Nothing arrives from the channel layer" in caplog.text


async def test_a_hub_leaves_nothing_behind(user: User) -> None:
    before = asyncio.all_tasks()
    async with InboxTab(user=user) as tab:
        await send(user)
        await tab.frame("stored")
        hub = get_hub()
    hub.stop()
    assert running_hubs() == []
    await eventually(lambda: asyncio.all_tasks() == before, "the end of all tasks")
    # The next socket finds another hub.
    async with InboxTab(user=user) as tab:
        assert tab.sync is not None
        assert tab.sync["unread"] == 1


async def test_groups_are_left_some_time_after_the_last_socket(
    user: User, other: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CHANNEL_LAYERS = IN_MEMORY
    monkeypatch.setattr("realtime.membership.LINGER", 0.1)
    groups = get_channel_layer().groups
    async with InboxTab(user=user) as tab:
        await send(user)
        await tab.frame("stored")
        assert user_group(user.pk) in groups
        async with InboxTab(user=other):
            await eventually(lambda: user_group(other.pk) in groups, "the other's group")
        await eventually(lambda: user_group(other.pk) not in groups, "the group left")
        assert user_group(user.pk) in groups


async def test_the_hub_is_one_for_all_sockets(user: User, other: User, settings: Settings) -> None:
    settings.CHANNEL_LAYERS = IN_MEMORY
    async with InboxTab(user=user) as one, InboxTab(user=user), InboxTab(user=other) as three:
        await send(user, other)
        await one.frame("stored")
        await three.frame("stored")
        members = {name for group in get_channel_layer().groups.values() for name in group}
        assert len(members) == 1


async def test_the_database_is_asked_by_the_hubs_own_thread(user: User) -> None:
    """So that neither waits for the other: asgiref's thread is busy here until the socket is greeted."""
    greeted, started = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def busy() -> None:
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(greeted.wait(), loop).result(30)

    task = asyncio.create_task(sync_to_async(busy)())
    await started.wait()
    async with InboxTab(user=user):
        greeted.set()
    await task
