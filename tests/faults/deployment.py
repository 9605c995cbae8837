"""A site as it runs in production, and the means to break each of its parts."""

import asyncio
import json
import random
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

from tests.faults.programs import Program
from tests.faults.proxy import Balancer, running_balancer
from tests.services.postgresql import PostgreSQL, running_postgresql
from tests.services.processes import HOST
from tests.services.redis import RedisServer
from tests.services.server import ROOT, Kind, Project, Server

T = TypeVar("T")

SETTINGS = "tests.faults.project.settings"
LAYERS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}
HERE = Path(__file__).parent


class Deployment:
    """Servers behind a balancer, a database, workers and clients; with a channel layer in Redis if there is one."""

    def __init__(
        self,
        directory: Path,
        *,
        interval: float,
        kinds: tuple[Kind, ...],
        layer: str | None,
        postgres: PostgreSQL | None,
        redis: RedisServer | None,
        generator: random.Random,
    ) -> None:
        self.directory = directory
        self.interval = interval
        self.layer = layer
        self.postgres = postgres
        self.redis = redis
        self.random = generator
        self.project = Project(ROOT, SETTINGS, env=self._environment())
        self.servers = [
            Server(self.project, kind, directory / f"{kind}-{index}.log")
            for index, kind in enumerate(kinds)
        ]
        self.workers: list[Program] = []
        self.clients = Program(
            ["node", str(HERE / "clients.mjs")], {"PATH": _path()}, ROOT, directory / "clients.log"
        )
        self.balancer: Balancer
        self.url: str
        # Processes end with the thread that starts them: this one lives as long as they may.
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="hands")
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="asking")

    def _environment(self) -> dict[str, str]:
        settings: dict[str, Any] = {
            "REALTIME": {"RECONCILE_INTERVAL": self.interval, "PUBLISH_TIMEOUT": 1}
        }
        if self.redis is not None and self.layer is not None:
            config = {"hosts": [self.redis.url]}
            settings["CHANNEL_LAYERS"] = {
                "default": {"BACKEND": LAYERS[self.layer], "CONFIG": config}
            }
        env = {"PROJECT_SETTINGS": json.dumps(settings)}
        if self.postgres is not None:
            env["TEST_DATABASE_URL"] = self.postgres.url(self.postgres.create_database())
        else:
            env["PROJECT_DATABASE"] = str(self.directory / "project.sqlite3")
        return env

    async def by_hand(self, function: Callable[..., T], *args: Any) -> T:
        """Start, stop or signal a process without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._hands, function, *args)

    async def post(self, server: Server, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask one server directly. Raises ``OSError`` when that cannot be done."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, post, server.port, path, body)

    async def sign_in(self, name: str) -> str:
        """The key of a session of this user."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _sign_in, self.servers[0].port, name)

    async def new_sender(self) -> Program:
        """A process that does what it is asked for, and may be lost."""
        worker = Program(
            [sys.executable, "-m", "tests.faults.worker"],
            self.project.environment,
            ROOT,
            self.directory / "worker.log",
        )
        await worker.start()
        return worker

    @property
    def logs(self) -> dict[str, str]:
        return {
            path.name: path.read_text(errors="replace") for path in self.directory.glob("*.log")
        }

    @asynccontextmanager
    async def running(self, workers: int = 2) -> AsyncIterator["Deployment"]:
        async with AsyncExitStack() as stack:
            stack.callback(self._threads.shutdown)
            stack.callback(self._hands.shutdown)
            await self.by_hand(self.project.manage, "migrate", "--verbosity=0")
            for server in self.servers:
                stack.push_async_callback(self.by_hand, server.kill)
                await self.by_hand(server.start)
            ports = [server.port for server in self.servers]
            self.balancer, self.url = await stack.enter_async_context(
                running_balancer(ports, self.random)
            )
            stack.push_async_callback(self.clients.stop)
            await self.clients.start()
            stack.push_async_callback(self._stop_workers)
            for _ in range(workers):
                self.workers.append(await self.new_sender())
            yield self

    async def _stop_workers(self) -> None:
        for worker in self.workers:
            await worker.stop()


@asynccontextmanager
async def production(
    directory: Path, *, layer: str, interval: float, generator: random.Random
) -> AsyncIterator[Deployment]:
    """PostgreSQL, Redis, two uvicorn and one Daphne."""
    with running_postgresql() as postgres:
        redis = RedisServer(directory)
        redis.start()
        try:
            deployment = Deployment(
                directory,
                interval=interval,
                kinds=("uvicorn", "uvicorn", "daphne"),
                layer=layer,
                postgres=postgres,
                redis=redis,
                generator=generator,
            )
            async with deployment.running():
                yield deployment
        finally:
            redis.kill()


@asynccontextmanager
async def embedded(
    directory: Path, *, interval: float, generator: random.Random
) -> AsyncIterator[Deployment]:
    """SQLite and one Daphne process, with the layer that ends there."""
    deployment = Deployment(
        directory,
        interval=interval,
        kinds=("daphne",),
        layer=None,
        postgres=None,
        redis=None,
        generator=generator,
    )
    async with deployment.running(workers=1):
        yield deployment


def _path() -> str:
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("node was not found: install nodejs (`make test` does on Debian)")
    return str(Path(node).parent)


def post(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask a server of this machine. Raises ``OSError`` when that cannot be done."""
    connection = HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body or {}))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status}")
        return json.loads(content)["done"] if body else content
    finally:
        connection.close()


def _sign_in(port: int, name: str) -> str:
    connection = HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("GET", f"/sign-in/{name}/")
        answer = connection.getresponse()
        cookies = answer.headers.get_all("Set-Cookie") or []
        [key] = [one.split(";")[0].split("=")[1] for one in cookies if one.startswith("sessionid=")]
        return key
    finally:
        connection.close()
