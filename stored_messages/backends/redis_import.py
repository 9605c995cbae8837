"""The import of what 1.4.0 left in Redis. Done again, it adds what is new and changes nothing that is there."""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model

from stored_messages.backends.redis import RedisBackend
from stored_messages.backends.redis_commands import batches, run
from stored_messages.backends.redis_connection import UNREACHABLE, bytes_client
from stored_messages.backends.redis_keys import owner_keys, owner_name
from stored_messages.backends.redis_legacy import LegacyLists, legacy_names, parse
from stored_messages.backends.redis_records import (
    cutoffs,
    delivery,
    expired,
    micros,
    storing,
)
from stored_messages.backends.redis_script import Script
from stored_messages.owners import pk_named
from stored_messages.stored import StoredMessage

__all__ = ("UNREACHABLE", "Imported", "RedisImport", "can_import_into")


class Imported(NamedTuple):
    """What an import did, or would do, in users and in entries of their lists."""

    users: int
    imported: int
    known: int
    expired: int
    broken: int
    urls: int
    nobodys: int


def can_import_into(backend: object) -> bool:
    """Whether a backend is one that an import can fill."""
    return isinstance(backend, RedisBackend)


class RedisImport:
    """One run, from the server of a url into the configured backend."""

    def __init__(
        self,
        url: str | None,
        backend: RedisBackend,
        *,
        dry_run: bool = False,
        delete: bool = False,
    ) -> None:
        self._old = bytes_client(url)
        self._client = backend.client
        self._script = Script()
        self._dry_run = dry_run
        self._delete = delete and not dry_run
        self._on_progress: Callable[[int], object] = lambda number: None
        self._archive_cutoff = cutoffs()[1]
        self._counts: Counter[str] = Counter()

    def total(self) -> int:
        """Return how many entries there are."""
        return sum(LegacyLists(self._old, name).length() for name in self._names)

    def run(self, *, on_progress: Callable[[int], object] | None = None) -> Imported:
        """Import, or only count. ``on_progress`` is called with the number of entries of each step."""
        self._on_progress = on_progress or self._on_progress
        for names in batches(self._names):
            pks = {
                name: pk
                for name in names
                if (pk := pk_named(name.decode(errors="replace"))) is not None
            }
            users = get_user_model()._base_manager.filter(pk__in=list(pks.values()))
            known = set(users.values_list("pk", flat=True))
            for name in names:
                lists = LegacyLists(self._old, name)
                if pks.get(name) in known:
                    self._counts["users"] += 1
                    self._import(lists, pks[name])
                else:
                    self._counts["nobodys"] += lists.length()
                    self._on_progress(lists.length())
        return Imported(*(self._counts[name] for name in Imported._fields))

    @cached_property
    def _names(self) -> list[bytes]:
        return legacy_names(self._old)

    def _import(self, lists: LegacyLists, pk: Any) -> None:
        broken_before = self._counts["broken"]
        seen: set[str] = set()
        lengths = []
        for key in lists.keys:
            lengths.append(0)
            for entries in lists.chunks(key):
                lengths[-1] += len(entries)
                messages = self._parse(entries, seen)
                for message in messages:
                    message.read_at = None if key == lists.unread else message.date
                self._store(pk, messages)
                self._on_progress(len(entries))
        if self._delete and self._counts["broken"] == broken_before:
            lists.delete(lengths)

    def _parse(self, entries: list[bytes], seen: set[str]) -> list[StoredMessage]:
        """Return what of these entries was not seen before."""
        messages = []
        for entry in entries:
            try:
                message, url_dropped = parse(entry)
            except (ValueError, RecursionError):
                self._counts["broken"] += 1
                continue
            if message.id not in seen:
                seen.add(message.id)
                messages.append(message)
                self._counts["urls"] += url_dropped
        return messages

    def _store(self, pk: Any, messages: list[StoredMessage]) -> None:
        living = [one for one in messages if not expired(micros(one.date), self._archive_cutoff)]
        self._counts["expired"] += len(messages) - len(living)
        if not living:
            return
        if not self._dry_run:
            run(self._client, map(storing, living))
        arguments = [int(self._dry_run), *(part for one in living for part in delivery(one))]
        call = (owner_keys(owner_name(pk)), ["import", *cutoffs(), *arguments])
        [new] = self._script.run(self._client, [call])
        self._counts["imported"] += new
        self._counts["known"] += len(living) - new
