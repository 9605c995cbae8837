"""The cleanup of Redis: it scans, and each script handles a bounded number of messages.

Contents expire by themselves where ``MESSAGE_EXPIRE_DAYS`` was set when they were sent. Those that never do are looked
for in every inbox, once it is known that there are any.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from stored_messages.backends.redis_broadcasts import all_broadcasts, forgetting
from stored_messages.backends.redis_commands import Command, all_keys, batches, run
from stored_messages.backends.redis_connection import Client
from stored_messages.backends.redis_keys import (
    CONTENTS_PATTERN,
    HASHED,
    OWNERS_PATTERN,
    content_id,
    content_key,
    owner_keys,
    owner_name,
    owner_of,
)
from stored_messages.backends.redis_records import expired
from stored_messages.backends.redis_script import Script
from stored_messages.expiry import OWNERLESS_AFTER
from stored_messages.owners import pk_named
from stored_messages.positions import format_position, position_at
from stored_messages.stored import Cleanup

_BATCH = 1000
_SCAN_COUNT = 500
_NEVER = -1


class RedisCleanup:
    """One run. ``cutoffs`` are those of inbox and archive as the script takes them."""

    def __init__(
        self,
        client: Client,
        script: Script,
        cutoffs: list[str],
        *,
        dry_run: bool,
        on_progress: Callable[[int], object] | None,
    ) -> None:
        self._client = client
        self._script = script
        self._inbox_cutoff, self._archive_cutoff = cutoffs
        self._dry_run = dry_run
        self._on_progress = on_progress or (lambda number: None)
        self._forgotten: set[str] = set()
        #: A position below this one is old enough to be ownerless.
        self._settled = format_position(position_at(timezone.now() - OWNERLESS_AFTER, 0))

    def run(self) -> Cleanup:
        """Clean up, or only count."""
        expired = self._broadcasts()
        left_inbox = ownerless = 0
        for names in batches(self._owners()):
            gone = self._gone(names)
            for name in names:
                counts = self._inbox(name)
                expired += counts.expired
                left_inbox += counts.left_inbox
                if name in gone:
                    # What has expired of it is counted already, and in a dry run still there.
                    records = self._forget(name)
                    ownerless += records - (counts.expired if records and self._dry_run else 0)
                    if records:
                        self._forgotten.add(name)
        return Cleanup(expired, left_inbox, ownerless + self._contents())

    def _broadcasts(self) -> int:
        """Take what has expired out of the index of broadcasts."""
        gone = [one.id for one in all_broadcasts(self._client) if self._expired(one.date)]
        if gone and not self._dry_run:
            run(self._client, [forgetting(gone)])
            self._on_progress(len(gone))
        return len(gone)

    def _expired(self, date: int) -> bool:
        return expired(date, self._archive_cutoff)

    # Inboxes.

    def _owners(self) -> Iterator[str]:
        for key in all_keys(self._client, OWNERS_PATTERN):
            yield owner_of(key)

    def _inbox(self, name: str) -> Cleanup:
        """Remove what has expired in one inbox."""
        cutoffs = (self._inbox_cutoff, self._archive_cutoff)
        expired = left_inbox = 0
        if self._dry_run:
            expired, left_inbox = self._call(name, "count_expired", *cutoffs)
            return Cleanup(expired, left_inbox, ownerless=0)
        while True:
            removed, left = self._call(name, "expire", *cutoffs, _BATCH)
            expired, left_inbox = expired + removed, left_inbox + left
            if removed + left:
                self._on_progress(removed + left)
            if max(removed, left) < _BATCH:
                return Cleanup(expired, left_inbox, ownerless=0)

    def _forget(self, name: str) -> int:
        """Remove the inbox of a user who is gone, unless something arrived there lately."""
        records: int = self._call(name, "forget_owner", self._settled, int(self._dry_run))
        if records and not self._dry_run:
            self._on_progress(records)
        return records

    def _call(self, name: str, operation: str, *arguments: object) -> Any:
        # Without the cutoffs that every other call is made with, which would expire everything at once.
        call = (owner_keys(name), [operation, "-inf", "-inf", *arguments])
        return self._script.run(self._client, [call])[0]

    def _gone(self, names: list[str]) -> set[str]:
        """Which of these belong to nobody."""
        plain = (name for name in names if not name.startswith(HASHED))
        pks = {name: pk for name in plain if (pk := pk_named(name)) is not None}
        users = get_user_model()._base_manager.filter(pk__in=list(pks.values()))
        known = set(users.values_list("pk", flat=True))
        return {
            name
            for name in names
            if pks.get(name) not in known
            and not (name.startswith(HASHED) and name in self._hashed_names)
        }

    @cached_property
    def _hashed_names(self) -> set[str]:
        pks = (
            get_user_model()._base_manager.values_list("pk", flat=True).iterator(chunk_size=_BATCH)
        )
        return {name for name in map(owner_name, pks) if name.startswith(HASHED)}

    # Contents.

    def _contents(self) -> int:
        """Remove contents that would stay for ever, and that nobody has."""
        unreferenced = set(self._lasting_contents())
        if not unreferenced:
            return 0
        # In a dry run, what has expired and whose users are gone is still there.
        unreferenced.difference_update(
            one.id for one in all_broadcasts(self._client) if not self._expired(one.date)
        )
        for name in self._owners():
            if name not in self._forgotten:
                records = self._client.hscan_iter(owner_keys(name)[0], count=_SCAN_COUNT)
                unreferenced.difference_update(
                    msg_id
                    for msg_id, record in records
                    if not self._expired(int(record.split(":")[2]))
                )
        for msg_ids in batches(() if self._dry_run else unreferenced):
            keys = map(content_key, msg_ids)
            run(self._client, (Command(key, ("UNLINK", key)) for key in keys))
            self._on_progress(len(msg_ids))
        return len(unreferenced)

    def _lasting_contents(self) -> Iterator[str]:
        keys = all_keys(self._client, CONTENTS_PATTERN)
        # An id begins with the position that the message was made at.
        settled = (key for key in keys if content_id(key) < self._settled)
        for batch in batches(settled):
            lifetimes = run(self._client, (Command(key, ("TTL", key)) for key in batch))
            for key, seconds in zip(batch, lifetimes, strict=True):
                if seconds == _NEVER:
                    yield content_id(key)
