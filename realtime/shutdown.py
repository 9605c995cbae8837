"""Servers that stop: clients are told, so that they come back at once and not after a silence.

uvicorn closes its sockets with 1012 by itself, and servers that cancel their applications get the same from the
consumer. Daphne drops its sockets without a word, unless its reactor is asked to wait for a moment.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

#: Seconds that closing frames have to leave.
GOODBYE = 0.25


def before_twisted_stops(say_goodbye: Callable[[], Awaitable[None]]) -> None:
    """Have it done when the Twisted reactor stops, if that is what runs the current event loop."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    loop = asyncio.get_running_loop()
    if reactor is None or getattr(reactor, "_asyncioEventloop", None) is not loop:
        return
    deferred = sys.modules["twisted.internet.defer"].Deferred

    def trigger() -> Any:
        return deferred.fromFuture(asyncio.ensure_future(say_goodbye(), loop=loop))

    reactor.addSystemEventTrigger("before", "shutdown", trigger)
