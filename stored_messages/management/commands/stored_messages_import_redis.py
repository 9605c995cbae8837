"""``manage.py stored_messages_import_redis``: once, when a project moves on from 1.4.0."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from stored_messages.api import get_backend
from stored_messages.conf import app_settings
from stored_messages.management.progress import ProgressBar

if TYPE_CHECKING:
    from stored_messages.backends.redis_import import Imported


class Command(BaseCommand):
    help = (
        "Imports the messages that django-stored-messages 1.4.0 left in Redis into the inboxes of RedisBackend. "
        "It can be repeated: what was imported before stays as it is now, read or unread."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="url",
            metavar="URL",
            help="Where 1.4.0 had them; default: STORED_MESSAGES['REDIS_URL'].",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be imported, and import nothing."
        )
        parser.add_argument(
            "--delete",
            action="store_true",
            help="Delete the lists of each user once they are imported, unless one has broken entries.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        backend: Any = get_backend()
        try:
            from stored_messages.backends.redis_import import (
                UNREACHABLE,
                RedisImport,
                can_import_into,
            )
        except ImportError as error:
            raise CommandError(f"The client of Redis cannot be imported: {error}") from error
        if not can_import_into(backend):
            raise CommandError(
                "Messages of 1.4.0 in Redis are imported into RedisBackend, and STORED_MESSAGES['STORAGE_BACKEND'] "
                f"is {app_settings.STORAGE_BACKEND!r}. (Messages in tables are carried over by migrate.)"
            )
        try:
            importing = RedisImport(
                options["url"] or app_settings.REDIS_URL,
                backend,
                dry_run=options["dry_run"],
                delete=options["delete"],
            )
        except ImproperlyConfigured as error:
            raise CommandError(f"{error} Name it: --from redis://...") from error
        # Counted only if somebody is looking.
        looking = options["verbosity"] > 0 and self.stdout.isatty()
        try:
            bar = ProgressBar(self.stdout, importing.total() if looking else 0)
            try:
                counts = importing.run(on_progress=bar.advance)
            finally:
                bar.finish()
        except UNREACHABLE as error:
            raise CommandError(f"Redis does not answer: {error}") from error
        if options["verbosity"] > 0:
            self.stdout.write(_report(counts, dry_run=options["dry_run"]))


def _report(counts: "Imported", *, dry_run: bool) -> str:
    verb = "Would import" if dry_run else "Imported"
    lines = [f"{verb} {counts.imported} messages of {counts.users} users."]
    if counts.known:
        lines.append(f"{counts.known} were there already.")
    if counts.expired:
        lines.append(f"{counts.expired} are older than MESSAGE_EXPIRE_DAYS and were left out.")
    if counts.nobodys:
        lines.append(f"{counts.nobodys} are of users who are gone and were left out.")
    if counts.urls:
        lines.append(f"{counts.urls} lost a url that is neither http(s) nor a path of this site.")
    if counts.broken:
        lines.append(f"{counts.broken} entries are no messages and were left out.")
    return "\n".join(lines)
