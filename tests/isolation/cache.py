"""A shared HTTP cache in front of a site: what stands between many users and a server.

It keeps whatever RFC 9111 lets a shared cache keep, and ignores what clients ask of it. One that does not obey shows
that the tests would notice.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any
from urllib.request import urlopen

from tests.services.processes import HOST

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Stored:
    """A response and the request headers that it varies with."""

    headers: list[tuple[str, str]]
    body: bytes
    vary: dict[str, str | None]
    etag: str | None
    fresh_until: float

    def fits(self, headers: Mapping[str, str]) -> bool:
        return all(headers.get(name) == value for name, value in self.vary.items())


@dataclass
class SharedCache:
    """`hits` counts answers without the server, `revalidated` those that it only confirmed."""

    ports: Sequence[int]
    obeys: bool = True
    hits: int = 0
    revalidated: int = 0
    url: str = ""
    _stored: dict[str, list[Stored]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._next_port = cycle(self.ports)

    def keeps(self, path: str) -> None:
        """Expects it to answer this without the server: a cache that keeps nothing proves nothing."""
        before = self.hits
        for _ in range(2):
            with urlopen(self.url + path, timeout=60) as answer:
                assert answer.status == 200
        assert self.hits > before

    def upstream(self) -> int:
        """The servers take turns."""
        with self._lock:
            return next(self._next_port)

    def find(self, path: str, headers: Mapping[str, str]) -> Stored | None:
        with self._lock:
            return next((one for one in self._stored.get(path, ()) if one.fits(headers)), None)

    def keep(
        self, path: str, request: Mapping[str, str], response: HTTPResponse, body: bytes
    ) -> None:
        lifetime = self._lifetime(request, response)
        if lifetime is None:
            return
        names = re.split(r"\s*,\s*", response.headers.get("Vary", "").lower()) if self.obeys else []
        vary = {name: request.get(name) for name in names if name}
        entry = Stored(
            headers=response.getheaders(),
            body=body,
            vary=vary,
            etag=response.headers.get("ETag"),
            fresh_until=time.monotonic() + lifetime,
        )
        with self._lock:
            others = [one for one in self._stored.get(path, ()) if one.vary != vary]
            self._stored[path] = [entry, *others]

    def _lifetime(self, request: Mapping[str, str], response: HTTPResponse) -> float | None:
        """Seconds for which the response is fresh, `None` if it must not be kept."""
        if response.status != 200:
            return None
        if not self.obeys:
            return 3600.0  # no test takes so long, whatever the machine
        control = response.headers.get("Cache-Control", "").lower()
        if "no-store" in control or "private" in control or "Set-Cookie" in response.headers:
            return None
        if response.headers.get("Vary") == "*" or (
            "authorization" in request and "public" not in control
        ):
            return None
        if "no-cache" in control:
            return 0.0
        explicit = re.search(r"s-maxage=(\d+)", control) or re.search(r"max-age=(\d+)", control)
        if explicit:
            return float(explicit[1])
        # Nothing is said: caches guess by the age of what they see.
        return 60.0 if "Last-Modified" in response.headers else 0.0


class _Handler(BaseHTTPRequestHandler):
    cache: SharedCache
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "websocket" in headers.get("upgrade", "").lower():
            self._tunnel()
            return
        stored = self.cache.find(self.path, headers)
        if stored is not None and stored.fresh_until > time.monotonic():
            self.cache.hits += 1
            self._answer(200, stored.headers, stored.body)
            return
        validating = stored is not None and stored.etag and "if-none-match" not in headers
        if validating and stored is not None and stored.etag:
            headers["if-none-match"] = stored.etag
        response, body = self._ask("GET", headers)
        if validating and stored is not None and response.status == 304:
            self.cache.revalidated += 1
            self._answer(200, response.getheaders(), stored.body)
            return
        self.cache.keep(self.path, headers, response, body)
        self._answer(response.status, response.getheaders(), body)

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = self.rfile.read(int(headers.get("content-length", 0)))
        response, body = self._ask("POST", headers, content)
        self._answer(response.status, response.getheaders(), body)

    def _ask(
        self, method: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(HOST, self.cache.upstream(), timeout=60)
        sent = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        connection.request(method, self.path, content, sent)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in {204, 304}:
            self.wfile.write(body)

    def _tunnel(self) -> None:
        self.close_connection = True
        with socket.create_connection((HOST, self.cache.upstream())) as server:
            head = f"GET {self.path} HTTP/1.1\r\n{self.headers}".replace("\n", "\r\n")
            server.sendall(head.replace("\r\r\n", "\r\n").rstrip("\r\n").encode() + b"\r\n\r\n")
            back = threading.Thread(target=_pipe, args=(server, self.connection), daemon=True)
            back.start()
            _pipe(self.connection, server)
            back.join()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers go away in the middle of an answer; whoever waits for one notices."""


@contextmanager
def shared_cache(*ports: int, obeys: bool = True) -> Iterator[SharedCache]:
    """A cache in front of the servers on these ports."""
    cache = SharedCache(ports, obeys)
    server = _Server((HOST, 0), type("Handler", (_Handler,), {"cache": cache}))
    cache.url = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield cache
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
