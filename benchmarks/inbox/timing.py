"""How long something takes, and how much of that the processors worked for it: all else that a machine does is in the
first figure and not in the second.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")


class Times(NamedTuple):
    """In milliseconds: the median on the clock, and the mean of what this process and the database's worked."""

    clock: float
    worked: float

    def __str__(self) -> str:
        return f"{self.clock:.1f} ms ({self.worked:.1f} ms of processor time)"

    def times(self, base: "Times") -> str:
        return f"{self.clock / base.clock:.1f} times ({self.worked / base.worked:.1f})"


def timed(action: Callable[[], Any], rounds: int = 100) -> Times:
    action()
    clock = []
    worked = _worked()
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        clock.append(time.perf_counter() - began)
    worked = _worked() - worked
    return Times(statistics.median(clock) * 1000, worked / rounds * 1000)


def _worked() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    of_the_database = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + sum(map(int, of_the_database)) / _TICKS
