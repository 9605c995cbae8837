"""The live part's own threads for queries."""

import asyncio
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from realtime.database import DatabaseThreads
from tests.services.waiting import eventually


async def test_each_thread_closes_its_connection_in_the_end(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    threads, both = DatabaseThreads(2), Barrier(2, timeout=30)

    def connect() -> Any:
        both.wait()
        connection.ensure_connection()
        return connection._connections["default"]  # type: ignore[attr-defined]

    opened = await asyncio.gather(threads.run(connect), threads.run(connect))
    assert len(set(map(id, opened))) == 2
    assert all(one.connection is not None for one in opened)

    threads.stop()

    await eventually(lambda: all(one.connection is None for one in opened), "both are closed")
