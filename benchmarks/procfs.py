"""What processes have cost so far, as Linux counts it: the whole tree below one process."""

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all its descendants: servers keep workers, databases a process for each connection."""
    children = defaultdict(list)
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        children[int(fields[1])].append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found.extend(children[one])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of these processes, to the nanosecond."""
    total = 0
    for pid in pids:
        for schedstat in _PROC.glob(f"{pid}/task/*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                total += int(schedstat.read_text().split()[0])
    return total / 1e9


def memory(pids: list[int]) -> int:
    """Bytes that these processes hold; what they share is counted once."""
    total = 0
    for pid in pids:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
