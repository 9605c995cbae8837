"""Sockets that arrive together are signed in together: after a restart all of them come at once."""

import asyncio
from collections.abc import Coroutine, Sequence
from itertools import islice
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

from realtime import supervision
from realtime.login import (
    THREADS,
    database_threads,
    session_and_user,
    session_store,
    single_threads,
)
from realtime.still_signed_in import certain_sign_ins, unless_one_fails

#: How many are looked up together at most.
BATCH = 100
#: Seconds between two looks of a thread when sockets come by the hundred: one for many costs little more.
GATHER = 0.02
#: Seconds that one waits at most. Whoever it is has gone by then or comes back, and servers keep all that waits.
PATIENCE = 30.0

Found: TypeAlias = "tuple[Any, Any | None]"


class Arrivals:
    """Looks up sessions in a few threads; what arrives while all are busy shares the next look.

    Of whom nothing can be said so is asked alone, and holds up nobody else.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[Found], str] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._alone: set[asyncio.Task[None]] = set()

    async def session_and_user(self, key: str | None) -> Found:
        """Return a session and who is signed in with it, ``None`` if nobody is.

        Raises what the stores raise, and ``TimeoutError`` where they do not answer.
        """
        if not key:
            return session_store()(key), None
        found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting[found] = key
        if len(self._looking) < THREADS:
            _begin(self._looking, "signing in", self._look())
        try:
            return await supervision.within(PATIENCE, found)
        finally:
            self._waiting.pop(found, None)

    async def _look(self) -> None:
        try:
            while self._waiting:
                batch = {
                    found: self._waiting.pop(found) for found in list(islice(self._waiting, BATCH))
                }
                try:
                    certain = await database_threads().run(
                        unless_one_fails, look_up, list(batch.values())
                    )
                except Exception as error:
                    for found in batch:
                        _settle(found, error)
                    continue
                for found, key in batch.items():
                    if key in certain:
                        _settle(found, certain[key])
                    elif not found.done():
                        self._ask_alone(found, key)
                if len(batch) > 1:
                    await asyncio.sleep(GATHER)
        finally:
            # In the same turn in which nobody was waiting any more: who comes in the next one begins another look.
            self._looking.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _ask_alone(self, found: "asyncio.Future[Found]", key: str) -> None:
        asking = _begin(self._alone, "signing in alone", self._ask(found, key))
        # Nobody is asked about who has gone.
        found.add_done_callback(lambda _: asking.cancel())

    async def _ask(self, found: "asyncio.Future[Found]", key: str) -> None:
        try:
            _settle(found, await single_threads().run(session_and_user, key))
        except Exception as error:
            _settle(found, error)


def arrivals() -> Arrivals:
    """Return those of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _arrivals.get(loop)
    if found is None:
        found = _arrivals[loop] = Arrivals()
    return found


_arrivals: "WeakKeyDictionary[asyncio.AbstractEventLoop, Arrivals]" = WeakKeyDictionary()


def _begin(
    tasks: "set[asyncio.Task[None]]", name: str, work: Coroutine[None, None, None]
) -> "asyncio.Task[None]":
    task = supervision.once(name, lambda: work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _settle(found: "asyncio.Future[Found]", outcome: "Found | Exception") -> None:
    if found.done():  # the client has gone meanwhile
        return
    if isinstance(outcome, Exception):
        found.set_exception(outcome)
    else:
        found.set_result(outcome)


def look_up(keys: Sequence[str]) -> dict[str, Found]:
    """Return session and user, by key, of those who are certainly signed in."""
    found: dict[str, Found] = {}
    for key, (content, user) in certain_sign_ins(keys).items():
        session = session_store()(key)
        session._session_cache = content  # read, as it would be had it been asked itself
        found[key] = session, user
    return found
