"""A proxy between browser and server, of the kind that lets no WebSocket through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.services.processes import HOST

_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes HTTP on, and WebSockets while `refuses_sockets` is off."""

    def __init__(self, port: int) -> None:
        self.refuses_sockets = True
        self.refused = 0
        self._server_port = port
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._pass_on(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Browsers open a connection of its own for each WebSocket: the first request tells.
        head = await reader.readuntil(b"\r\n\r\n")
        if self.refuses_sockets and b"\r\nupgrade: websocket\r\n" in head.lower():
            self.refused += 1
            writer.write(_REFUSAL)
            await writer.drain()
            return
        from_server, to_server = await asyncio.open_connection(HOST, self._server_port)
        to_server.write(head)
        both = [
            asyncio.create_task(_copy(reader, to_server)),
            asyncio.create_task(_copy(from_server, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            to_server.close()

    async def close(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def running_proxy(server_port: int) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy in front of the server on this port, and its address."""
    proxy = Proxy(server_port)
    listener = await asyncio.start_server(proxy.serve, HOST, 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy, f"http://{HOST}:{port}"
    finally:
        listener.close()
        await proxy.close()
        await listener.wait_closed()
