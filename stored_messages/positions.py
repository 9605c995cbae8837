"""Positions and stamps: the order of arrival, and the numbers that a digest sums.

A position is a 62-bit number: microseconds since 2020 and eleven random bits, so that processes need no common
counter, and strictly rising within a process. Outside the stores it is 16 hexadecimal digits, which compare as text.
It lasts until 2091.
"""

import os
import secrets
import threading
import time
from datetime import datetime

_EPOCH_US = 1_577_836_800_000_000  # 2020-01-01T00:00:00Z
_RANDOM_BITS = 11


class _Clock:
    """Time that never stands still and never goes back."""

    def __init__(self) -> None:
        self._last = 0
        self.unlock()

    def unlock(self) -> None:
        """In a forked child: a thread of the parent's may have held the lock, and is not there to let go of it."""
        self._lock = threading.Lock()

    def next(self) -> int:
        elapsed = time.time_ns() // 1000 - _EPOCH_US
        with self._lock:
            drawn = elapsed << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
            self._last = max(drawn, self._last + 1)
            return self._last


_clock = _Clock()
os.register_at_fork(after_in_child=_clock.unlock)


def next_position() -> int:
    """Return a position above all that this process has given out."""
    return _clock.next()


def position_at(moment: datetime, number: int) -> int:
    """Return a position for what arrived at a known moment, told apart by a number of any size."""
    elapsed = max(0, int(moment.timestamp() * 1_000_000) - _EPOCH_US)
    return elapsed << _RANDOM_BITS | number % (1 << _RANDOM_BITS)


def format_position(position: int) -> str:
    """Return the position as text: fixed width, so that texts compare as the numbers do."""
    return f"{position:016x}"


def parse_position(text: object) -> int:
    """Return the number behind a position's text; ``ValueError`` for any other text."""
    if (
        not isinstance(text, str)
        or len(text) != 16
        or not set(text) <= set("0123456789abcdef")
        or text >= "8"
    ):
        raise ValueError(f"Not a position: {str(text)[:50]!r}")
    return int(text, 16)


def new_stamp() -> int:
    """Return a random number from 1 to 2**32 - 1: equal sums of them mean equal inboxes."""
    return secrets.randbelow(2**32 - 1) + 1
