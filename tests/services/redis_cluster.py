"""A Redis Cluster of the tests' own: three primaries, each with a third of the slots."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from redis.crc import key_slot

from tests.services.processes import HOST, free_port
from tests.services.redis import RedisServer
from tests.services.waiting import wait_for

_SLOTS = 16384
#: Nodes talk to each other on a port that is so much higher.
_BUS = 10_000


class RedisCluster:
    def __init__(self, directory: Path, size: int = 3) -> None:
        self.nodes = [_node(directory / f"node{number}") for number in range(size)]

    @property
    def url(self) -> str:
        return f"redis+cluster://{HOST}:{self.nodes[0].port}"

    def start(self) -> None:
        with ExitStack() as undo:
            for node in self.nodes:
                node.start()
                undo.callback(node.stop)
            self._assign_slots()
            self.wait_until_ok()
            undo.pop_all()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def wait_until_ok(self) -> None:
        """Returns once every node knows that every slot is where it belongs."""
        wait_for(lambda: all(map(_is_ok, self.nodes)), "every node sees the whole cluster")
        wait_for(self._is_settled, "every slot is where it belongs, to every node")

    def take_back(self, slots: Iterable[int]) -> None:
        """Give empty slots that were moved, or are on the move, to the nodes that they belong to."""
        wait_for(self._has_one_epoch, "every node has heard of every move")
        for slot in slots:
            owner = self.nodes[slot * len(self.nodes) // _SLOTS]
            with Redis.from_url(owner.url, decode_responses=True) as client:
                owner_id = client.execute_command("CLUSTER MYID")
                # Who was given the slot claims it until they hear better: an older claim loses.
                client.execute_command("CLUSTER BUMPEPOCH")
            for node in self.nodes:
                with Redis.from_url(node.url) as client:
                    client.execute_command("CLUSTER SETSLOT", slot, "STABLE")
                    client.execute_command("CLUSTER SETSLOT", slot, "NODE", owner_id)
            self.wait_until_ok()

    def node_of(self, key: str) -> RedisServer:
        """The primary that has this key."""
        return self.nodes[key_slot(key.encode()) * len(self.nodes) // _SLOTS]

    def flush(self) -> None:
        for node in self.nodes:
            node.flush()

    def _is_settled(self) -> bool:
        """Whether all see the same owners, and the same epochs, by which the older of two claims to a slot loses."""
        first, *others = map(_shares_seen_by, self.nodes)
        shares = [
            [[str(_share(index, len(self.nodes))), str(_share(index + 1, len(self.nodes)) - 1)]]
            for index in range(len(self.nodes))
        ]
        owned = [first.get(node.port, ("", []))[1] for node in self.nodes]
        return owned == shares and all(other == first for other in others)

    def _has_one_epoch(self) -> bool:
        return len({_info(node)["cluster_current_epoch"] for node in self.nodes}) == 1

    def _assign_slots(self) -> None:
        for index, node in enumerate(self.nodes):
            first, end = _share(index, len(self.nodes)), _share(index + 1, len(self.nodes))
            with Redis.from_url(node.url) as client:
                client.execute_command("CLUSTER ADDSLOTS", *range(first, end))
                # Different ones, so that nodes have nothing to settle when they meet.
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
                for other in self.nodes[:index]:
                    client.execute_command("CLUSTER MEET", HOST, other.port)


def _node(directory: Path) -> RedisServer:
    directory.mkdir()
    return RedisServer(
        directory,
        *("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"),
        # On a busy machine healthy nodes are silent for longer than one thinks, and the others would mourn them.
        *("--cluster-node-timeout", "10000"),
        port=free_port(also=_BUS),
    )


def _share(index: int, size: int) -> int:
    """The first slot of a node: rounded up, so that `slot * size // slots` names the node."""
    return -(-index * _SLOTS // size)


def _info(node: RedisServer) -> dict[str, str]:
    with Redis.from_url(node.url, decode_responses=True) as client:
        info: dict[str, str] = client.execute_command("CLUSTER INFO")
    return info


def _shares_seen_by(node: RedisServer) -> dict[int, tuple[str, list[list[str]]]]:
    """What a node knows of every node, by its port: its epoch, and from where to where its slots go."""
    with Redis.from_url(node.url, decode_responses=True) as client:
        seen = client.execute_command("CLUSTER NODES")
    return {
        int(address.rpartition(":")[2]): (about["epoch"], about["slots"])
        for address, about in seen.items()
    }


def _is_ok(node: RedisServer) -> bool:
    info = _info(node)
    # The first node owns slots before it knows of anybody else's.
    return bool(info["cluster_state"] == "ok" and info["cluster_slots_ok"] == str(_SLOTS))


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """One for all tests of a worker. Ask for `redis_cluster_url`, unless you mean to stop a node."""
    cluster = RedisCluster(tmp_path_factory.mktemp("redis-cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def redis_cluster_url(redis_cluster: RedisCluster) -> str:
    """The address of a real and empty cluster."""
    redis_cluster.flush()
    return redis_cluster.url
