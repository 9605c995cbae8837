"""`make bench`, or `python -m benchmarks [NAME ...] [--quick]`: measures on this machine.

Each benchmark is a module here with ``run(quick)``, and writes a table below `benchmarks/results/` unless it is quick.
It runs in a process of its own: Django can be set up once in each.
"""

import argparse
import subprocess
import sys

BENCHMARKS = ("inbox", "live", "bell")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}: all by default")
    parser.add_argument("--quick", action="store_true", help="a trial, with less of everything")
    options = parser.parse_args()
    unknown = set(options.name) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    failed = [name for name in options.name or BENCHMARKS if not _passes(name, options.quick)]
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _passes(name: str, quick: bool) -> bool:
    print(f"== {name} ==", flush=True)
    program = f"from benchmarks.{name} import run; run(quick={quick})"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
