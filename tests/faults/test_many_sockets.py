"""What many sockets do to one process: those that never read, and those that all come back at once."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.deployment import SETTINGS, post
from tests.faults.listeners import leave, listen, listen_all
from tests.services.processes import ListeningProcess, free_port
from tests.services.server import ROOT, Project
from tests.services.waiting import CEILING, eventually

MIB = 1024 * 1024

Start = Callable[..., ListeningProcess]


@pytest.fixture
def start(migrated_database: Path, tmp_path: Path) -> Iterator[Start]:
    """`start("uvicorn", *options, **live_settings)`: a server with an SQLite file and the layer of its process.

    `patience`: seconds after which uvicorn's sockets are closed that take nothing, and those cut that do not read that.
    """
    database = tmp_path / "project.sqlite3"
    database.write_bytes(migrated_database.read_bytes())
    servers: list[ListeningProcess] = []

    def start(
        kind: str, *options: str, patience: float = 10 * CEILING, **live: Any
    ) -> ListeningProcess:
        port = free_port()
        env = {
            "PROJECT_DATABASE": str(database),
            "PROJECT_SETTINGS": json.dumps({"REALTIME": live}),
        }
        project = Project(ROOT, SETTINGS, env=env)
        command = {
            "uvicorn": ["tests.faults.serve_uvicorn", project.asgi, str(port), str(patience)],
            "daphne": ["tests.faults.serve_daphne", project.asgi, str(port), *options],
        }[kind]
        server = ListeningProcess(
            kind,
            [sys.executable, "-m", *command],
            port=port,
            log=tmp_path / "server.log",
            env=project.environment,
            cwd=ROOT,
        )
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


async def ask(server: ListeningProcess, **operation: Any) -> Any:
    return await asyncio.to_thread(post, server.port, "/perform/", operation)


def memory(server: ListeningProcess) -> float:
    """Resident, in MiB."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def open_files(server: ListeningProcess) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


#: So many sockets, and so much for each of them: without a bound it would be 400 MB.
SLOW, FRAMES, SIZE = 500, 100, 8000


async def test_sockets_that_never_read_cost_a_bounded_amount_and_delay_nobody(start: Start) -> None:
    server = start("uvicorn", SOCKET_QUEUE=50, SOCKETS_PER_USER=SLOW)
    [key, other] = await ask(server, kind="sign in many", users=2)
    slow = await listen_all(server.port, [key] * SLOW, receive_buffer=4096)
    reader = await listen(server.port, other)
    for listener in slow:
        listener.stop_reading()
    before = memory(server)
    for number in range(1, 11):
        await ask(server, kind="broadcast many", count=FRAMES // 10, size=SIZE)
        wanted = number * FRAMES // 10
        await eventually(lambda n=wanted: reader.frames.get("stored") == n, f"{wanted} frames")
    grown = memory(server) - before
    assert grown < SLOW * FRAMES * SIZE / MIB / 4, f"{grown:.0f} MiB"
    # Who reads again learns why it was closed, and comes back.
    slow[0].read_on()
    await eventually(lambda: slow[0].code == 1013, "the close code")
    again = await listen(server.port, key)
    assert again.sync["unread"] == FRAMES
    await leave(*slow, reader, again)


async def test_who_does_not_even_read_that_it_is_closed_is_cut(start: Start) -> None:
    """uvicorn would keep all that it was to read, and wait for it when it is to stop."""
    server = start("uvicorn", patience=1, SOCKET_QUEUE=10, SOCKETS_PER_USER=20)
    [key] = await ask(server, kind="sign in many", users=1)
    before = open_files(server)
    slow = await listen_all(server.port, [key] * 20, receive_buffer=4096)
    for listener in slow:
        listener.stop_reading()
    await ask(server, kind="broadcast many", count=FRAMES, size=SIZE)
    await eventually(
        lambda: open_files(server) <= before + 5,
        "their connections are gone",
    )
    await leave(*slow)


@pytest.mark.parametrize("stuck", [False, True], ids=["closed", "not-closed-yet"])
async def test_nor_is_it_waited_for_when_the_server_stops(start: Start, stuck: bool) -> None:
    server = start("uvicorn", patience=1, SOCKET_QUEUE=50 if stuck else 2, RECONCILE_INTERVAL=1)
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key, receive_buffer=4096)
    listener.stop_reading()
    await ask(server, kind="broadcast many", count=9, size=100 * SIZE)
    server.send_signal(signal.SIGTERM)
    await eventually(lambda: not server.running, "the server has ended")
    await leave(listener)


async def test_under_daphne_they_go_by_its_ping_timeout_and_the_memory_returns(
    start: Start,
) -> None:
    """Its `send` never waits, so it keeps what is not read: for as long as it waits for a pong, and its timers run."""
    # Short, and long enough for a reader on a busy machine.
    pings = ("--ping-interval", "6", "--ping-timeout", "12")
    server = start("daphne", *pings, SOCKETS_PER_USER=SLOW)
    [key, other] = await ask(server, kind="sign in many", users=2)
    reader = await listen(server.port, other)
    slow = await listen_all(server.port, [key] * SLOW, receive_buffer=4096)
    for listener in slow:
        listener.stop_reading()
    before, kept = memory(server), 0.0

    def much_is_kept() -> bool:
        nonlocal kept
        kept = max(kept, memory(server) - before)
        return kept > SLOW * 15 * SIZE / MIB / 2

    # Looked at meanwhile: on a busy machine the first ones are gone when all is sent.
    sending = asyncio.create_task(ask(server, kind="broadcast many", count=15, size=SIZE))
    await eventually(much_is_kept, "there is something to be seen")
    await eventually(lambda: reader.frames.get("stored") == 15, "who reads is not delayed")
    await sending

    async def only_the_reader() -> bool:
        return bool(await ask(server, kind="collect") == 1)

    await eventually(only_the_reader, "the slow ones are gone", timeout=120)
    assert not reader.closed.done()

    async def little_is_left() -> bool:
        await ask(server, kind="collect")
        return memory(server) - before < kept / 3

    await eventually(little_is_left, "the memory returns", timeout=120)
    await leave(*slow, reader)


#: `make faults` has 5000, as many as a process should have at most.
TABS = 5
USERS = int(os.environ.get("FAULTS_SOCKETS", "1500")) // TABS


async def test_all_come_back_at_once_and_only_who_missed_something_has_to_ask(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = USERS * TABS + 500
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
        if hard < needed:
            pytest.fail(f"{needed} open files are needed: raise `ulimit -n`")
    server = start("uvicorn")
    keys = await ask(server, kind="sign in many", users=USERS)
    await ask(server, kind="send to all", text="before")
    sessions = keys * TABS
    listeners = await listen_all(server.port, sessions)
    told = [listener.sync for listener in listeners]
    assert {sync["unread"] for sync in told} == {1}

    await asyncio.to_thread(server.kill)
    await asyncio.gather(*(listener.closed for listener in listeners))
    hands = ThreadPoolExecutor(1)  # the server ends with the thread that starts it
    await asyncio.get_running_loop().run_in_executor(hands, server.start)
    await ask(server, kind="send", to=["user-7"], number="meanwhile")
    listeners = await listen_all(server.port, sessions)
    differing = {
        sessions[index]
        for index, (before, listener) in enumerate(zip(told, listeners, strict=True))
        if (before["unread"], before["digest"])
        != (listener.sync["unread"], listener.sync["digest"])
    }
    assert differing == {keys[7]}
    assert all("stored" not in listener.frames for listener in listeners)
    await leave(*listeners)
