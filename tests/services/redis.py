"""A Redis server of the tests' own."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.services.processes import HOST, ListeningProcess, find_program, free_port


class RedisServer(ListeningProcess):
    """It keeps nothing over a restart. `options` are more of its own, as on its command line."""

    def __init__(self, directory: Path, *options: str, port: int | None = None) -> None:
        port = free_port() if port is None else port
        command = [
            find_program("redis-server", package="redis-server"),
            *("--bind", HOST, "--port", str(port), "--dir", str(directory)),
            *("--save", "", "--appendonly", "no"),
            *options,
        ]
        super().__init__("Redis", command, port=port, log=directory / "redis.log")

    def ready(self) -> bool:
        # It listens at one of its addresses before the others: who is answered finds it at all of them.
        try:
            with socket.create_connection((HOST, self.port), timeout=5) as probe:
                probe.sendall(b"PING\r\n")
                return bool(probe.recv(16))
        except OSError:
            return False

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def flush(self) -> None:
        with Redis.from_url(self.url, socket_timeout=5) as client:
            client.flushall()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for all tests of a worker. Ask for `redis_url`, unless you mean to stop or freeze it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of a real and empty Redis."""
    redis_server.flush()
    return redis_server.url
