"""`make bench`: starts what it measures, on this machine, and writes tables below `benchmarks/results/`."""

import argparse
import os

import django

from tests.services.postgresql import running_postgresql


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--divide", type=int, default=1, help="for a trial: sizes divided by this")
    divide = parser.parse_args().divide
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.project.settings"
    with running_postgresql() as server:
        os.environ["TEST_DATABASE_URL"] = server.url(server.create_database())
        django.setup()
        from django.db import connections

        from benchmarks import inbox

        try:
            inbox.run(inbox.Sizes().divided(divide))
        finally:
            connections.close_all()


if __name__ == "__main__":
    main()
