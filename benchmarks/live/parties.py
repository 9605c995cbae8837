"""The contenders: each is a server, a process that sends, and a process that holds all its sockets.

`ours` is this project, `raw` Channels as one writes it by hand, `bare` an ASGI application that does nothing else.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

from typing_extensions import Self

from benchmarks import procfs
from benchmarks.live.report import Page
from tests.services.processes import HOST, ListeningProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
APPLICATIONS = {
    "ours": "realtime.asgi:application",
    "raw": "benchmarks.live.rivals.raw_channels:application",
    "bare": "benchmarks.live.rivals.bare:application",
}
ALL = ("ours", "raw", "bare")
RIVALS = ("ours", "raw")
SERVERS = {
    "uvicorn": "uvicorn --host {host} --port {port} --log-level warning {application}",
    "daphne": "daphne --verbosity 0 --websocket_connect_timeout 60 -b {host} -p {port} {application}",
    "hypercorn": "hypercorn --bind {host}:{port} --workers 1 --log-level warning {application}",
    "granian": "granian --interface asgi --host {host} --port {port} --workers 1 --log-level warning {application}",
}


@dataclass(frozen=True)
class Site:
    """What all contenders share: a database with signed-in users, and a Redis."""

    environment: Mapping[str, str]
    users: Sequence[int]
    cookies: Sequence[str]
    database: int  # process ids
    redis: int
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Heard:
    """What came of some messages: processor seconds of the server and of the client, and when each arrived."""

    cpu: float
    client_cpu: float
    sent: Mapping[str, Any]
    arrived: Sequence[Sequence[float]]
    faults: Mapping[str, int]

    @property
    def count(self) -> int:
        return sum(map(len, self.arrived))


class Pipe:
    """A program of this package that answers each line of JSON with one."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.live.{program}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, command: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, arguments]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended")
        return json.loads(line)

    def ask(self, command: str, **arguments: Any) -> Any:
        self.say(command, **arguments)
        return self.answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Party:
    def __init__(self, name: str, site: Site, *, server: str, layer: str) -> None:
        self.name, self.server, self.layer, self._site = name, server, layer, site
        self.sockets = 0
        self.faults: dict[str, int] = {}
        self._sequence = 0
        environment = {
            **os.environ,
            **site.environment,
            "BENCH_PARTY": name,
            "DJANGO_SETTINGS_MODULE": "benchmarks.live.settings",
            "PYTHONPATH": str(ROOT),
        }
        if layer == "memory":
            del environment["CHANNEL_REDIS"]
        port = free_port()
        command = SERVERS[server].format(host=HOST, port=port, application=APPLICATIONS[name])
        self._process = ListeningProcess(
            f"{name} on {server}",
            [sys.executable, "-m", *command.split()],
            port=port,
            log=Path(mkdtemp(prefix="stored-messages-bench-")) / "server.log",
            env=environment,
            cwd=ROOT,
        )
        self._environment = environment
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._process.start()
        self._open.callback(self._process.stop)
        self._client = Pipe("client", self._environment)
        self._open.callback(self._client.close)
        self._sender = Pipe("sender", self._environment)
        self._open.callback(self._sender.close)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._open.close()

    # What it costs

    def cpu(self) -> float:
        return procfs.cpu_seconds(procfs.tree(self._process.pid))

    def cpu_everywhere(self) -> dict[str, float]:
        """Processor seconds of each process that a message passes through."""
        return {
            "sender": procfs.cpu_seconds([self._sender.pid]),
            "Redis": procfs.cpu_seconds([self._site.redis]),
            "server": self.cpu(),
        }

    def memory(self) -> int:
        return procfs.memory(procfs.tree(self._process.pid))

    def settle(self) -> None:
        """Wait until the server has done what it had to do; idle sockets cost a little all the time."""
        for _ in range(30):
            before = self.cpu()
            time.sleep(0.2)
            if self.cpu() - before < 0.03:
                return

    # What it does

    def connect(self, count: int, at_once: int = 50) -> float:
        """Open so many more sockets, each of another user; return what it cost the server."""
        before = self.cpu()
        self._client.ask(
            "connect",
            port=self._process.port,
            path="/ws/inbox/",
            cookies=self._site.cookies[self.sockets : self.sockets + count],
            at_once=at_once,
            greeted=self.name == "ours",
        )
        self.sockets += count
        self.settle()
        return self.cpu() - before

    def broadcast(self, count: int) -> Heard:
        return self._send("broadcast", count, count * self.sockets)

    def unicast(self, count: int, every: float) -> Heard:
        return self._send("unicast", count, count, users=self._connected(), every=every)

    def flood(self, count: int, kind: str = "sync") -> Heard:
        return self._send("flood", count, count, users=self._connected(), kind=kind)

    def cost(self, count: int, every: float) -> Heard:
        return self._send("cost", count, count, users=self._connected(), every=every)

    def queries_of_a_round(self) -> int:
        return int(self._ask_sender("summaries", users=self._connected())["queries"])

    def idle(self, seconds: float) -> float:
        """Leave it alone for so long; return what that cost the server."""
        before = self.cpu()
        time.sleep(seconds)
        return self.cpu() - before

    def _connected(self) -> Sequence[int]:
        return self._site.users[: self.sockets]

    def _send(self, command: str, count: int, deliveries: int, **arguments: Any) -> Heard:
        first, self._sequence = self._sequence, self._sequence + count
        one_each = deliveries == count
        self._client.ask(
            "expect", first=first, count=count, total=deliveries, seconds=90, one_each=one_each
        )
        before = self.cpu()
        sent = self._ask_sender(command, first=first, count=count, **arguments)
        got = self._client.answer()
        cpu = self.cpu() - before
        faults = {name: got[name] for name in ("lost", "doubled", "foreign", "stray", "closed")}
        for name, number in faults.items():
            if name in ("stray", "closed"):  # counted from the beginning
                self.faults[name] = number
            else:
                self.faults[name] = self.faults.get(name, 0) + number
        return Heard(cpu, got["cpu"], sent, got["arrived"], faults)

    def _ask_sender(self, command: str, **arguments: Any) -> Any:
        """Let the worker send; over a layer that ends at the server's process, the server itself."""
        if self.layer != "memory":
            return self._sender.ask(command, **arguments)
        connection = HTTPConnection(HOST, self._process.port, timeout=120)
        query = urlencode({"command": command, "arguments": json.dumps(arguments)})
        connection.request("GET", f"/send/?{query}")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"{self.name}: {body[:500]!r}")
        return json.loads(body)


@contextmanager
def contest(
    page: Page, names: Sequence[str], site: Site, *, server: str = "uvicorn", layer: str = "redis"
) -> Iterator[list[Party]]:
    """Start contenders side by side; note in the end what any of them lost."""
    with ExitStack() as stack:
        parties = [
            stack.enter_context(Party(name, site, server=server, layer=layer)) for name in names
        ]
        yield parties
        for party in parties:
            page.faulty(f"{party.name} on {server}, {layer}", party.faults)
