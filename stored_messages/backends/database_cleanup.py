"""The cleanup of the tables, in short transactions of which none waits for anybody.

Each batch takes the next rows in order of their keys, and passes over those that somebody has locked: the next run
finds them. So it is never part of a deadlock. Where a database cannot pass over locked rows, rows are found outside
the transaction that changes them: one that begins by reading cannot wait for other writers on SQLite.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from stored_messages.backends.database_queries import left_unread
from stored_messages.expiry import OWNERLESS_AFTER, archive_cutoff, inbox_cutoff
from stored_messages.models import Delivery, Message
from stored_messages.positions import position_at
from stored_messages.stored import Cleanup

_BATCH = 1000

#: Where no index tells what to look for, it is looked for among so many keys at a time: no statement is long.
_WINDOW = 10_000

#: Somebody may be reading a broadcast while it expires, which writes a delivery that refers to it.
_BROADCAST_STAYS = timedelta(hours=1)


class DatabaseCleanup:
    """One run on one database."""

    def __init__(
        self, using: str, *, dry_run: bool, on_progress: Callable[[int], object] | None
    ) -> None:
        self._using = using
        self._dry_run = dry_run
        self._on_progress = on_progress or (lambda number: None)
        now = timezone.now()
        self._inbox_cutoff = inbox_cutoff(now)
        self._archive_cutoff = archive_cutoff(now)
        self._settled = now - OWNERLESS_AFTER

    def run(self) -> Cleanup:
        """Clean up, or only count."""
        return Cleanup(
            expired=self._expired(), left_inbox=self._left_inbox(), ownerless=self._ownerless()
        )

    def _expired(self) -> int:
        if self._archive_cutoff is None:
            return 0
        messages = Message.objects.using(self._using).filter(_expired(self._archive_cutoff))
        deliveries = self._deliveries()
        # The deliveries' own date first: they lie together. Then those of whose message the date was changed by hand.
        found = self._delete(deliveries.filter(date__lte=self._archive_cutoff))
        late = deliveries.filter(self._lives(), message__in=messages)
        return found + self._delete(late) + self._delete(self._unless_dry_run(messages))

    def _left_inbox(self) -> int:
        if self._inbox_cutoff is None:
            return 0
        unread = self._deliveries().filter(
            self._lives(), read_at__isnull=True, date__lte=self._inbox_cutoff
        )
        return self._change(unread, lambda rows: rows.update(read_at=left_unread()))

    def _ownerless(self) -> int:
        gone = list(self._users_gone())
        of_nobody = Q(user__in=gone, position__lt=position_at(self._settled, 0))
        found = self._delete(self._deliveries().filter(of_nobody, self._lives()))
        settled = Message.objects.using(self._using).filter(
            self._lives(), broadcast=False, sent_at__lte=self._settled
        )
        for first, last in self._windows(Message.objects.using(self._using)):
            # Here too, so that both tables are read in the order of this key, and no further.
            others = self._deliveries().filter(
                message__gte=first, message__lte=last, message=OuterRef("pk")
            )
            if self._dry_run:
                others = others.exclude(of_nobody)
            found += self._delete(settled.filter(~Exists(others), pk__range=(first, last)))
        return found

    def _windows(self, rows: QuerySet[Any]) -> Iterator[tuple[int, int]]:
        """Yield the first and last key of a window of rows, then of the next."""
        keys = rows.order_by("pk").values_list("pk", flat=True)
        end, last = keys.last(), 0
        while end and (first := keys.filter(pk__gt=last, pk__lte=end).first()) is not None:
            last = keys.filter(pk__gte=first, pk__lte=end)[_WINDOW - 1 :].first() or end
            yield first, last

    def _users_gone(self) -> Iterator[Any]:
        """The keys that deliveries have and users, who may be in another database, have not."""
        held = self._deliveries().order_by("user").values_list("user", flat=True).distinct()
        users = get_user_model()._base_manager
        batch = list(held[:_BATCH])
        while batch:
            known = set(users.filter(pk__in=batch).values_list("pk", flat=True))
            yield from (pk for pk in batch if pk not in known)
            batch = list(held.filter(user__gt=batch[-1])[:_BATCH])

    def _lives(self) -> Q:
        """Not what has expired: that is counted as such."""
        return Q() if self._archive_cutoff is None else Q(date__gt=self._archive_cutoff)

    def _unless_dry_run(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        """Without what still has deliveries that somebody had locked; a dry run has deleted none."""
        held = self._deliveries().filter(message=OuterRef("pk"))
        return messages if self._dry_run else messages.filter(~Exists(held))

    def _deliveries(self) -> QuerySet[Delivery]:
        deliveries: QuerySet[Delivery] = Delivery.objects.using(self._using)
        return deliveries

    # Batches.

    def _delete(self, rows: QuerySet[Any]) -> int:
        # One statement with all its conditions; what delete() would add is known not to be there.
        return self._change(rows, lambda batch: batch._raw_delete(self._using))

    def _change(self, rows: QuerySet[Any], change: Callable[[QuerySet[Any]], int]) -> int:
        """Apply a change to rows, batch by batch. Return how many there were."""
        if self._dry_run:
            return rows.count()
        changed, last = 0, 0
        while True:
            pks, number = self._change_batch(rows, last, change)
            if not pks:
                return changed
            changed, last = changed + number, pks[-1]
            self._on_progress(number)

    def _change_batch(
        self, rows: QuerySet[Any], last: int, change: Callable[[QuerySet[Any]], int]
    ) -> tuple[list[int], int]:
        following = rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        can_skip = connections[self._using].features.has_select_for_update_skip_locked
        if can_skip:
            following = following.select_for_update(skip_locked=True)
        pks: list[int] = []
        try:
            with transaction.atomic(using=self._using) if can_skip else nullcontext():
                pks = list(following[:_BATCH])
                return pks, change(rows.filter(pk__in=pks)) if pks else 0
        except IntegrityError:
            # Somebody stored one of these again meanwhile. The next run will see which.
            return pks, 0


def _expired(cutoff: datetime) -> Q:
    stays = Q(broadcast=True, date__gt=cutoff - _BROADCAST_STAYS)
    return Q(date__lte=cutoff) & ~stays
