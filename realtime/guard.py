"""Signed out means cut off: sockets do not outlive what they were signed in with.

A logout is an event, and closes at once. Everything else is found by looking: users who are gone or inactive within
a reconcile interval, by one query for all of them; sessions that are lost, expired or older than the password within
the session interval, in rotation; and so what else was signed in with. Nobody is cut off because a store fails.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError

from realtime import log, supervision
from realtime.counters import counters
from realtime.held import Held, HeldSignIns
from realtime.login import (
    SessionSignIn,
    SignIn,
    database_threads,
    single_threads,
    token_threads,
)
from realtime.sockets import SIGNED_OUT, Socket
from realtime.still_signed_in import active_users, certain_owners, unless_one_fails
from realtime.turns import short_turns

#: Seconds between two looks at most.
LONGEST_PAUSE = 10.0
#: How many sign-ins are looked at together, and for how many seconds the interpreter is others' after that: while it
#: decodes sessions, messages wait.
BATCH = 500
BREATH = 0.02
#: For each second that it took to ask somebody the last time, so many seconds of waiting let others go first.
PRICE = 10.0


class Watched(Protocol):
    """A user with open sockets. ``state``: active, inactive or (``None``) gone, when last looked at."""

    user: Any
    sockets: tuple[Socket, ...]
    state: bool | None


class Guard:
    """Closes the sockets of those who are signed out.

    ``users`` are the hub's connected users by primary key as text.
    """

    def __init__(
        self, users: Mapping[str, Watched], interval: float, session_interval: float
    ) -> None:
        self._users = users
        # With the time that the query takes, a look at all users is within the interval.
        self._pause = min(interval, session_interval / 4, LONGEST_PAUSE) * 0.8
        self._rest = max(session_interval - 3 * self._pause, self._pause)
        self._held = HeldSignIns()
        #: Set when there is a session to look at at once.
        self._to_look = asyncio.Event()
        #: Set when there is somebody to ask alone at once: by a session, or by something else.
        self._to_ask = {True: asyncio.Event(), False: asyncio.Event()}
        self.tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        # Neither users nor sessions wait until everybody's token was looked at.
        self.tasks = [
            supervision.start(name, watch, well_after=math.inf)
            for name, watch in (
                ("looking who is gone", self._watch_users),
                ("looking who is signed out", self._watch_sessions),
                ("asking one by one who is signed out", partial(self._watch_alone, True)),
                ("looking whose token is revoked", partial(self._watch_alone, False)),
            )
        ]

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()

    def admit(self, socket: Socket, sign_in: SignIn) -> None:
        """Watch over this socket.

        The first look is a soon one: the logout may have come before this process listened for it.
        """
        self._held.add(socket, sign_in, self._now())

    def release(self, socket: Socket) -> None:
        """Forget this socket. Harmless for one that is not watched over."""
        self._held.remove(socket)

    @property
    def lag(self) -> float:
        """How many seconds later than due it is looked whether somebody is still signed in. From any thread."""
        oldest = min((held.due for held in self._held.all()), default=math.inf)
        return max(0.0, self._now() - oldest - self._pause)

    def end(self, session: str) -> None:
        """Close the sockets of the sign-in with this digest."""
        for held in self._held.of(session):
            _close(held.sockets)

    def end_all_of(self, owner: str) -> None:
        """Close all sockets of a user that were signed in with something: who still is comes back."""
        for held in [held for held in self._held.all() if held.owner == owner]:
            _close(held.sockets)

    # Looking

    async def _watch_users(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._look_at_users()

    async def _watch_sessions(self) -> None:
        while True:
            await supervision.wait_for_event(self._to_look, self._pause)
            await self._look_at(self._due(lambda held: not held.is_alone))

    async def _watch_alone(self, sessions: bool) -> None:
        """Ask one by one: tokens, and what else a project signs in with; or sessions that are not certainly good."""
        while True:
            await supervision.wait_for_event(self._to_ask[sessions], self._pause)
            await self._ask_each(sessions)

    def _due(self, is_meant: Callable[[Held], bool]) -> list[Held]:
        """Return who is to be looked at: suspects first, and who took long the last time later."""
        now = self._now()
        meant = [held for held in self._held.all() if is_meant(held)]
        if not meant:
            supervision.succeeded()  # what could not be looked at is gone
        due = [held for held in meant if held.due <= now or held.is_suspect]
        return sorted(due, key=lambda held: (not held.is_suspect, held.due + PRICE * held.took))

    async def _look_at_users(self) -> None:
        looked_at = dict(self._users)
        users = [connected.user for connected in looked_at.values()]
        with short_turns():
            found = await database_threads().run(active_users, users) if users else {}
        supervision.succeeded()
        suspects = set()
        for owner, connected in looked_at.items():
            state = found.get(owner)
            if state == connected.state:
                continue
            connected.state = state
            if not state:
                # What they signed in with knows better: some projects let inactive users in.
                _close(socket for socket in connected.sockets if socket.session not in self._held)
                suspects.add(owner)
        for held in self._held.all() if suspects else ():
            if held.owner in suspects:
                self._suspect(held)

    async def _look_at(self, due: list[Held]) -> None:
        for start in range(0, len(due), BATCH):
            if start:
                await asyncio.sleep(BREATH)
            batch = due[start : start + BATCH]
            suspects = {held for held in batch if held.is_suspect}
            for held in suspects:
                held.is_suspect = False
            try:
                owners = await self._certain_owners(batch)
            except BaseException:
                for held in suspects:
                    held.is_suspect = True
                raise
            for held in batch:
                digest = held.sign_in.digest
                if held.is_suspect:  # since then, and so looked at again
                    continue
                if digest not in owners:
                    held.is_alone = True
                    held.is_suspect = held in suspects
                    self._to_ask[True].set()
                    continue
                self._look_again(held)
                if owners[digest] != held.owner:
                    _close(held.sockets)
            supervision.succeeded()

    async def _certain_owners(self, batch: list[Held]) -> dict[str, str | None]:
        sign_ins = [held.sign_in for held in batch if isinstance(held.sign_in, SessionSignIn)]
        with short_turns():
            return await database_threads().run(unless_one_fails, certain_owners, sign_ins)

    def _suspect(self, held: Held) -> None:
        held.is_suspect = True
        event = self._to_ask[held.is_session] if held.is_alone else self._to_look
        event.set()

    async def _ask_each(self, sessions: bool) -> None:
        failed: Exception | None = None
        for held in self._due(lambda one: one.is_alone and one.is_session is sessions):
            if self._to_ask[sessions].is_set():
                break  # there are more, and some of them come first
            if not held.sockets:  # they have left meanwhile
                continue
            try:
                await self._ask(held)
            except (InterfaceError, OperationalError):
                raise
            except Exception as error:  # of this one, perhaps
                failed = error
                log.error(
                    "look_failed", "Whether somebody is signed in cannot be found out.", error
                )
            else:
                failed = None
                supervision.succeeded()
        if failed is not None:
            raise failed

    async def _ask(self, held: Held) -> None:
        # Already now: who becomes suspect before the answer is there will be asked again. And where none comes, the
        # others are first the next time: this may be about one only.
        was_suspect = held.is_suspect
        self._look_again(held)
        threads = single_threads() if held.is_session else token_threads()
        began = self._now()
        try:
            user = await threads.run(held.sign_in.user)
        except (InterfaceError, OperationalError):
            held.is_alone = True
            held.is_suspect |= was_suspect
            raise
        except Exception:
            if not self._is_gone(held.owner):
                held.is_alone = True  # until there is an answer
                raise
            user = None
        finally:
            held.took = self._now() - began
        if user is None or str(user.pk) != held.owner:
            _close(held.sockets)

    def _is_gone(self, owner: str) -> bool:
        """Whether there was no such user any more when users were last looked at."""
        connected = self._users.get(owner)
        return connected is not None and connected.state is None

    def _look_again(self, held: Held) -> None:
        held.is_suspect = False
        held.is_alone = not held.is_plain
        held.due = self._now() + self._rest * random.uniform(0.75, 1)  # noqa: S311 - spreads them

    @staticmethod
    def _now() -> float:
        return time.monotonic()


def _close(sockets: Iterable[Socket]) -> None:
    closed = 0
    for socket in list(sockets):
        socket.close(SIGNED_OUT)
        closed += 1
    if closed:
        counters.sockets_signed_out += closed
        log.info("signed_out", "Signed out: sockets closed: %(sockets)d.", sockets=closed)
