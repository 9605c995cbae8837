"""The same on MariaDB, whose drivers can cancel nothing: `make mariadb`."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pymysql
import pytest

from realtime.database import GIVEN_UP
from tests.faults.listeners import leave, listen
from tests.faults.looks import SEND, ask, calls_given_up, site_on, stay_few
from tests.services.processes import HOST
from tests.services.server import Project, Serve, Server
from tests.services.waiting import eventually
from tests.services.wire import Wire

PORT = urlsplit(os.environ["TEST_DATABASE_URL"]).port or 3306


@pytest.fixture
def name() -> str:
    name = f"test_{uuid4().hex}"
    with connection() as onlooker:
        onlooker.cursor().execute(f"CREATE DATABASE {name}")
    return name


def connection(database: str | None = None) -> Any:
    return pymysql.connect(host=HOST, port=PORT, user="root", database=database, autocommit=True)


def through(port: int, name: str) -> Project:
    return site_on(
        {
            "ENGINE": "django.db.backends.mysql",
            "HOST": HOST,
            "PORT": port,
            "USER": "root",
            "NAME": name,
        }
    )


@pytest.fixture
def direct(name: str) -> Project:
    project = through(PORT, name)
    project.manage("migrate", "--verbosity=0")
    return project


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(PORT).running() as wire:
        yield wire


@pytest.fixture
def server(serve: Serve, direct: Project, wire: Wire, name: str) -> Server:
    return serve("uvicorn", project=through(wire.port, name))


async def test_however_often_connections_go_dead(
    server: Server, direct: Project, wire: Wire
) -> None:
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)

    async def gone() -> bool:
        return bool((await ask(server, kind="health"))["given up"] == 0)

    for number in range(1, GIVEN_UP + 2):
        given_up = await calls_given_up(server)
        assert wire.go_dead()
        wire.take_new()

        async def once_more(before: int = given_up) -> bool:
            return await calls_given_up(server) > before

        await eventually(once_more, "a look is given up")
        await asyncio.to_thread(direct.shell, SEND)
        await eventually(
            lambda number=number: listener.sync["unread"] == number, "the comparison goes on"
        )
        await eventually(gone, "the threads end")
    await leave(listener)


async def test_a_database_that_takes_connections_and_says_nothing(
    server: Server, direct: Project, wire: Wire
) -> None:
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)
    assert wire.go_dead()
    await eventually(lambda: "timed out" in server.log, "what connects is given up")
    await asyncio.to_thread(direct.shell, SEND)
    wire.take_new()
    await eventually(lambda: listener.sync["unread"] == 1, "all goes on")
    await leave(listener)


async def test_a_locked_table_takes_few_connections(
    server: Server, direct: Project, name: str
) -> None:
    [key] = await ask(server, kind="sign in many", users=1)
    listener = await listen(server.port, key)
    with connection(name) as onlooker, connection(name) as migration:
        migration.cursor().execute(
            "LOCK TABLES auth_user WRITE, stored_messages_message WRITE, stored_messages_delivery WRITE"
        )

        async def waiting() -> int:
            asking = onlooker.cursor()
            asking.execute(
                "SELECT count(*) FROM information_schema.processlist"
                " WHERE db = database() AND state LIKE '%lock%'"
            )
            [waiting] = asking.fetchone()
            return int(waiting)

        await stay_few(server, waiting)
    await asyncio.to_thread(direct.shell, SEND)
    await eventually(lambda: listener.sync["unread"] == 1, "all goes on")
    await leave(listener)
