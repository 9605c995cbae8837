"""The hubs of this process: one an event loop, found by whoever has something for them."""

import asyncio
import atexit
import os
import threading
from contextlib import suppress
from weakref import WeakSet

from realtime.hub import Hub
from realtime.shutdown import before_twisted_stops

_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
_watched_loops: "WeakSet[asyncio.AbstractEventLoop]" = WeakSet()
_lock = threading.Lock()


def get_hub() -> Hub:
    """Return the hub of the running event loop, started if need be."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = Hub(_forget)
        with _lock:
            for other in [other for other in _hubs if other.is_closed()]:
                del _hubs[other]
            _hubs[loop] = hub
        hub.start()
        if loop not in _watched_loops:
            _watched_loops.add(loop)
            before_twisted_stops(_say_goodbye)
    return hub


async def _say_goodbye() -> None:
    hub = _hubs.get(asyncio.get_running_loop())
    if hub is not None:
        await hub.say_goodbye()


def running_hubs() -> list[Hub]:
    """Return the hubs of this process, the newest last."""
    with _lock:
        return [hub for loop, hub in _hubs.items() if not loop.is_closed()]


def _forget(hub: Hub) -> None:
    with _lock, suppress(KeyError):
        del _hubs[hub.loop]


def _forget_all() -> None:
    """In a forked child: the loops and threads of the hubs are the parent's."""
    global _lock  # noqa: PLW0603 - the parent's lock may be held for ever
    _lock = threading.Lock()
    _hubs.clear()


def _shut_down_all() -> None:
    """At the end of the interpreter: some servers (Daphne) leave their loop with tasks in it.

    CPython may crash when it finalises those.
    """
    for hub in running_hubs():
        if not hub.loop.is_running():
            with suppress(Exception):
                hub.loop.run_until_complete(hub.shut_down())


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_shut_down_all)
