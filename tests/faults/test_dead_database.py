"""Kept connections to the database on which nothing passes any more, and of which neither end is told."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest

from realtime.database import GIVEN_UP
from tests.faults.listeners import leave, listen
from tests.faults.looks import SEND, ask, calls_given_up, site_on, stay_few
from tests.services.postgresql import PostgreSQL
from tests.services.server import Project, Serve, Server
from tests.services.waiting import eventually
from tests.services.wire import Wire


@pytest.fixture
def wire(postgres: PostgreSQL) -> Iterator[Wire]:
    with Wire(postgres.port).running() as wire:
        yield wire


@pytest.fixture
def direct(postgres: PostgreSQL) -> Project:
    """The site as processes see it whose connections are well."""
    database = postgres.django_settings(postgres.create_database())
    project = site_on(database)
    project.manage("migrate", "--verbosity=0")
    return project


@pytest.fixture
def server(serve: Serve, direct: Project, wire: Wire) -> Server:
    database = json.loads(direct.env["PROJECT_SETTINGS"])["DATABASES"]["default"]
    return serve("uvicorn", project=site_on({**database, "PORT": wire.port}))


async def test_looks_are_given_up_with_their_connections(
    server: Server, direct: Project, wire: Wire, tmp_path: Path
) -> None:
    [key, newcomer] = await ask(server, kind="sign in many", users=2)
    listener = await listen(server.port, key)
    assert listener.sync["unread"] == 0

    async def problems() -> Any:
        return (await ask(server, kind="health"))["problems"]

    assert wire.go_dead()
    wire.take_new()

    async def said() -> bool:
        said = await problems()
        return any("not compared" in one or "database has not answered" in one for one in said)

    # All heals by itself in seconds: health is watched meanwhile.
    await asyncio.gather(eventually(said, "health says so"), asyncio.to_thread(direct.shell, SEND))
    late = await listen(server.port, newcomer)
    assert late.sync["unread"] == 1
    await eventually(lambda: listener.sync["unread"] == 1, "the comparison goes on")
    assert "The database did not answer" in server.log

    async def well() -> Any:
        return not await problems()

    await eventually(well, "all is well again")

    async def gone() -> bool:
        return bool((await ask(server, kind="health"))["given up"] == 0)

    # However often: what was given up is closed, dead as it is.
    for _ in range(GIVEN_UP):
        given_up = await calls_given_up(server)
        assert given_up
        await eventually(gone, "their threads end")
        assert wire.go_dead()
        wire.take_new()

        async def once_more(before: int = given_up) -> bool:
            return await calls_given_up(server) > before

        await eventually(once_more, "a look is given up")
        await eventually(well, "all is well again")

    await asyncio.to_thread(direct.shell, SEND)
    await eventually(lambda: listener.sync["unread"] == late.sync["unread"] == 2, "all goes on")
    await leave(listener, late)


@pytest.mark.skipif(django.VERSION < (5, 1), reason="Django has no pools yet")
async def test_a_pool_of_dead_connections(serve: Serve, direct: Project, wire: Wire) -> None:
    """More of them than are given up in a row."""
    database = json.loads(direct.env["PROJECT_SETTINGS"])["DATABASES"]["default"]
    size = GIVEN_UP * 2 + 4
    pool = {
        "PORT": wire.port,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"min_size": size, "max_size": size}},
    }
    project = site_on({**database, **pool})
    server = await asyncio.to_thread(lambda: serve("uvicorn", project=project))
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)
    await eventually(lambda: wire.connections >= size, "the pool is full")
    assert wire.go_dead() >= size
    wire.take_new()
    await asyncio.to_thread(direct.shell, SEND)
    await eventually(lambda: listener.sync["unread"] == 1, "the comparison goes on")
    await leave(listener)


async def test_a_database_that_takes_connections_and_says_nothing(
    server: Server, direct: Project, wire: Wire
) -> None:
    """It is frozen, or has gone from behind a balancer. Drivers wait for minutes, or without an end."""
    [key, newcomer] = await ask(server, kind="sign in many", users=2)
    listener = await listen(server.port, key)
    assert wire.go_dead()
    arriving = asyncio.ensure_future(listen(server.port, newcomer))
    await eventually(
        lambda: "connection timeout expired" in server.log, "what connects is given up"
    )
    await asyncio.to_thread(direct.shell, SEND)
    # What was opened meanwhile stays dead.
    wire.take_new()
    await eventually(lambda: listener.sync["unread"] == 1, "all goes on")
    late = await arriving
    await eventually(lambda: late.sync["unread"] == 1, "for who comes, too")

    async def gone() -> bool:
        return bool((await ask(server, kind="health"))["given up"] == 0)

    await eventually(gone, "threads that were given up have ended")
    await leave(listener, late)


async def test_a_locked_table_takes_few_connections(server: Server, direct: Project) -> None:
    """One or two tries tell a dead connection from a table that a migration has for itself."""
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)
    database = json.loads(direct.env["PROJECT_SETTINGS"])["DATABASES"]["default"]
    address = {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "dbname": database["NAME"],
    }
    async with (
        # Outside of a transaction: within one, what others do is looked up once.
        await psycopg.AsyncConnection.connect(**address, autocommit=True) as onlooker,
        await psycopg.AsyncConnection.connect(**address) as migration,
    ):
        await migration.execute(
            "LOCK TABLE auth_user, stored_messages_message IN ACCESS EXCLUSIVE MODE"
        )

        async def waiting() -> int:
            found = await onlooker.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
            [waiting] = await found.fetchone() or [0]
            return int(waiting)

        await stay_few(server, waiting)
    await asyncio.to_thread(direct.shell, SEND)
    await eventually(lambda: listener.sync["unread"] == 1, "all goes on")
    await leave(listener)


async def test_a_server_ends_though_a_look_does_not(server: Server, wire: Wire) -> None:
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)
    assert wire.go_dead()
    await eventually(lambda: "did not answer" in server.log, "a look is given up")
    await asyncio.to_thread(server.send_signal, signal.SIGTERM)
    await eventually(lambda: not server.running, "the server ends")
    await listener.closed
