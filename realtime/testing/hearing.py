"""Whether news reaches the tabs of this event loop.

No socket waits for the channel layer: it is open, and has its first sync, a moment before its hub is in the user's
group. What is sent in that moment comes as a sync of the next comparison, not as itself. Tests had better not send
in it.
"""

import asyncio
from typing import Any

from django.utils.crypto import get_random_string

from realtime import hub as hubs
from realtime.groups import everybody
from realtime.hubs import running_hubs
from realtime.supervision import wait_for_event, within

PROBE = "inbox.test_probe"
#: Seconds after which it is said once more.
PAUSE = 0.02

#: Which groups were not heard yet, by what is said to them; and what to set when one is.
_unheard: dict[str, tuple[set[str], asyncio.Event]] = {}


async def hears(key: str, timeout: float) -> None:
    """Wait until the hub of this event loop hears what the user with this ``key`` is told, and what everybody is.

    Raises ``asyncio.TimeoutError`` when that takes longer than ``timeout`` seconds. Where no hub serves this user,
    there is nothing to wait for.
    """
    loop = asyncio.get_running_loop()
    hub = next((one for one in running_hubs() if one.loop is loop), None)
    group = hub.group_of(key) if hub else None
    if hub is None or group is None:
        return
    word, heard = get_random_string(12), asyncio.Event()
    groups: set[str] = {group, everybody()}
    _unheard[word] = groups, heard
    error: BaseException | None = None
    ends = loop.time() + timeout
    try:
        while groups and loop.time() < ends:
            try:
                for one in tuple(groups):
                    event = {"type": PROBE, "word": word, "group": one}
                    await within(ends - loop.time(), hub.layer.group_send(one, event))
            except Exception as raised:  # whatever the layer raises: it may be well a moment later
                error = raised
            await wait_for_event(heard, PAUSE)
    finally:
        del _unheard[word]
    if groups:
        raise asyncio.TimeoutError(
            f"The tab is open, but what is sent to it does not arrive over the channel layer within {timeout:g} s. "
            "Tests need one that works, like channels.layers.InMemoryChannelLayer; live=False opens a tab without."
        ) from error


def _heard(hub: hubs.Hub, event: dict[str, Any]) -> None:
    if found := _unheard.get(event["word"]):
        groups, heard = found
        groups.discard(event["group"])
        heard.set()


hubs.handlers[PROBE] = _heard
