"""The load: thousands of sockets in one process, with no more of WebSocket than it takes.

Reads commands, a line of JSON each, and answers each with a line. It keeps what arrives by the number in its text
(`bench-00000042`), so that what is lost, doubled or somebody else's is counted, and knows its own processor time.
"""

import base64
import json
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

HOST = "127.0.0.1"
MARK = b"bench-"
DIGITS = 8
TEXT, CLOSE, PING = 1, 8, 9


class Load:
    def __init__(self) -> None:
        self.poll = select.epoll()
        self.tabs: dict[int, socket.socket] = {}
        self.position: dict[int, int] = {}  # file descriptor: which tab
        self.shaking: set[int] = set()
        self.greeted: set[int] = set()
        self.rest: dict[int, bytes] = {}
        self.first = self.last = 0
        self.arrived: list[list[float]] = []
        self.seen: list[bytearray] = []
        self.only: int | None = None
        self.counts = dict.fromkeys(("received", "doubled", "foreign", "stray", "closed"), 0)

    # Opening

    def connect(
        self, port: int, path: str, cookies: Sequence[str], at_once: int, greeted: bool
    ) -> dict[str, Any]:
        """Open a tab for each cookie, and wait for all: for their first frame, if the server greets."""
        began, worked = time.monotonic(), time.process_time()
        waiting = list(reversed(cookies))
        total = len(self.tabs) + len(cookies)
        while (ready := self._ready(greeted)) < total:
            while waiting and len(self.tabs) - ready < at_once:
                self._open(port, path, waiting.pop())
            self._take(1.0)
            if time.monotonic() - began > 120:
                raise TimeoutError(f"{ready} of {total} sockets are open")
        return {
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - worked,
            "open": len(self.tabs),
        }

    def _ready(self, greeted: bool) -> int:
        return len(self.greeted) if greeted else len(self.tabs) - len(self.shaking)

    def _open(self, port: int, path: str, cookie: str) -> None:
        tab = socket.create_connection((HOST, port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        tab.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nOrigin: http://{HOST}:{port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
            "Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
            "Pragma: no-cache\r\nCache-Control: no-cache\r\n\r\n".encode()
        )
        tab.setblocking(False)
        number = tab.fileno()
        self.position[number] = len(self.position)
        self.tabs[number] = tab
        self.shaking.add(number)
        self.poll.register(number, select.EPOLLIN)

    # Reading

    def expect(
        self, first: int, count: int, total: int, seconds: float, one_each: bool
    ) -> dict[str, Any]:
        """Wait for so many deliveries of these messages; `one_each`: to the tabs in turn, else to all."""
        self.first, self.last = first, first + count
        self.only = len(self.tabs) if one_each else None
        self.arrived = [[] for _ in range(count)]
        self.seen = [bytearray(len(self.tabs)) for _ in range(count)]
        self.counts.update(dict.fromkeys(("received", "doubled", "foreign"), 0))
        print("{}", flush=True)  # from here on anything may come
        worked, deadline = time.process_time(), time.monotonic() + seconds
        while self.counts["received"] < total:
            self._take(0.2)
            # Not before: what has come by then counts, however long this process was kept waiting.
            if time.monotonic() > deadline:
                break
        answer = {
            **self.counts,
            "lost": total - self.counts["received"],
            "arrived": self.arrived,
            "cpu": time.process_time() - worked,
        }
        self.arrived, self.seen, self.last = [], [], self.first
        return answer

    def idle(self, seconds: float) -> dict[str, Any]:
        """Answer pings, and take what nobody asked for."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take(left)
        return dict(self.counts)

    def _take(self, timeout: float) -> None:
        for number, _ in self.poll.poll(timeout):
            try:
                data = os.read(number, 65536)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                self._gone(number)
                continue
            if number in self.rest:
                data = self.rest.pop(number) + data
            if number in self.shaking:
                head, end, data = data.partition(b"\r\n\r\n")
                if not end:
                    self.rest[number] = head
                    continue
                if b" 101 " not in head[:20]:
                    raise ConnectionRefusedError(head.decode("latin1"))
                self.shaking.discard(number)
            if data:
                self._frames(number, data, time.monotonic())

    def _frames(self, number: int, data: bytes, now: float) -> None:
        position, size = 0, len(data)
        while size - position >= 2:
            start, length = position + 2, data[position + 1]
            if length == 126:
                if size - position < 4:
                    break
                start, length = position + 4, int.from_bytes(data[position + 2 : position + 4])
            elif length == 127:
                raise ValueError("a frame of more than 64 KiB")
            end = start + length
            if end > size:
                break
            kind = data[position] & 15
            if kind == TEXT:
                self._text(number, data, start, end, now)
            elif kind == PING:
                self.tabs[number].send(
                    bytes((0x80 | 10, 0x80 | length, 0, 0, 0, 0)) + data[start:end]
                )
            elif kind == CLOSE:
                self.counts["closed"] += 1
            position = end
        if position < size:
            self.rest[number] = data[position:]

    def _text(self, number: int, data: bytes, start: int, end: int, now: float) -> None:
        mark = data.find(MARK, start, end)
        if mark < 0:
            self.greeted.add(number)
            return
        message = int(data[mark + 6 : mark + 6 + DIGITS])
        if not self.first <= message < self.last:
            self.counts["stray"] += 1
            return
        tab, index = self.position[number], message - self.first
        if self.only is not None and message % self.only != tab:
            self.counts["foreign"] += 1
        elif self.seen[index][tab]:
            self.counts["doubled"] += 1
        else:
            self.seen[index][tab] = 1
            self.arrived[index].append(now)
            self.counts["received"] += 1

    def _gone(self, number: int) -> None:
        if number in self.shaking:
            raise ConnectionRefusedError("the server closed a socket during the handshake")
        self.counts["closed"] += 1
        self.poll.unregister(number)
        self.tabs[number].close()
        del self.tabs[number]


def main() -> None:
    load = Load()
    commands = {"connect": load.connect, "expect": load.expect, "idle": load.idle}
    poll = select.poll()
    poll.register(sys.stdin.fileno(), select.POLLIN)
    while True:
        if not poll.poll(0):
            load.idle(0.02)
            continue
        line = sys.stdin.readline()
        if not line:
            return
        command, arguments = json.loads(line)
        print(json.dumps(commands[command](**arguments)), flush=True)


if __name__ == "__main__":
    main()
