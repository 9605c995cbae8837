"""``manage.py stored_messages_cleanup``: to be run daily."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stored_messages.api import get_backend
from stored_messages.management.progress import ProgressBar
from stored_messages.stored import Cleanup


class Command(BaseCommand):
    help = (
        "Deletes messages that are older than MESSAGE_EXPIRE_DAYS, takes those that were unread for longer than "
        "INBOX_EXPIRE_DAYS out of the inboxes, and deletes what no user has any more. It works in small batches: "
        "run it while the site is up, once a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be deleted, and delete nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = self._count() if options["dry_run"] else self._clean_up(options["verbosity"])
        except NotImplementedError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write(_report(counts, "Would remove" if options["dry_run"] else "Removed"))

    def _count(self) -> Cleanup | None:
        return get_backend().cleanup(dry_run=True)

    def _clean_up(self, verbosity: int) -> Cleanup | None:
        bar = ProgressBar(self.stdout, self._total() if verbosity else 0)
        try:
            return get_backend().cleanup(on_progress=bar.advance)
        finally:
            bar.finish()

    def _total(self) -> int:
        """How much there is to do, counted only if somebody is looking."""
        if not self.stdout.isatty():
            return 0
        try:
            return sum(self._count() or ())
        except NotImplementedError:
            return 0


def _report(counts: Cleanup | None, verb: str) -> str:
    if counts is None:
        return "Cleaned up. This backend does not say what it removed."
    return (
        f"{verb} {counts.expired} expired and {counts.ownerless} without an owner, "
        f"and {counts.left_inbox} from inboxes only."
    )
