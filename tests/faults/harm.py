"""What may happen to a deployment: each fault begins, lasts for a while and ends."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable  # noqa: TC003
from contextlib import suppress

from redis import RedisError

from tests.faults.deployment import Deployment
from tests.faults.programs import Ended, Refused
from tests.faults.proxy import FrameFaults
from tests.faults.writing import Writers


class Harm:
    """Faults by name in :attr:`faults`; ``names`` are the users and ``tabs`` the clients."""

    def __init__(
        self,
        deployment: Deployment,
        writers: Writers,
        names: list[str],
        tabs: list[str],
        generator: random.Random,
    ) -> None:
        self.injected: dict[str, int] = {}
        #: From when to when Redis was frozen, on the monotonic clock.
        self.frozen: list[tuple[float, float]] = []
        self._deployment = deployment
        self._writers = writers
        self._names = names
        self._tabs = tabs
        self._random = generator
        # Who is dead cannot be frozen.
        self._redis_is_busy = asyncio.Lock()
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "a server is killed": self.server_killed,
            "a sender is killed after its commit": self.sender_killed,
            "the layer forgets everything": self.layer_forgets,
            "connections are half-open": self.half_open,
            "frames are lost, doubled and late": self.frames,
            "a client does not read": self.deaf_client,
        }
        if deployment.redis is not None:
            self.faults |= {
                "Redis is killed": self.redis_killed,
                "Redis is frozen": self.redis_frozen,
            }
        if deployment.postgres is not None:
            self.faults["the database is restarted"] = self.database_restarted

    async def do(self, name: str) -> None:
        self.injected[name] = self.injected.get(name, 0) + 1
        await self.faults[name]()

    async def _a_while(self, least: float, most: float) -> None:
        """For as long as a fault lasts."""
        await asyncio.sleep(self._random.uniform(least, most))

    async def redis_killed(self) -> None:
        deployment = self._deployment
        assert deployment.redis is not None
        async with self._redis_is_busy:
            await deployment.by_hand(deployment.redis.kill)
            await self._a_while(1, 3)
            await deployment.by_hand(deployment.redis.start)

    async def redis_frozen(self) -> None:
        redis = self._deployment.redis
        assert redis is not None
        async with self._redis_is_busy:
            redis.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            # Longer than the hub's patience with a call of the layer, and twice the publisher's.
            await self._a_while(5, 6)
            self.frozen.append((began, time.monotonic()))
            redis.send_signal(signal.SIGCONT)

    async def layer_forgets(self) -> None:
        deployment = self._deployment
        if deployment.redis is not None:
            # It may be away, or frozen, at the same time.
            with suppress(RedisError):
                await deployment.by_hand(deployment.redis.flush)
        for server in deployment.servers:
            with suppress(OSError):
                await deployment.post(server, "/forget/")

    async def server_killed(self) -> None:
        server = self._random.choice(self._deployment.servers)
        await self._deployment.by_hand(server.kill)
        await self._a_while(0, 2)
        await self._deployment.by_hand(server.start)

    async def sender_killed(self) -> None:
        await asyncio.gather(*map(self._one_sender, range(2)))

    async def _one_sender(self, number: int) -> None:
        sender = await self._deployment.new_sender()
        with suppress(Ended, Refused):  # the database may be away
            await sender.ask(
                kind="send and die",
                to=self._random.sample(self._names, 2),
                number=f"last words.{self.injected}.{number}",
            )
        await sender.stop()

    async def half_open(self) -> None:
        self._deployment.balancer.stall_sockets(0.5)
        await self._a_while(1, 2)

    async def frames(self) -> None:
        balancer = self._deployment.balancer
        balancer.frame_faults = faults = FrameFaults(drop=0.2, double=0.2, late=0.3)
        await self._a_while(3, 5)
        balancer.frame_faults = None
        await asyncio.sleep(faults.delay)  # some are still on their way

    async def deaf_client(self) -> None:
        deployment = self._deployment
        tab = self._random.choice(self._tabs)
        await deployment.clients.ask(command="pause", name=tab)
        with suppress(Exception):
            await deployment.workers[0].ask(
                kind="send many", to=[tab.split("-")[0]], number="storm", count=100
            )
        await self._a_while(1, 2)
        await deployment.clients.ask(command="resume", name=tab)

    async def database_restarted(self) -> None:
        deployment = self._deployment
        assert deployment.postgres is not None
        await deployment.by_hand(deployment.postgres.restart)
