"""A wire to a server that may go dead: what runs through it stops, and neither end is told."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from tests.services.processes import HOST

T = TypeVar("T")


class Wire:
    """Passes everything that is sent to ``port`` on to another port of this machine, in a thread of its own."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._connections: set[_Connection] = set()
        self._takes_new = True

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def go_dead(self) -> int:
        """Let nothing pass on any connection, open now or from now on; return how many are open."""
        return self._do(self._go_dead)

    def take_new(self) -> None:
        """Let everything pass on what is opened from now on. What is dead stays so."""
        self._do(self._take_new)

    def come_back(self) -> None:
        """Let everything pass again, beginning with what was written meanwhile."""
        self._do(self._come_back)

    @contextmanager
    def running(self) -> Iterator["Wire"]:
        thread = threading.Thread(target=self._loop.run_forever, name="wire")
        thread.start()
        try:
            listener = self._run(self._listen())
            yield self
            self._run(self._close(listener))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _do(self, function: Callable[[], T]) -> T:
        async def do() -> T:
            return function()

        return self._run(do())

    def _go_dead(self) -> int:
        self._takes_new = False
        for connection in self._connections:
            connection.passes.clear()
        return len(self._connections)

    def _take_new(self) -> None:
        self._takes_new = True

    def _come_back(self) -> None:
        self._take_new()
        for connection in self._connections:
            connection.passes.set()

    async def _listen(self) -> asyncio.Server:
        listener = await asyncio.start_server(self._serve, HOST, 0)
        self.port = listener.sockets[0].getsockname()[1]
        return listener

    async def _close(self, listener: asyncio.Server) -> None:
        listener.close()
        tasks = [connection.task for connection in self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection()
        if self._takes_new:
            connection.passes.set()
        self._connections.add(connection)
        try:
            # Cancelled only by _close(): a server of asyncio complains of handlers that end so.
            with suppress(OSError, asyncio.CancelledError):
                await connection.run(reader, writer, self._to_port)
        finally:
            self._connections.discard(connection)
            writer.close()


class _Connection:
    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task: asyncio.Task[Any] = task
        self.passes = asyncio.Event()

    async def run(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter, port: int
    ) -> None:
        from_server, to_server = await asyncio.open_connection(HOST, port)
        ways = [
            asyncio.create_task(self._copy(from_client, to_server)),
            asyncio.create_task(self._copy(from_server, to_client)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # Nor does one end learn that the other has gone.
            await self.passes.wait()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.passes.wait()
            writer.write(data)
            await writer.drain()
