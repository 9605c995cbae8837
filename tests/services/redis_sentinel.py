"""A Redis Sentinel of the tests' own, which watches over one Redis server."""

from pathlib import Path

from tests.services.processes import HOST, ListeningProcess, find_program, free_port
from tests.services.redis import RedisServer

MASTER = "master"


class RedisSentinel(ListeningProcess):
    def __init__(self, directory: Path, watched: RedisServer) -> None:
        port = free_port()
        # It writes into its configuration what it finds out.
        configuration = directory / "sentinel.conf"
        configuration.write_text(
            f"bind {HOST}\nport {port}\ndir {directory}\n"
            f"sentinel monitor {MASTER} {HOST} {watched.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 1000\n"
            f"sentinel failover-timeout {MASTER} 3000\n"
        )
        program = find_program("redis-server", package="redis-server")
        super().__init__(
            "Redis Sentinel",
            [program, str(configuration), "--sentinel"],
            port=port,
            log=directory / "sentinel.log",
        )
