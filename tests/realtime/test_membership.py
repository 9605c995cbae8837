"""Joining groups may be cut off at any moment."""

import asyncio
import gc
from collections import Counter

import pytest
from channels.layers import InMemoryChannelLayer

from realtime import supervision
from realtime.groups import everybody
from realtime.membership import BATCH, Membership
from tests.services.waiting import eventually

CHANNEL = "specific.inmemory!abc"


@pytest.mark.parametrize("turns", range(8))
async def test_cancelled_after_so_many_turns_of_the_loop(turns: int) -> None:
    membership = Membership(InMemoryChannelLayer())
    for number in range(5):
        membership.want(f"group-{number}")
    membership.move_to(CHANNEL)
    tasks = asyncio.all_tasks()
    joining = asyncio.create_task(membership.keep())
    for _ in range(turns):
        await asyncio.sleep(0)
    joining.cancel()
    await asyncio.wait([joining, *(asyncio.all_tasks() - tasks)])
    # A coroutine that was never awaited would be a warning here, and warnings are errors.
    gc.collect()


class Layer(InMemoryChannelLayer):
    """Fails for the groups that are ``away``."""

    def __init__(self, *away: str) -> None:
        super().__init__()
        self.away = set(away)
        self.added: Counter[str] = Counter()

    async def group_add(self, group: str, channel: str) -> None:
        if group in self.away:
            raise ConnectionError
        await super().group_add(group, channel)
        self.added[group] += 1

    async def group_discard(self, group: str, channel: str) -> None:
        if group in self.away:
            raise ConnectionError
        await super().group_discard(group, channel)


async def test_a_layer_that_is_well_again_is_asked_for_every_group_again() -> None:
    layer = Layer("second")
    membership = Membership(layer)
    membership.want("first")
    membership.want("second")
    membership.move_to(CHANNEL)
    with pytest.raises(ConnectionError):
        await membership.keep()
    assert layer.added["first"] == 1
    layer.away.clear()
    joining = asyncio.create_task(membership.keep())
    everything = {"first", "second", everybody()}
    await eventually(
        lambda: layer.added["first"] > 1 and membership.joined == everything, "all groups"
    )
    joining.cancel()
    await asyncio.wait([joining])
    assert set(layer.groups) == everything


async def test_a_group_that_cannot_be_joined_keeps_nobody_out_of_others() -> None:
    """Be it the first that is asked for, and asked for many times."""
    away = [f"away-{number}" for number in range(BATCH + 1)]
    well = [f"well-{number}" for number in range(BATCH * 3)]
    layer = Layer(*away)
    membership = Membership(layer)
    membership.move_to(CHANNEL)
    for first, last in [(0, BATCH * 2), (BATCH * 2, BATCH * 3)]:
        for group in [*away, *well[first:last]]:
            membership.want(group)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await membership.keep()
            assert membership.joined.issuperset(well[:last])
            assert membership.joined.isdisjoint(away)
    assert all(layer.added[group] == 1 for group in well)  # while others fail, they are left alone


async def test_a_group_that_cannot_be_left_keeps_nobody_in_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.membership.LINGER", 0.0)
    groups = ["away", *(f"well-{number}" for number in range(BATCH))]
    layer = Layer()
    membership = Membership(layer)
    for group in groups:
        membership.want(group)
    membership.move_to(CHANNEL)
    joining = supervision.start("joining", membership.keep)
    await eventually(lambda: membership.joined.issuperset(groups), "all groups")
    layer.away.add("away")
    for group in groups:
        membership.release(group)
    await eventually(lambda: set(layer.groups) == {"away", everybody()}, "the others left")
    joining.cancel()
    await asyncio.wait([joining])
