"""Signed out means cut off: sockets do not outlive what they were signed in with.

A logout is an event, and closes at once. Everything else is found by looking: users who are gone or inactive within
a reconcile interval, by one query for all of them; sessions that are lost, expired or older than the password within
the session interval, in rotation; and so what else was signed in with. Nobody is cut off because a store fails.
"""

import asyncio
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from realtime import log, supervision
from realtime.counters import counters
from realtime.login import SessionSignIn, SignIn, database_threads, token_threads
from realtime.sockets import SIGNED_OUT, Socket
from realtime.still_signed_in import active_users, certain_owners
from realtime.turns import short_turns

#: Seconds between two looks at most.
LONGEST_PAUSE = 10.0
#: How many sign-ins are looked at together, and for how many seconds the interpreter is others' after that: while it
#: decodes sessions, messages wait.
BATCH = 500
BREATH = 0.02


class Watched(Protocol):
    """A user with open sockets. ``state``: active, inactive or (``None``) gone, when last looked at."""

    user: Any
    sockets: tuple[Socket, ...]
    state: bool | None


class _Held:
    """A sign-in with the open sockets of one user. ``due`` is when to look at it again.

    The same session or token may be several users': what else a project looks at may decide whose inbox it opens.
    """

    __slots__ = ("due", "is_session", "owner", "sign_in", "sockets")

    def __init__(self, sign_in: SignIn, owner: str, due: float) -> None:
        self.sign_in = sign_in
        self.is_session = isinstance(sign_in, SessionSignIn)
        self.owner = owner
        self.due = due
        self.sockets: tuple[Socket, ...] = ()


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
        self._held: dict[str, tuple[_Held, ...]] = {}  # by digest: one for each user
        #: Digests by those that a process with an older SECRET_KEY knows.
        self._newest: dict[str, str] = {}
        self._suspected = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        # Neither users nor sessions wait until everybody's token was looked at.
        self.tasks = [
            supervision.start(name, watch, well_after=math.inf)
            for name, watch in (
                ("looking who is gone", self._watch_users),
                ("looking who is signed out", self._watch_sessions),
                ("looking whose token is revoked", self._watch_others),
            )
        ]

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()

    def admit(self, socket: Socket, sign_in: SignIn) -> None:
        """Watch over this socket.

        The first look is a soon one: the logout may have come before this process listened for it.
        """
        users = self._held.get(sign_in.digest, ())
        held = next((one for one in users if one.owner == socket.owner), None)
        if held is None:
            held = _Held(sign_in, socket.owner, self._now())
            self._held[sign_in.digest] = (*users, held)
            self._newest.update(dict.fromkeys(sign_in.older_digests, sign_in.digest))
        held.sockets += (socket,)

    def release(self, socket: Socket) -> None:
        """Forget this socket. Harmless for one that is not watched over."""
        if socket.session is None or socket.session not in self._held:
            return
        users = self._held[socket.session]
        for held in users:
            held.sockets = tuple(one for one in held.sockets if one is not socket)
        left = tuple(held for held in users if held.sockets)
        if left:
            self._held[socket.session] = left
        else:
            del self._held[socket.session]
            for digest in users[0].sign_in.older_digests:
                del self._newest[digest]

    def end(self, session: str) -> None:
        """Close the sockets of the sign-in with this digest."""
        for held in self._held.get(self._newest.get(session, session), ()):
            _close(held.sockets)

    def end_all_of(self, owner: str) -> None:
        """Close all sockets of a user that were signed in with something: who still is comes back."""
        for held in [held for held in self._all() if held.owner == owner]:
            _close(held.sockets)

    def _all(self) -> Iterator[_Held]:
        return (held for users in self._held.values() for held in users)

    # Looking

    async def _watch_users(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._look_at_users()

    async def _watch_sessions(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._look_at(self._due(sessions=True))

    async def _watch_others(self) -> None:
        """Look at tokens, and whatever a project signs in with, one by one."""
        while True:
            await supervision.wait_for_event(self._suspected, self._pause)
            for held in self._due(sessions=False):
                if self._suspected.is_set():
                    break  # some have become suspect, and come first
                await self._ask(held)
                supervision.succeeded()

    def _due(self, *, sessions: bool) -> list[_Held]:
        now = self._now()
        due = [held for held in self._all() if held.due <= now and held.is_session is sessions]
        if not due and not any(held.is_session is sessions for held in self._all()):
            supervision.succeeded()  # what could not be looked at is gone
        return sorted(due, key=lambda held: held.due)

    async def _look_at_users(self) -> None:
        looked_at = dict(self._users)
        users = [connected.user for connected in looked_at.values()]
        with short_turns():
            found = await database_threads().run(active_users, users) if users else {}
        supervision.succeeded()
        suspects = []
        for owner, connected in looked_at.items():
            state = found.get(owner)
            if state == connected.state:
                continue
            connected.state = state
            if not state:
                # What they signed in with knows better: some projects let inactive users in.
                _close(socket for socket in connected.sockets if socket.session not in self._held)
                for held in self._all():
                    if held.owner == owner:
                        held.due = 0.0
                        suspects.append(held)
        sessions = [held for held in suspects if held.is_session]
        if len(sessions) < len(suspects):
            self._suspected.set()
        await self._look_at(sessions)

    async def _look_at(self, due: list[_Held]) -> None:
        for start in range(0, len(due), BATCH):
            if start:
                await asyncio.sleep(BREATH)
            batch = due[start : start + BATCH]
            # A project's own kind of session is asked itself: it may look at more.
            plain = [one.sign_in for one in batch if type(one.sign_in) is SessionSignIn]
            with short_turns():
                owners = await database_threads().run(certain_owners, plain) if plain else {}
            for held in batch:
                is_plain = type(held.sign_in) is SessionSignIn
                if is_plain and owners.get(held.sign_in.digest) == held.owner:
                    self._look_again(held)
                else:
                    await self._ask(held)
            supervision.succeeded()

    async def _ask(self, held: _Held) -> None:
        # Already now: who becomes suspect before the answer is there will be asked again. And where none comes, the
        # others are first the next time: this may be about one only.
        self._look_again(held)
        threads = database_threads() if held.is_session else token_threads()
        user = await threads.run(held.sign_in.user)
        if user is None or str(user.pk) != held.owner:
            _close(held.sockets)

    def _look_again(self, held: _Held) -> None:
        held.due = self._now() + self._rest * random.uniform(0.75, 1)  # noqa: S311 - spreads them

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _close(sockets: Iterable[Socket]) -> None:
    closed = 0
    for socket in list(sockets):
        socket.close(SIGNED_OUT)
        closed += 1
    if closed:
        counters.sockets_signed_out += closed
        log.info("signed_out", "Signed out: sockets closed: %(sockets)d.", sockets=closed)
