"""Joining groups may be cut off at any moment."""

import asyncio
import gc

import pytest
from channels.layers import InMemoryChannelLayer

from realtime.membership import Membership
from tests.services.waiting import eventually


@pytest.mark.parametrize("turns", range(8))
async def test_cancelled_after_so_many_turns_of_the_loop(turns: int) -> None:
    membership = Membership(InMemoryChannelLayer())
    for number in range(5):
        membership.want(f"group-{number}")
    membership.move_to("specific.inmemory!abc")
    tasks = asyncio.all_tasks()
    joining = asyncio.create_task(membership.keep())
    for _ in range(turns):
        await asyncio.sleep(0)
    joining.cancel()
    await asyncio.wait([joining, *(asyncio.all_tasks() - tasks)])
    # A coroutine that was never awaited would be a warning here, and warnings are errors.
    gc.collect()


async def test_a_layer_that_fails_is_asked_for_every_group_again() -> None:
    class Failing(InMemoryChannelLayer):
        failures = 1

        async def group_add(self, group: str, channel: str) -> None:
            if group == "second" and self.failures:
                self.failures -= 1
                raise ConnectionError
            await super().group_add(group, channel)

    layer = Failing()
    membership = Membership(layer)
    membership.want("first")
    membership.want("second")
    membership.move_to("specific.inmemory!abc")
    with pytest.raises(ConnectionError):
        await membership.keep()
    assert membership.joined == frozenset()
    joining = asyncio.create_task(membership.keep())
    await eventually(lambda: membership.joined >= {"first", "second"}, "both groups")
    joining.cancel()
    await asyncio.wait([joining])
    assert {"first", "second", "realtime.everybody"} == set(layer.groups)
