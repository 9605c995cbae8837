"""The inbox on PostgreSQL at scale: sending, reading, summaries and the upgrade from 1.4.0."""

import django

from benchmarks.project import project_on_postgresql
from benchmarks.report import Report


def run(*, quick: bool) -> None:
    with project_on_postgresql():
        from benchmarks.inbox import filling, reading, sending, summaries, upgrading
        from benchmarks.inbox.sizes import Sizes

        sizes = Sizes().divided(20) if quick else Sizes()
        report = Report("The inbox on PostgreSQL")
        filling.create_users(sizes.users)
        for part in (sending, reading, summaries, upgrading):
            part.measure(report, sizes)
        if not quick:
            report.write({"Django": django.get_version(), "PostgreSQL": filling.server_version()})
