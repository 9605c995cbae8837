"""Whether those who write wait for Redis. A machine may be slow, and all that is done on it then takes longer."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

#: For how many seconds Redis has to be frozen from the beginning of a write: who waits for it would not wait for less.
WAIT = 2.5
#: How many seconds a write may take in the middle, and how many times as long as without a frozen Redis besides.
ALLOWED, TIMES = 1.0, 3
#: So few writes say nothing.
ENOUGH = 4


class Write(NamedTuple):
    """What somebody was asked for, when, on the monotonic clock, and how many seconds it took."""

    who: str
    kind: str
    began: float
    took: float


class Promptness:
    """``frozen`` and ``usual`` have how many seconds each write took, with Redis frozen and without."""

    def __init__(self) -> None:
        self.frozen: list[float] = []
        self.usual: list[float] = []

    def add(self, writes: Iterable[Write], frozen: Sequence[tuple[float, float]]) -> None:
        """Take note of these writes; Redis was frozen for this long, once or several times."""
        for write in writes:
            if any(begin <= write.began <= end - WAIT for begin, end in frozen):
                self.frozen.append(write.took)
            elif not any(
                begin <= write.began + write.took and write.began <= end for begin, end in frozen
            ):
                self.usual.append(write.took)

    def judge(self) -> None:
        if min(len(self.frozen), len(self.usual)) < ENOUGH:
            return
        allowed = ALLOWED + TIMES * median(self.usual)
        assert median(self.frozen) <= allowed, f"writers wait for Redis: {self}"

    def __str__(self) -> str:
        return ", ".join(
            f"{median(took):.2f} s {when}"
            for took, when in ((self.usual, "as a rule"), (self.frozen, "with Redis frozen"))
            if took
        )
