"""Thousands of sockets in one process: a client that is nothing but a socket, and follows the protocol as far."""

import asyncio
import base64
import json
import os
import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.services.processes import HOST

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
#: The client's pauses between two attempts: full jitter up to the first, doubled up to the second.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


class Listener(asyncio.Protocol):
    """One socket. ``frames`` counts what came by type; ``code`` is that of the server's close frame."""

    def __init__(self, port: int, session: str) -> None:
        self.synced = asyncio.get_running_loop().create_future()
        self.closed = asyncio.get_running_loop().create_future()
        self.sync: dict[str, Any] = {}
        self.frames: dict[str, int] = {}
        self.code: int | None = None
        self._request = (
            f"GET /ws/inbox/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nOrigin: http://{HOST}:{port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Cookie: sessionid={session}\r\n\r\n"
        ).encode()
        self._data = bytearray()
        self._is_open = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._is_open:
            head, end, rest = bytes(self._data).partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._transport.abort()
                return
            self._is_open = True
            self._data = bytearray(rest)
        while (frame := self._next_frame()) is not None:
            self._hear(*frame)

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.synced, self.closed):
            if not future.done():
                future.set_result(None)

    def stop_reading(self) -> None:
        self._transport.pause_reading()

    def read_on(self) -> None:
        with suppress(RuntimeError):  # it has ended
            self._transport.resume_reading()

    def abort(self) -> None:
        self._transport.abort()

    def _next_frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        start, length = 2, data[1] & 0x7F
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:start], "big")
        if len(data) < start + length:
            return None
        opcode, payload = data[0] & 0x0F, bytes(data[start : start + length])
        del data[: start + length]
        return opcode, payload

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            kind = payload[9 : payload.index(b'"', 9)].decode()  # {"type":"…"
            self.frames[kind] = self.frames.get(kind, 0) + 1
            if kind == "sync":
                self.sync = json.loads(payload)
                if not self.synced.done():
                    self.synced.set_result(self.sync)
        elif opcode == _PING:
            # The mask may be anything, zeros too.
            self._transport.write(bytes([0x80 | _PONG, 0x80 | len(payload)]) + bytes(4) + payload)
        elif opcode == _CLOSE:
            self.code = int.from_bytes(payload[:2], "big")
            self._transport.close()


async def listen(port: int, session: str, receive_buffer: int | None = None) -> Listener:
    """Return a listener that got its first sync, after as many attempts as it takes."""
    pause = _FIRST_PAUSE
    while True:
        connection = socket.socket()
        try:
            if receive_buffer is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, (HOST, port))
            _, listener = await loop.create_connection(
                lambda: Listener(port, session), sock=connection
            )
            if await listener.synced is not None:
                return listener
        except OSError:
            connection.close()
        await asyncio.sleep(random.random() * pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def listen_all(port: int, sessions: Sequence[str], **options: Any) -> list[Listener]:
    """Listeners for all these sessions, all at once."""
    return list(await asyncio.gather(*(listen(port, session, **options) for session in sessions)))


async def leave(*listeners: Listener) -> None:
    for listener in listeners:
        listener.abort()
    await asyncio.gather(*(listener.closed for listener in listeners))
