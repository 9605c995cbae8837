"""Figures side by side, as a Markdown table."""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def median_ms(action: Callable[[], Any], rounds: int = 5, warm_up: int = 1) -> float:
    """The median of some rounds, in milliseconds."""
    for _ in range(warm_up):
        action()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


@dataclass
class Report:
    """What was measured: a name, a figure, and what it is to be compared with."""

    title: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, figure: str, compared: str = "") -> None:
        self.rows.append((what, figure, compared))
        sys.stdout.write(f"{what}: {figure}{f'  ({compared})' if compared else ''}\n")
        sys.stdout.flush()

    def write(self, versions: dict[str, str]) -> Path:
        lines = [
            f"# {self.title}",
            "",
            f"{datetime.now(timezone.utc):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}, "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + ".",
            "",
            "Machines differ and are noisy: read ratios and orders of magnitude. Medians of at least five rounds.",
            "",
            "| | figure | compared |",
            "|---|---|---|",
            *(f"| {what} | {figure} | {compared} |" for what, figure, compared in self.rows),
        ]
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.title.lower().replace(' ', '-')}.md"
        path.write_text("\n".join(lines) + "\n")
        return path
