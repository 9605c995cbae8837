"""What stands between browsers and servers: a balancer that can be told to do harm."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.services.processes import HOST

_TEXT, _CLOSE = 1, 8


@dataclass(frozen=True)
class FrameFaults:
    """How probable it is that a frame of a server is dropped, doubled, or comes late by up to ``delay`` seconds."""

    drop: float = 0.0
    double: float = 0.0
    late: float = 0.0
    delay: float = 1.0


class Balancer:
    """Passes each connection on to one of the servers that answer, picked at random.

    While ``answers`` is not set, requests are passed on and their answers held: ``held`` of them. ``drops`` says of
    each frame whether it is lost. ``frame_faults`` holds for all sockets, old and new, until it is ``None`` again.
    ``frames`` counts what servers sent; ``dropped``, ``doubled`` and ``late`` what became of it.
    """

    def __init__(self, ports: Sequence[int], generator: random.Random) -> None:
        self.ports = list(ports)
        self.frame_faults: FrameFaults | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.held = 0
        self.drops: Callable[[bytes], bool] | None = None
        self.frames = self.dropped = self.doubled = self.late = 0
        self._random = generator
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def stall_sockets(self, share: float = 1.0) -> int:
        """Make this share of the open sockets half-open: nothing passes, and neither end is told."""
        sockets = [one for one in self._connections if one.is_socket and not one.stalled]
        chosen = self._random.sample(sockets, round(len(sockets) * share))
        for connection in chosen:
            connection.stalled = True
        return len(chosen)

    @property
    def half_open(self) -> list[bytes]:
        """The requests of clients that still hold a socket on which nothing passes."""
        return [one.request for one in self._connections if one.stalled and not one.abandoned]

    def end_sockets(self) -> int:
        """Cut all open sockets off."""
        sockets = [one for one in self._connections if one.is_socket and not one.stalled]
        for connection in sockets:
            connection.end()
        return len(sockets)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cancelled only by close(): a server of asyncio complains of handlers that end so.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        is_socket = b"\r\nupgrade: websocket\r\n" in head.lower()
        if is_socket:
            # Frames that are compressed depend on each other: what is dropped would break the others.
            lines = head.split(b"\r\n")
            head = b"\r\n".join(
                line for line in lines if not line.lower().startswith(b"sec-websocket-extensions:")
            )
        from_server, to_server = await self._connect()
        to_server.write(head)
        connection = _Connection(self, head, is_socket, to_server, writer)
        self._connections.add(connection)
        try:
            await connection.run(reader, from_server)
        finally:
            self._connections.discard(connection)
            to_server.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ports = self.ports[:]
        self._random.shuffle(ports)
        for port in ports:
            with suppress(ConnectionError):
                return await asyncio.open_connection(HOST, port)
        raise ConnectionRefusedError

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def copies(self, payload: bytes) -> list[float]:
        """After how many seconds copies of this frame are passed on: none, one or two."""
        self.frames += 1
        if self.drops is not None and self.drops(payload):
            self.dropped += 1
            return []
        faults = self.frame_faults
        if faults is None:
            return [0.0]
        if self._random.random() < faults.drop:
            self.dropped += 1
            return []
        copies = [0.0]
        if self._random.random() < faults.double:
            self.doubled += 1
            copies.append(self._random.random() * faults.delay)
        if self._random.random() < faults.late:
            self.late += 1
            copies[0] = self._random.random() * faults.delay
        return copies


class _Connection:
    def __init__(
        self,
        balancer: Balancer,
        request: bytes,
        is_socket: bool,
        to_server: asyncio.StreamWriter,
        to_client: asyncio.StreamWriter,
    ) -> None:
        self.request = request
        self.is_socket = is_socket
        self.stalled = False
        self.abandoned = False
        self._balancer = balancer
        self._to_server, self._to_client = to_server, to_client
        self._ended = asyncio.Event()

    def end(self) -> None:
        self._ended.set()

    async def run(
        self, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader
    ) -> None:
        answers = self._frames(from_server) if self.is_socket else self._answers(from_server)
        tasks = [
            asyncio.create_task(self._copy(self._requests(from_client), self._to_server)),
            asyncio.create_task(self._copy(answers, self._to_client)),
            asyncio.create_task(self._wait_for_end()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        async for chunk in _chunks(reader):
            if not self.stalled:
                yield chunk
            elif chunk[0] & 0x0F == _CLOSE:
                # Browsers go on without this socket, but wait for an answer for a while.
                self.abandoned = True
        self.abandoned = True

    async def _wait_for_end(self) -> None:
        await self._ended.wait()

    async def _copy(self, data: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        async for chunk in data:
            if self.stalled:
                break
            writer.write(chunk)
            await writer.drain()
        if self.stalled:
            # Neither end learns that the other has gone.
            await self._wait_for_end()

    async def _answers(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        balancer = self._balancer
        async for chunk in _chunks(reader):
            if not balancer.answers.is_set():
                balancer.held += 1
                await balancer.answers.wait()
            yield chunk

    async def _frames(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What is to be passed on at once; what comes late is written past this."""
        head = await reader.readuntil(b"\r\n\r\n")
        yield head
        if not head.startswith(b"HTTP/1.1 101"):
            async for chunk in _chunks(reader):
                yield chunk
            return
        loop = asyncio.get_running_loop()
        with suppress(asyncio.IncompleteReadError):
            while True:
                frame, opcode, payload = await _read_frame(reader)
                if opcode != _TEXT:
                    yield frame
                    continue
                for delay in self._balancer.copies(payload):
                    if delay:
                        loop.call_later(delay, self._write_late, frame)
                    else:
                        yield frame

    def _write_late(self, frame: bytes) -> None:
        if not self.stalled and not self._to_client.is_closing():
            self._to_client.write(frame)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while chunk := await reader.read(65_536):
        yield chunk


async def _read_frame(reader: asyncio.StreamReader) -> tuple[bytes, int, bytes]:
    """A whole frame of a server, which masks nothing."""
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    if length >= 126:
        more = await reader.readexactly(2 if length == 126 else 8)
        head += more
        length = int.from_bytes(more, "big")
    payload = await reader.readexactly(length)
    return head + payload, head[0] & 0x0F, payload


@asynccontextmanager
async def running_balancer(
    ports: Sequence[int], generator: random.Random
) -> AsyncIterator[tuple[Balancer, str]]:
    """A balancer in front of these ports of this machine, and its address."""
    balancer = Balancer(ports, generator)
    listener = await asyncio.start_server(balancer.serve, HOST, 0, backlog=1000)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield balancer, f"http://{HOST}:{port}"
    finally:
        listener.close()
        await balancer.close()
        await listener.wait_closed()
