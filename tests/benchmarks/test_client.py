"""The load client counts what is wrong: a benchmark that loses messages must not look fast."""

import socket
from collections.abc import Iterator

import pytest

from benchmarks.live.client import Load


def frame(number: int, padding: int = 0) -> bytes:
    payload = b'{"message":"bench-%08d"%s}' % (number, b" " * padding)
    long = len(payload) > 125
    length = bytes([126]) + len(payload).to_bytes(2, "big") if long else bytes([len(payload)])
    return b"\x81" + length + payload


class Tabs:
    """A load with open tabs, and the server's ends of them."""

    def __init__(self, count: int) -> None:
        self.load = Load()
        self.ends: list[socket.socket] = []
        for index in range(count):
            end, tab = socket.socketpair()
            tab.setblocking(False)
            self.ends.append(end)
            self.load.tabs[tab.fileno()] = tab
            self.load.position[tab.fileno()] = index
            self.load.poll.register(tab.fileno(), 1)

    def close(self) -> None:
        for one in (*self.ends, *self.load.tabs.values(), self.load.poll):
            one.close()


@pytest.fixture
def tabs() -> Iterator[Tabs]:
    tabs = Tabs(3)
    yield tabs
    tabs.close()


def test_all_arrive(tabs: Tabs) -> None:
    for end in tabs.ends:
        end.sendall(frame(10) + frame(11, padding=300))
    got = tabs.load.expect(first=10, count=2, total=6, seconds=30, one_each=False)
    assert [len(arrived) for arrived in got["arrived"]] == [3, 3]
    assert {got[name] for name in ("lost", "doubled", "foreign", "stray", "closed")} == {0}


def test_what_is_wrong_is_counted(tabs: Tabs) -> None:
    one, two, three = tabs.ends
    one.sendall(frame(10) + frame(10))
    two.sendall(frame(10) + frame(99))
    three.close()
    got = tabs.load.expect(first=10, count=1, total=3, seconds=2, one_each=False)
    assert (got["lost"], got["doubled"], got["stray"], got["closed"]) == (1, 1, 1, 1)


def test_each_message_has_its_tab(tabs: Tabs) -> None:
    one, two, _ = tabs.ends
    one.sendall(frame(9))
    two.sendall(frame(9))
    got = tabs.load.expect(first=9, count=1, total=2, seconds=2, one_each=True)
    assert (got["received"], got["foreign"], got["lost"]) == (1, 1, 1)


def test_frames_come_in_pieces_and_beside_others(tabs: Tabs) -> None:
    end = tabs.ends[0]
    ping, close = bytes([0x89, 2]) + b"hi", bytes([0x88, 2]) + (1012).to_bytes(2, "big")
    data = b'\x81\x11{"type": "sync"}X' + frame(10, padding=200) + ping + close
    tabs.load.first, tabs.load.last = 10, 11
    tabs.load.arrived, tabs.load.seen = [[]], [bytearray(3)]
    for start in range(0, len(data), 7):
        end.sendall(data[start : start + 7])
        tabs.load._take(30)
    assert tabs.load.counts["received"] == 1
    assert tabs.load.counts["closed"] == 1
    assert end.recv(100) == bytes([0x8A, 0x82, 0, 0, 0, 0]) + b"hi"
