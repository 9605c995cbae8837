"""One open tab, as its hub sees it."""

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from realtime import log
from realtime.asgi_types import Message, Send
from realtime.counters import counters
from stored_messages.stored import Summary

#: Close codes of the protocol.
GOING_AWAY_SLOW = 1013
SERVICE_RESTART = 1012
POLICY_VIOLATION = 1008
SIGNED_OUT = 4401
TOO_MANY_SOCKETS = 4429

#: Seconds that a client has to hear that its socket is closed. One that reads nothing never does, and uvicorn waits for
#: it without end, with all that it was to read, also when it is to stop.
FAREWELL = 10.0
#: Seconds after which one that takes nothing of what it is sent is closed, however little that is.
STUCK = 60.0


async def close_with(send: Send, code: int) -> None:
    """Close a socket with this code, or with 3000 more where the server refuses to send it.

    The registry of RFC 6455 gives servers 1008, 1011 and 1013, but Daphne sends only 1000 and 3000 to 4999.
    """
    try:
        await send({"type": "websocket.close", "code": code})
    except Exception:
        await send({"type": "websocket.close", "code": code + 3000})


class Socket:
    """Writes to one socket without ever waiting for it.

    What the server takes at once is written at once, without a task. Only what blocks goes to a task with a
    bounded queue of this socket alone; when that is full, the socket is closed with 1013 and comes back.

    ``told`` is the summary that the client was sent last, ``None`` after any event since. ``wrote`` is the hub's
    count of events when one was last written here. Events before the first sync are held. Where a server wants nobody
    to wait for the client while it closes, ``interrupt`` ends that wait, and whoever waited closes with ``due``.
    """

    __slots__ = (
        "_cutting",
        "_held",
        "_limit",
        "_on_lost",
        "_queue",
        "_send",
        "_took_at",
        "_writer",
        "closing",
        "due",
        "interrupt",
        "owner",
        "quiet_rounds",
        "session",
        "skipped_rounds",
        "told",
        "wrote",
    )

    def __init__(
        self,
        send: Send,
        owner: str,
        limit: int,
        session: str | None = None,
        on_lost: "Callable[[Socket], None] | None" = None,
    ) -> None:
        self.owner = owner
        self.session = session
        self.closing = False
        self.interrupt: Callable[[], object] | None = None
        self.due: int | None = None
        self.told: Summary | None = None
        self.wrote = 0
        self.quiet_rounds = 0
        self.skipped_rounds = 0
        self._send = send
        self._limit = limit
        self._on_lost = on_lost
        self._held: deque[Message] | None = deque(maxlen=limit)
        self._queue: deque[Message] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._cutting: asyncio.TimerHandle | None = None
        #: In the loop's time: when the server last took something, of one that is behind.
        self._took_at = 0.0

    @property
    def greeted(self) -> bool:
        """Whether the first sync was sent."""
        return self._held is None

    @property
    def behind(self) -> bool:
        """Whether something is waiting because the client does not read."""
        return self._writer is not None

    def close_if_stuck(self) -> None:
        """Close it if nothing that was sent has been taken for so long."""
        if self.behind and asyncio.get_running_loop().time() - self._took_at > STUCK:
            self._close_slow()

    def deliver(self, messages: list[Message], sequence: int) -> None:
        """Write an event's frames, or hold them until the first sync was sent."""
        if self._held is not None:
            self._held.extend(messages)
            return
        self.wrote = sequence
        self.told = None
        for message in messages:
            self.write(message)

    def sync(self, summary: Summary, message: Message) -> None:
        """Tell the client its summary; with the first one, whatever was held for it."""
        self.told = summary
        self.quiet_rounds = self.skipped_rounds = 0
        self.write(message)
        if self._held is not None:
            held, self._held = self._held, None
            if held:
                self.deliver(list(held), self.wrote)

    def write(self, message: Message) -> None:
        if self.closing:
            return
        if self._writer is None:
            self._step(self._send(message))
            return
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= self._limit:
            self._close_slow()
        else:
            self._queue.append(message)

    def close(self, code: int) -> None:
        """Close with this code, without what is still waiting to be written."""
        if self.closing:
            return
        self.abandon()
        self._lost()
        self._cut_later()
        if self.interrupt is None:
            self._step(close_with(self._send, code))
        else:
            self.due = code
            self.interrupt()

    def _close_slow(self) -> None:
        counters.sockets_slow += 1
        log.warning("socket_slow", "A socket was closed: its client does not read.")
        self.close(GOING_AWAY_SLOW)

    def gone(self) -> None:
        """The server says that it has gone, though it may wait until the client has taken what was sent."""
        was_behind = self.behind
        self.interrupt = None
        self.abandon()
        if was_behind:
            self._cut_later()
        elif self._cutting is not None:
            self._cutting.cancel()

    def abandon(self) -> None:
        """Write nothing more."""
        self.closing = True
        self._held = self._queue = None
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None

    def _cut_later(self) -> None:
        if self._cutting is None:
            self._cutting = asyncio.get_running_loop().call_later(FAREWELL, self._cut)

    def _cut(self) -> None:
        """End the connection, where the server lets us have it."""
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if abort := getattr(transport, "abort", None):
            abort()

    def _lost(self) -> None:
        if self._on_lost is not None:
            on_lost, self._on_lost = self._on_lost, None
            on_lost(self)

    def _step(self, sending: Awaitable[None]) -> None:
        """Run the server's send as far as it goes without waiting."""
        step = sending.__await__()
        try:
            waiting = next(step)
        except StopIteration:
            return
        except Exception:  # the client has gone; the server says so to the consumer
            self.abandon()
            self._lost()
            return
        loop = asyncio.get_running_loop()
        self._took_at = loop.time()
        self._writer = loop.create_task(self._drain(step, waiting))

    async def _drain(self, step: Generator[Any, Any, None], waiting: Any) -> None:
        try:
            await _finish(step, waiting)
            while self._queue:
                self._took_at = asyncio.get_running_loop().time()
                await self._send(self._queue.popleft())
        except Exception:  # as above
            self.abandon()
            self._lost()
        finally:
            if self._writer is asyncio.current_task():
                self._writer = None


@types.coroutine
def _finish(step: Generator[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    """Await the rest of what was run up to its first wait, for which it gave ``waiting``."""
    try:
        yield waiting
    except BaseException as error:  # thrown on into whoever was waiting
        try:
            waiting = step.throw(error)
        except StopIteration:
            return
        yield from _finish(step, waiting)
    else:
        yield from step
