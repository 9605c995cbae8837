"""The fan-out of one process: gets each event once and writes it to every local socket that it concerns."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from realtime import log, supervision
from realtime.conf import app_settings
from realtime.connected import ConnectedUser
from realtime.counters import counters
from realtime.events import DELIVER, UNICAST_LIMIT, Publication
from realtime.guard import Guard
from realtime.layers import LOCAL_CAPACITY, configured_layer, is_local, local_layer, own_layer
from realtime.line import Line
from realtime.reconcile import Reconciler
from realtime.shutdown import GOODBYE
from realtime.sockets import SERVICE_RESTART, Socket

if TYPE_CHECKING:
    from realtime.asgi_types import Message
    from realtime.login import SignIn

#: After so many sockets, everything else in the event loop gets its turn.
SLICE = 200
#: Seconds for which a hub without sockets goes on: people go from page to page.
GRACE = 30.0


class Hub:
    """One per process and event loop. It starts with the first socket, and stops some time after the last.

    Everything but :meth:`relay` is to be called in its event loop.
    """

    def __init__(self, on_stop: "Callable[[Hub], None]") -> None:
        self._on_stop = on_stop
        self.loop = asyncio.get_running_loop()
        self._users: dict[str, ConnectedUser] = {}
        self._sequence = 0
        self._outbox: deque[Publication] = deque()
        self._to_send = asyncio.Event()
        interval = app_settings.RECONCILE_INTERVAL
        self._reconciler = Reconciler(
            self._users, lambda: self._sequence, interval, self._suspect_groups
        )
        self._guard = Guard(self._users, interval, app_settings.SESSION_INTERVAL)
        self._line = _line(interval, self._reconciler.hurry, self._take_at_once)
        self._is_handling = False
        self._written_at_once = 0  # to so many sockets since everything else had its turn
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_later: asyncio.TimerHandle | None = None
        self._stopped = False

    # Sockets

    def count(self, user: Any) -> int:
        """How many sockets this user has here."""
        connected = self._users.get(str(user.pk))
        return len(connected.sockets) if connected else 0

    def join(self, socket: Socket, user: Any, sign_in: "SignIn | None" = None) -> None:
        """Write to this socket from now on, beginning with its summary, while it is signed in."""
        counters.sockets_opened += 1
        if self._stop_later is not None:
            self._stop_later.cancel()
            self._stop_later = None
        connected = self._users.get(socket.owner)
        if connected is None:
            connected = self._users[socket.owner] = ConnectedUser(user)
        else:
            connected.is_now(user)
        connected.sockets += (socket,)
        if sign_in is not None:
            self._guard.admit(socket, sign_in)
        self._line.membership.want(connected.group)
        self._reconciler.greet_soon(socket)

    def leave(self, socket: Socket) -> None:
        """Forget this socket. Harmless for one that has left."""
        self._guard.release(socket)
        connected = self._users.get(socket.owner)
        if connected is None:
            return
        connected.sockets = tuple(one for one in connected.sockets if one is not socket)
        if not connected.sockets:
            del self._users[socket.owner]
            self._line.membership.release(connected.group)
        if not self._users and self._stop_later is None:
            self._stop_later = self.loop.call_later(GRACE, self.stop)

    def group_of(self, key: str) -> str | None:
        """The group of the user whom tabs know by this key, if they have a socket here."""
        users = self._users.values()
        return next((connected.group for connected in users if connected.key == key), None)

    @property
    def users(self) -> int:
        """How many users have a socket here."""
        return len(self._users)

    @property
    def sockets(self) -> int:
        return sum(len(connected.sockets) for connected in list(self._users.values()))

    @property
    def guard(self) -> Guard:
        """What watches over who is still signed in."""
        return self._guard

    @property
    def rounds(self) -> Reconciler:
        """What compares inboxes with what tabs were told."""
        return self._reconciler

    @property
    def layer(self) -> Any:
        """What it listens on."""
        return self._line.layer

    @property
    def silence(self) -> float:
        """For how many seconds nothing was heard from the channel layer, not even what the hub says to itself."""
        return time.monotonic() - self._line.heard_at

    def _suspect_groups(self, owners: set[str]) -> None:
        users = (self._users[owner] for owner in owners if owner in self._users)
        self._line.membership.suspect(connected.group for connected in users)

    # Running

    def start(self) -> None:
        self._line.open()
        self._reconciler.open()
        self._guard.open()
        log.info("hub_started", "The hub has started.")
        self._tasks = [
            supervision.start("handling events", self._handle_events),
            supervision.start("relaying", self._relay_events),
        ]

    def stop(self) -> None:
        """End all tasks. The next socket finds another hub."""
        if self._stopped:
            return
        self._stopped = True
        self._on_stop(self)
        log.info("hub_stopped", "The hub has stopped.")
        if self._stop_later is not None:
            self._stop_later.cancel()
        self._reconciler.close()
        self._guard.close()
        for task in self._tasks:
            task.cancel()
        self._tasks.append(supervision.once("leaving the channel layer", self._line.close))

    async def say_goodbye(self) -> None:
        """Close all sockets, because the server is going to stop."""
        for connected in list(self._users.values()):
            for socket in connected.sockets:
                socket.close(SERVICE_RESTART)
        await asyncio.sleep(GOODBYE)

    async def shut_down(self) -> None:
        """Stop, and wait a moment for the end of all tasks."""
        self.stop()
        tasks = [*self._tasks, *self._line.tasks, *self._reconciler.tasks, *self._guard.tasks]
        await asyncio.wait(tasks, timeout=supervision.PATIENCE)

    # Events

    def relay(self, publication: Publication) -> None:
        """Send an event over a layer that ends at this process. May be called from any thread.

        Raises ``RuntimeError`` when the hub's event loop is closed.
        """
        if len(self._outbox) < LOCAL_CAPACITY:
            self._outbox.append(publication)
        else:
            # Nothing is lost: the tabs find out by the summaries.
            counters.events_missed += 1
            self.loop.call_soon_threadsafe(self._reconciler.hurry)
        self.loop.call_soon_threadsafe(self._to_send.set)

    async def _relay_events(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._outbox:
                group, event = self._outbox.popleft()
                await self.layer.group_send(group, event)
                counters.events_published += 1

    async def _handle_events(self) -> None:
        line = self._line
        while True:
            if not line.events:  # some may be left of the time before this has failed
                await line.arrived.wait()
            line.arrived.clear()
            while line.events:
                self._is_handling = True
                try:
                    await self._handle(line.events.popleft())
                finally:
                    self._is_handling = False
                await asyncio.sleep(0)

    def _take_at_once(self, event: dict[str, Any]) -> bool:
        """Write what is for a few as soon as it is there, if nothing else is being written; return whether it was."""
        to, frames = event.get("to"), event.get("frames")
        if event.get("type") != DELIVER or not isinstance(to, list) or not isinstance(frames, list):
            return False
        if len(to) > UNICAST_LIMIT or self._is_handling or self._written_at_once >= SLICE:
            return False
        if not self._written_at_once:
            self.loop.call_soon(self._others_had_their_turn)
        counters.events_received += 1
        before = counters.deliveries
        for _ in self._deliver(to, frames, None):
            pass
        self._written_at_once += 1 + counters.deliveries - before
        return True

    def _others_had_their_turn(self) -> None:
        self._written_at_once = 0

    async def _handle(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind in handlers:
            handlers[kind](self, event)
            return
        counters.events_received += 1
        if kind == DELIVER:
            for _ in self._deliver(event["to"], event["frames"], event["sent_at"]):
                await asyncio.sleep(0)
        elif kind == "inbox.signed_out":
            if event["session"] is None:
                self._guard.end_all_of(event["user"])
            else:
                self._guard.end(event["session"])

    def _deliver(
        self, to: list[str] | None, frames: list[str], sent_at: float | None
    ) -> Iterator[None]:
        """Write to the sockets of these users, or of all who had joined by ``sent_at``.

        Yields when everything else in the event loop is to have its turn.
        """
        self._sequence += 1
        sequence = self._sequence
        messages: list[Message] = [{"type": "websocket.send", "text": text} for text in frames]
        if to is None:
            concerned = [
                connected
                for connected in self._users.values()
                if sent_at is None or connected.joined is None or connected.joined <= sent_at
            ]
        else:
            concerned = [self._users[key] for key in to if key in self._users]
        count = 0
        for connected in concerned:
            for socket in connected.sockets:
                socket.deliver(messages, sequence)
                count += 1
                if count % SLICE == 0:
                    yield
        counters.deliveries += count * len(messages)


def _line(
    interval: float,
    on_gap: Callable[[], None],
    take_at_once: Callable[[dict[str, Any]], bool],
) -> Line:
    layer = configured_layer()
    if is_local(layer):
        here = local_layer() if layer is None else layer
        return Line(here, interval, on_gap, take_at_once)
    return Line(own_layer(), interval, on_gap, take_at_once, another=own_layer)


#: What to do with events of further types, which are no news and not counted as such. Called in the hub's loop, for
#: as short as can be.
handlers: dict[str, Callable[[Hub, dict[str, Any]], object]] = {}
