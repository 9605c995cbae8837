"""What the live part of a deployment does just now, at a glance."""

import asyncio
import json
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from realtime import status, supervision
from realtime.conf import app_settings
from realtime.layers import close_connections, configured_layer, is_local, own_layer

COLUMNS = {
    "users": "users",
    "sockets": "sockets",
    "deliveries": "deliveries",
    "fetch_hints": "fetch hints",
    "publish_drops": "drops",
    "publisher_queue": "queue",
    "reconcile_seconds": "reconcile s",
    "reconcile_lag_seconds": "lag s",
}
#: Seconds for which answers may be waited for.
LONGEST_WAIT = 3600.0
TOTALS = ("users", "sockets", "deliveries", "fetch_hints", "publish_drops", "publisher_queue")


class Command(BaseCommand):
    help = (
        "Asks all processes with open sockets how they do and prints their figures. "
        "Processes that only send have no sockets and do not answer."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="how long to wait for answers (1 by default)",
        )
        parser.add_argument(
            "--expect",
            type=int,
            default=0,
            metavar="NUMBER",
            help="fail (exit code 1) unless at least so many processes answer",
        )
        parser.add_argument("--json", action="store_true", help="print JSON, with all figures")

    def handle(self, *, wait: float, expect: int, json: bool, **options: Any) -> None:
        if not 0 < wait <= LONGEST_WAIT:
            raise CommandError(f"--wait must be more than 0 seconds, and {LONGEST_WAIT:g} at most.")
        if expect < 0:
            raise CommandError("--expect must be a number of processes.")
        layer = configured_layer()
        found: dict[str, Any] = {
            "layer": "none" if layer is None else _path(layer),
            "alias": app_settings.CHANNEL_LAYER,
            "local": is_local(layer),
            **({"processes": [], "silent_hosts": []} if is_local(layer) else self._ask(wait)),
        }
        if json:
            self._print_json(found)
        else:
            self._print_table(found, wait, expect)
        if found["silent_hosts"]:
            raise CommandError(_silent(found["silent_hosts"]))
        answered = len(found["processes"])
        if expect and found["local"]:
            raise CommandError(
                f"{_processes(expect)} {'is' if expect == 1 else 'are'} expected, and none can be asked over this "
                "channel layer."
            )
        if answered < expect:
            raise CommandError(
                f"{_processes(answered)} answered within {wait:g} s, {expect} are expected."
            )

    def _ask(self, wait: float) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            # What runs in this process besides has connections in other event loops.
            layer = own_layer()
            silent = asyncio.ensure_future(status.silent_hosts())
            try:
                processes = await status.ask(layer, wait)
            except Exception as error:  # whatever the layer raises
                hosts = await silent
                reason = _silent(hosts) if hosts else _reason(error)
                raise CommandError(
                    f"The channel layer {app_settings.CHANNEL_LAYER!r} does not work: {reason}"
                ) from error
            finally:
                with suppress(Exception):
                    await supervision.within(status.TIMEOUT, close_connections(layer))
            return {"processes": processes, "silent_hosts": await silent}

        return asyncio.run(ask())

    def _print_json(self, found: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(found, indent=2))

    def _print_table(self, found: dict[str, Any], wait: float, expect: int) -> None:
        self.stdout.write(f"Channel layer {found['alias']!r}: {found['layer']}")
        if found["local"]:
            self.stdout.write(
                self.style.WARNING(
                    "It ends at its process, so no other process can be asked from here. Tabs hear what other "
                    f"processes send within {app_settings.RECONCILE_INTERVAL:g} seconds."
                )
            )
            return
        processes = found["processes"]
        if not processes:
            self.stdout.write(
                f"No process answered within {wait:g} s: nobody is connected, or the servers use another layer."
            )
            return
        rows = [["process", *COLUMNS.values()]]
        rows += [
            [one["process"], *(_figure(one["metrics"].get(name)) for name in COLUMNS)]
            for one in processes
        ]
        if len(processes) > 1:
            rows.append(["all", *(_total(processes, name) for name in COLUMNS)])
        self.stdout.write()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            first, *others = row
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            self.stdout.write("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        self.stdout.write()
        for one in processes:
            for problem in one["problems"]:
                self.stdout.write(self.style.ERROR(f"{one['process']}: {problem}"))
        answered = f"{_processes(len(processes))} answered."
        is_well = not found["silent_hosts"] and not any(one["problems"] for one in processes)
        if len(processes) < expect or not is_well:
            self.stdout.write(answered)
        else:
            self.stdout.write(self.style.SUCCESS(f"{answered} All is well with them."))


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _reason(error: Exception) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "no answer came in time."
    return f"{type(error).__name__}: {error}"


def _silent(hosts: list[str]) -> str:
    return (
        f"no answer came from {', '.join(hosts)}. Users whose groups are there hear news within two intervals, and "
        "nothing at once."
    )


def _path(layer: Any) -> str:
    return f"{type(layer).__module__}.{type(layer).__qualname__}"


def _figure(value: Any) -> str:
    if value is None:  # a process of another version
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"


def _total(processes: list[dict[str, Any]], name: str) -> str:
    if name not in TOTALS:
        return ""
    return _figure(sum(one["metrics"].get(name, 0) for one in processes))
