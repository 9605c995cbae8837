"""`make bench`, or `python -m benchmarks [NAME ...] [--quick] [--part PART ...]`: measures on this machine.

Of `live` single parts can be had, which write no table: `make bench BENCH="live --part connecting"`.
Each benchmark is a module here with ``run(quick)``, and writes a table below `benchmarks/results/` unless it is quick.
It runs in a process of its own: Django can be set up once in each.
"""

import argparse
import subprocess
import sys
from typing import Any

PARTS = ("broadcasting", "messaging", "connecting", "in_memory", "servers", "reconciling")
BENCHMARKS = ("inbox", "live", "bell")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}: all by default")
    parser.add_argument("--quick", action="store_true", help="a trial, with less of everything")
    parser.add_argument("--part", action="append", choices=PARTS, help="of live, instead of all")
    options = parser.parse_args()
    unknown = set(options.name) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    names = options.name or BENCHMARKS
    if options.part and list(names) != ["live"]:
        parser.error("--part is of live")
    more = {"parts": tuple(options.part)} if options.part else {}
    failed = [name for name in names if not _passes(name, quick=options.quick, **more)]
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _passes(name: str, **arguments: Any) -> bool:
    print(f"== {name} ==", flush=True)
    program = f"from benchmarks.{name} import run; run(**{arguments!r})"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
