"""The page with the results: what was to be reached, what was, and how the contenders compare."""

import os
import platform
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version

from benchmarks.report import RESULTS

INTRODUCTION = """\
{date}, {machine}, {cores} cores, Python {python}, {versions}.

*ours* is this project, *raw* is Channels as one writes it by hand (a consumer for each socket that joins its user's
group and one for everybody, and dumps JSON), *bare* an ASGI application that does nothing but write one encoded
frame to its sockets, with the same bound for each. All run at a time, on one machine with their database, their
Redis and the load, and take turns; each figure is the median of {rounds} rounds. Machines differ and are noisy: read
the ratios. Lost, doubled or foreign deliveries: {faults}.
"""


@dataclass
class Page:
    targets: list[tuple[str, ...]] = field(default_factory=list)
    tables: list[tuple[str, Sequence[str], list[Sequence[str]]]] = field(default_factory=list)
    plots: list[tuple[str, str, str]] = field(default_factory=list)
    faults: int = 0
    failed: list[str] = field(default_factory=list)

    def target(
        self, figure: str, ours: str, others: str, reached: str, wanted: str, met: bool
    ) -> None:
        """A figure that was promised."""
        row = (figure, ours, others, reached, wanted, "yes" if met else "**no**")
        self.targets.append(row)
        print("  ".join(row), flush=True)

    def at_least(self, figure: str, ours: str, others: str, ratio: float, wanted: float) -> None:
        self.target(figure, ours, others, f"{ratio:.1f} x", f">= {wanted:g} x", ratio >= wanted)

    def at_most(self, figure: str, ours: str, others: str, ratio: float, wanted: str) -> None:
        """``wanted`` is a fraction such as 1/12, or a number."""
        above, _, below = wanted.partition("/")
        bound = float(above) / float(below or 1)
        reached = f"1/{1 / ratio:.1f}" if below else f"{ratio:.2f} x"
        self.target(
            figure, ours, others, reached, f"<= {wanted}{'' if below else ' x'}", ratio <= bound
        )

    def table(self, title: str, head: Sequence[str], rows: list[Sequence[str]]) -> None:
        self.tables.append((title, head, rows))
        print(f"{title}\n  {'  '.join(head)}")
        for row in rows:
            print(f"  {'  '.join(row)}", flush=True)

    def plot(self, name: str, title: str, picture: str) -> None:
        self.plots.append((f"{name}.svg", title, picture))

    @contextmanager
    def going_on(self, part: str) -> Iterator[None]:
        """Note when a part fails, and go on: the others are worth having."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.failed.append(f"{part}: {error}")

    def faulty(self, who: str, counted: Mapping[str, int]) -> None:
        """Deliveries that were lost, came twice or to the wrong socket; sockets that were closed."""
        wrong = {name: number for name, number in counted.items() if number}
        self.faults += sum(wrong.values())
        if wrong:
            self.failed.append(f"{who}: {wrong}")

    def write(self, rounds: int, packages: Sequence[str], others: Mapping[str, str]) -> None:
        versions = {**{name: version(name) for name in packages}, **others}
        parts = [
            "# The live part under load\n",
            INTRODUCTION.format(
                date=f"{datetime.now(timezone.utc):%Y-%m-%d}",
                machine=platform.machine(),
                cores=os.cpu_count(),
                python=platform.python_version(),
                versions=", ".join(f"{name} {number}" for name, number in versions.items()),
                rounds=rounds,
                faults=self.faults,
            ),
            *(f"A part failed: {failure}\n" for failure in self.failed),
            markdown(("figure", "ours", "others", "reached", "wanted", "met"), self.targets),
        ]
        for title, head, rows in self.tables:
            parts += [f"## {title}\n", markdown(head, rows)]
        RESULTS.mkdir(exist_ok=True)
        for name, title, picture in self.plots:
            (RESULTS / name).write_text(picture)
            parts.append(f"![{title}]({name})\n")
        (RESULTS / "live.md").write_text("\n".join(parts))


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def us(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


def kib(size: float) -> str:
    return f"{size / 1024:.1f} KiB"


def each(names: Sequence[str], show: Callable[[float], str], values: Sequence[float]) -> str:
    return ", ".join(f"{name} {show(value)}" for name, value in zip(names, values, strict=True))
