"""A run: writers write while faults happen, and after each round every client must show the truth."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.deployment import Deployment
from tests.faults.harm import Harm
from tests.faults.live import LivePath
from tests.faults.programs import Refused
from tests.faults.promptness import Promptness
from tests.faults.writing import Writers
from tests.services.waiting import eventually

NAMES = ("ada", "ben", "cleo", "dan", "eve", "finn")
#: The client's own figures: silence that it bears beyond the heartbeat, and its longest pause between attempts.
EXTRA_SILENCE, LONGEST_BACKOFF = 3.0, 30.0
#: It fetches a list so many seconds after it learned that it has to, at most.
LONGEST_DEBOUNCE = 0.45

_SERVER_AWAY, _DATABASE_AWAY = "a server is killed", "the database is restarted"
#: The first worker sends a hundred messages to it before it does anything else.
_STORM, _SENDS_STORM = "a client does not read", "worker-0"

#: Id and text of what each user has unread, newest first.
Truth = dict[str, list[tuple[str, str]]]
Look = Callable[[Truth], Awaitable[str | None]]


@dataclass
class Report:
    """What a run did and what came of it."""

    seed: str
    interval: float
    messages: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    longest_operation: float = 0.0
    injected: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    fetches: int = 0
    connections: int = 0
    rounds: int = 0
    story: list[str] = field(default_factory=list)
    longest_up: float = 0.0
    longest_converging: float = 0.0
    promptness: str = ""
    live: str = ""

    def __str__(self) -> str:
        faults = "\n".join(f"    {count} x {name}" for name, count in sorted(self.injected.items()))
        changes = ", ".join(f"{count} {name}" for name, count in sorted(self.operations.items()))
        story = "\n".join(self.story)
        return (
            f"seed {self.seed}\n"
            f"  {self.messages} messages sent; {changes}; {self.failed} failed, "
            f"a write took {self.promptness}, the longest {self.longest_operation:.1f} s\n"
            f"  {sum(self.injected.values())} faults in {self.rounds} rounds:\n{faults}\n"
            f"    frames: {self.frames}\n"
            f"{story}\n"
            f"  {self.deliveries} deliveries, {self.fetches} fetches, {self.connections} sockets; {self.live}\n"
            f"  every {self.interval:g} s compared: longest until all sockets were up {self.longest_up:.1f} s, "
            f"longest from there to the truth {self.longest_converging:.1f} s"
        )


class Run:
    """What is promised is asked for to the letter, counted from when the last fault is over and the last write done.

    A client has a socket on which something passes within the heartbeat's timeout and the longest backoff. It shows
    the truth within two intervals, and one fetch, after that: and after the last event that Redis held up has come,
    for who is just told something is not told the sum of it.

    Then everybody is told live again: soon, by whoever sends. And what befalls the live part alone never keeps anybody
    from writing, nor makes them wait.

    ``look`` is one more check of what is shown: it returns what is wrong, or ``None``.
    """

    def __init__(self, deployment: Deployment, seed: str, look: Look | None = None) -> None:
        self.deployment = deployment
        self.names = list(NAMES)
        # Two tabs each, with small pages here and everything loaded there.
        self.tabs = [f"{name}-{index}" for name in self.names for index in range(2)]
        self.report = Report(seed, deployment.interval)
        self._sessions: dict[str, str] = {}
        self._look = look
        self._seen = self._judged = 0
        self._database_was_away = False
        self.promptness = Promptness()
        self.live = LivePath(deployment, self.names, self.tabs)
        self.writers = Writers(deployment, self.names, self.tabs, seed)
        generator = random.Random(f"{seed}/faults")
        self.harm = Harm(deployment, self.writers, self.names, self.tabs, generator)

    async def begin(self, before_looking: Callable[[], Awaitable[None]] | None = None) -> None:
        """Open all tabs; ``before_looking`` opens what :attr:`look` looks at."""
        deployment = self.deployment
        await deployment.workers[0].ask(kind="create users", names=self.names)
        for tab in self.tabs:
            name, index = tab.split("-")
            self._sessions[tab] = await deployment.sign_in(name)
            await deployment.clients.ask(
                command="open",
                name=tab,
                user=name,
                origin=deployment.url,
                session=self._sessions[tab],
                pageSize=5 if index == "0" else 100,
            )
        if before_looking is not None:
            await before_looking()
        await self.settle()
        await self.live.is_back()
        self.writers.start()

    async def round(self, faults: Sequence[str], lead: float = 0.5) -> None:
        """Write, let these faults happen together, and wait until all clients show the truth."""
        self.report.rounds += 1
        began = time.monotonic()
        self.writers.go_on()
        await asyncio.sleep(lead)
        await asyncio.gather(*map(self.harm.do, faults))
        await self.writers.pause()
        self._excuse(faults)
        self._judge_promptness(faults)
        await self.settle()
        await self.live.is_back()
        self.report.story.append(f"{time.monotonic() - began:5.1f} s  {' + '.join(faults)}")

    def _excuse(self, faults: Sequence[str]) -> None:
        """Writing fails where the database or the server that was asked is away, and for no other reason."""
        new, self._seen = self.writers.failures[self._seen :], len(self.writers.failures)
        before, self._database_was_away = self._database_was_away, _DATABASE_AWAY in faults
        if (
            self._database_was_away or before
        ):  # a connection that broke may be used for the first time since
            return
        excused = {"server"} if _SERVER_AWAY in faults else set()
        unexcused = [failure for who, failure in new if who not in excused]
        assert not unexcused, (faults, unexcused)

    def _judge_promptness(self, faults: Sequence[str]) -> None:
        """Nobody waits for Redis; where something else is away too, it cannot be said for what they wait."""
        new, self._judged = self.writers.writes[self._judged :], len(self.writers.writes)
        if self._database_was_away or _SERVER_AWAY in faults:
            return
        busy = _SENDS_STORM if _STORM in faults else None
        self.promptness.add((write for write in new if write.who != busy), self.harm.frozen)
        self.promptness.judge()

    @property
    def _time_to_come_back(self) -> float:
        """How long a client may have no socket: it notices, and waits for its next attempt."""
        return self.deployment.interval * 2 * 1.5 + EXTRA_SILENCE + LONGEST_BACKOFF

    async def settle(self) -> None:
        """Nothing happens any more: wait until all clients are up and show the truth, each in time."""
        quiet = time.time()
        truth = await self._truth()
        up: dict[str, float] = {}
        right: dict[str, float] = {}

        async def all_right() -> bool:
            asked, half_open = time.time(), self._half_open()
            states = await self._states()
            for tab, state in states.items():
                assert not state["violations"], (tab, state["violations"])
                if not state["liveAt"] or tab in half_open:
                    late = asked - quiet - self._time_to_come_back
                    assert late <= 0, (
                        f"{tab} is up {late:.1f} s late: {await self._story(tab, state, truth)}"
                    )
                    up.pop(tab, None)
                    right.pop(tab, None)
                    continue
                up.setdefault(tab, time.time() - quiet)
                since = max(quiet, state["liveAt"] / 1000, state["newsAt"] / 1000)
                if shows(state, truth[state["user"]]):
                    right.setdefault(tab, time.time() - since)
                    continue
                right.pop(tab, None)
                fetch = LONGEST_DEBOUNCE + state["listTook"] / 1000
                late = asked - since - 2 * self.deployment.interval - fetch
                assert late <= 0, (
                    f"{tab} is {late:.1f} s late: {await self._story(tab, state, truth)}"
                )
            return len(right) == len(states)

        # Who is not in time is told of above.
        await eventually(all_right, "every client shows the truth", timeout=600)
        self.report.longest_up = max(self.report.longest_up, *up.values())
        self.report.longest_converging = max(self.report.longest_converging, *right.values())
        if self._look is not None:
            look = self._look

            async def looks_right() -> bool:
                complaints[:] = filter(None, [await look(truth)])
                return not complaints

            complaints: list[str] = []
            try:
                await eventually(
                    looks_right,
                    "the page shows the truth",
                    timeout=self._time_to_come_back + 2 * self.deployment.interval,
                )
            except AssertionError as error:
                raise AssertionError(complaints) from error

    async def finish(self) -> None:
        """What is below the loaded part is right too; and with nothing new, nobody asks again."""
        self.live.judge()
        await self.settle()
        truth = await self._truth()
        for tab in self.tabs:
            while await self.deployment.clients.ask(command="act", name=tab, action="loadMore"):
                pass
        states = await self._states()
        for tab, state in states.items():
            assert shows(state, truth[state["user"]]), (tab, state)
            assert len(state["ids"]) >= min(100, len(truth[state["user"]])), tab
        await asyncio.sleep(2 * self.deployment.interval)
        for tab, state in (await self._states()).items():
            assert state["lists"] == states[tab]["lists"], f"{tab} asks though nothing changed"
        self._sum_up(states)

    def _sum_up(self, states: dict[str, Any]) -> None:
        report, balancer = self.report, self.deployment.balancer
        report.operations = self.writers.done
        report.messages = self.writers.messages
        report.failed = len(self.writers.failures)
        report.longest_operation = self.writers.longest
        report.promptness = str(self.promptness)
        report.live = (
            f"live again after {self.live.attempts} attempts at most, "
            f"then {self.live.heard} of {self.live.sent}"
        )
        report.injected = self.harm.injected
        report.frames = {
            "passed": balancer.frames,
            "dropped": balancer.dropped,
            "doubled": balancer.doubled,
            "late": balancer.late,
        }
        report.deliveries = sum(state["deliveries"] for state in states.values())
        report.fetches = sum(state["lists"] for state in states.values())
        report.connections = sum(state["connections"] for state in states.values())

    async def _story(self, tab: str, state: dict[str, Any], truth: Truth) -> str:
        """What is to be known of a tab that does not do what it should."""
        recent = await self.deployment.clients.ask(command="recent", name=tab)
        should = [one for one, _ in truth[state["user"]]]
        return "\n".join([str(state), f"should show {should}", *recent])

    async def _states(self) -> dict[str, Any]:
        states: dict[str, Any] = await self.deployment.clients.ask(command="states")
        return states

    def _half_open(self) -> set[str]:
        """The tabs that still hold a socket on which nothing passes."""
        requests = self.deployment.balancer.half_open
        return {
            tab
            for tab, session in self._sessions.items()
            if any(session.encode() in request for request in requests)
        }

    async def _truth(self) -> Truth:
        """What the database says, which may have been away a moment ago."""

        async def ask() -> Any:
            try:
                return await self.deployment.workers[0].ask(kind="truth", names=self.names)
            except Refused:
                return None

        truth: Truth = await eventually(ask, "the database answers")
        return truth


def shows(state: dict[str, Any], truth: list[tuple[str, str]]) -> bool:
    """Whether a tab in this state shows exactly this."""
    ids: list[str] = state["ids"]
    return (
        state["loaded"]
        and state["unread"] == len(truth)
        and ids == [one for one, _ in truth[: len(ids)]]
        and (state["hasMore"] or len(ids) == len(truth))
    )
