"""The inbox in the database, through Django's ORM."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from django.db import connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.safestring import SafeData

from stored_messages.backends.database_cleanup import DatabaseCleanup
from stored_messages.backends.database_copies import insert_copies
from stored_messages.backends.database_queries import (
    as_stored,
    broadcasts_of,
    bulk_summaries,
    deliveries_of,
    read_at_of,
    read_deliveries_of,
    total,
)
from stored_messages.backends.inbox import Arrival, InboxBackend, gone
from stored_messages.models import Delivery, Message
from stored_messages.owners import BATCH_SIZE, user_pk
from stored_messages.positions import format_position, parse_position
from stored_messages.stored import Cleanup, Page, Ref, StoredMessage, Summary

_ID = re.compile(r"[1-9][0-9]{0,17}")

_NEWEST = 50


class DefaultBackend(InboxBackend):
    """Messages and deliveries in two tables; a broadcast is one row until somebody reads it."""

    @property
    def using(self) -> str:
        return router.db_for_write(Delivery)

    def _atomic(self) -> AbstractContextManager[Any]:
        return transaction.atomic(using=self.using)

    # Sending.

    def _insert(self, drafts: Sequence[StoredMessage]) -> None:
        rows = [
            Message(
                message=str(draft.message),
                level=draft.level,
                extra_tags=draft.extra_tags or "",
                url=draft.url,
                date=draft.date,
                sent_at=draft.sent_at,
                data=draft.data,
                safe=isinstance(draft.message, SafeData),
                broadcast=draft.broadcast,
                position=parse_position(draft.position),
                stamp=draft.stamp,
            )
            for draft in drafts
        ]
        for draft, row in zip(drafts, _create(rows), strict=True):
            draft.id = str(row.pk)

    def _deliver(self, user_ids: list[Any], messages: Sequence[StoredMessage]) -> None:
        if len(user_ids) > len(messages):
            for message in messages:
                insert_copies(self.using, user_ids, _delivery(None, message))
        else:
            self._deliveries().bulk_create(
                _delivery(user_id, message) for user_id in user_ids for message in messages
            )

    def _deliver_again(self, user_ids: list[Any], arriving: StoredMessage) -> Arrival:
        self._hold(arriving)
        insert_copies(self.using, user_ids, _delivery(None, arriving), ignore_conflicts=True)
        held = self._deliveries().filter(user__in=user_ids, message=int(arriving.id))
        rows = list(held.select_for_update().order_by("user"))
        dismissed = [row for row in rows if row.dismissed_at is not None]
        reopened = [
            row
            for row in rows
            if row.stamp != arriving.stamp
            and arriving.read_at is None
            and row.dismissed_at is None
            and read_at_of(row) is not None
        ]
        created = [row for row in rows if row.stamp == arriving.stamp]
        arrived = created + dismissed + reopened
        if dismissed or reopened:
            above = max(row.position for row in dismissed + reopened) + 1
            position = max(parse_position(arriving.position), above)
            arriving.position = format_position(position)
            self._deliveries().filter(pk__in=[row.pk for row in arrived]).update(
                read_at=arriving.read_at,
                dismissed_at=None,
                position=position,
                stamp=arriving.stamp,
            )
        return Arrival(_in_order_of(user_ids, arrived), _in_order_of(user_ids, created + dismissed))

    def _hold(self, message: StoredMessage) -> None:
        """Let nobody else store this message, or clean it up, until the transaction ends.

        Without it, two that store one message for thousands would wait for each other: of each batch, the rows that
        are there and the rows that are not come in no common order.
        """
        held = Message.objects.using(self.using).filter(pk=int(message.id))
        if not held.update(stamp=F("stamp")):
            raise gone(message)

    # Reading.

    def _rows(
        self, user: Any, before: int | None, limit: int | None, archive: bool
    ) -> list[StoredMessage]:
        below = Q() if before is None else Q(position__lt=before)
        deliveries = deliveries_of(user, archive=archive).filter(below)
        broadcasts = broadcasts_of(user, archive=archive).filter(below)
        found = {
            row.id: row
            for row in chain(
                (as_stored(row) for row in broadcasts.order_by("-position")[:limit]),
                (
                    as_stored(row.message, row)
                    for row in deliveries.select_related("message").order_by("-position")[:limit]
                ),
            )
        }
        return sorted(found.values(), key=lambda row: row.position, reverse=True)[:limit]

    def _find(self, user: Any, msg_id: str) -> StoredMessage | None:
        if not _ID.fullmatch(msg_id):
            return None
        delivery = (
            deliveries_of(user, archive=True)
            .filter(message=int(msg_id))
            .select_related("message")
            .first()
        )
        if delivery is not None:
            return as_stored(delivery.message, delivery)
        broadcast = broadcasts_of(user, archive=True).filter(pk=int(msg_id)).first()
        return as_stored(broadcast) if broadcast else None

    def _page(self, user: Any, before: int | None, limit: int, archive: bool) -> Page:
        rows = self._rows(user, before, limit + 1, archive)
        cursor = rows[limit - 1].position if len(rows) > limit else None
        rows = rows[:limit]
        if archive:
            return Page(rows, cursor, self.summary(user))
        # Of these rows and of all others: a total of its own could count what moved in between twice, or never.
        outside = Q(position__lt=parse_position(cursor) if cursor else 0)
        if before is not None:
            outside |= Q(position__gte=before)
        others = total(deliveries_of(user).filter(outside), broadcasts_of(user).filter(outside))
        stamps = [row.stamp for row in rows]
        return Page(rows, cursor, Summary(others.unread + len(stamps), others.digest + sum(stamps)))

    def summary(self, user: Any) -> Summary:
        return total(deliveries_of(user), broadcasts_of(user))

    def archive_count(self, user: Any) -> int:
        deliveries: int = deliveries_of(user, archive=True).count()
        return deliveries + broadcasts_of(user, archive=True).count()

    def summaries(self, users: Iterable[Any]) -> dict[Any, Summary]:
        return bulk_summaries(users)

    # Changing. The first statement is the one that writes: SQLite lets a transaction that began by reading wait for
    # no other writer. What was changed is found by its moment: of two that do the same, one finds it.

    def _mark_read(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return _in_batches(partial(self._mark_these_read, user, timezone.now()), msg_ids)

    def _mark_these_read(self, user: Any, now: datetime, pks: list[int]) -> list[Ref]:
        changed = self._update(deliveries_of(user).filter(message__in=pks), read_at=now)
        if changed < len(pks):
            changed += self._deliver_broadcasts(
                user, broadcasts_of(user).filter(pk__in=pks), read_at=now
            )
        return self._refs(user, message__in=pks, read_at=now) if changed else []

    def _mark_read_below(self, user: Any, position: int | None) -> int | None:
        now = timezone.now()
        below = Q() if position is None else Q(position__lt=position)
        changed = self._update(deliveries_of(user).filter(below), read_at=now)
        changed += self._deliver_broadcasts(user, broadcasts_of(user).filter(below), read_at=now)
        if not changed:
            return None
        kept = deliveries_of(user, archive=True).using(self.using).filter(below)
        rows = kept.order_by("-position").values_list("position", "read_at")
        # It is among the newest, which are found at once, however much was read before.
        for found in (rows[:_NEWEST], rows.filter(read_at=now)[:1]):
            for highest, read_at in found:
                if read_at == now:
                    return int(highest)
        return None

    def _mark_unread(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return _in_batches(partial(self._mark_these_unread, user, timezone.now()), msg_ids)

    def _mark_these_unread(self, user: Any, now: datetime, pks: list[int]) -> list[Ref]:
        if not self._update(read_deliveries_of(user).filter(message__in=pks), read_at=now):
            return []
        changed = self._deliveries().filter(user=user_pk(user), message__in=pks, read_at=now)
        refs = [_ref(row) for row in changed.order_by("position")]
        changed.update(read_at=None)
        return refs

    def _dismiss(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return _in_batches(partial(self._dismiss_these, user, timezone.now()), msg_ids)

    def _dismiss_these(self, user: Any, now: datetime, pks: list[int]) -> list[Ref]:
        kept = deliveries_of(user, archive=True).filter(message__in=pks)
        changed = self._update(kept, dismissed_at=now, read_at=Coalesce("read_at", now))
        if changed < len(pks):
            broadcasts = broadcasts_of(user, archive=True).filter(pk__in=pks)
            changed += self._deliver_broadcasts(user, broadcasts, read_at=now, dismissed_at=now)
        return self._refs(user, message__in=pks, dismissed_at=now) if changed else []

    def _update(self, deliveries: QuerySet[Delivery], **values: Any) -> int:
        return self._in_order(deliveries).update(**values)

    def _in_order(
        self, deliveries: QuerySet[Delivery], *, skip_locked: bool = False
    ) -> QuerySet[Delivery]:
        """Return these rows, locked in the order of their keys where there are locks for rows.

        Tabs that do different things at once find the same rows by different indexes, and would wait for each other.
        """
        deliveries = deliveries.using(self.using)
        if connections[self.using].features.has_select_for_update:
            locked = deliveries.select_for_update(skip_locked=skip_locked)
            keys = locked.order_by("pk").values("pk")
            deliveries = self._deliveries().filter(pk__in=keys)
        return deliveries

    def _refs(self, user: Any, **lookups: Any) -> list[Ref]:
        rows = self._deliveries().filter(user=user_pk(user), **lookups)
        return [_ref(row) for row in rows.order_by("position")]

    def _deliver_broadcasts(self, user: Any, messages: QuerySet[Message], **values: Any) -> int:
        """Write the rows of broadcasts that this user touches. Return for how many that was tried."""
        rows = self._deliveries().bulk_create(
            [
                Delivery(
                    user_id=user_pk(user),
                    message=message,
                    position=message.position,
                    stamp=message.stamp,
                    date=message.date,
                    broadcast=True,
                    **values,
                )
                for message in messages.using(self.using)
            ],
            ignore_conflicts=True,
        )
        return len(rows)

    # Keeping house.

    def cleanup(
        self, *, dry_run: bool = False, on_progress: Callable[[int], object] | None = None
    ) -> Cleanup:
        return DatabaseCleanup(self.using, dry_run=dry_run, on_progress=on_progress).run()

    def forget_user(self, pk: Any) -> None:
        """Delete what a deleted user had.

        Django deletes many users in one transaction, in no order of theirs, while a sender goes through them in order.
        So this waits for no sender: a row that one holds is left to the cleanup, where the database can tell.
        """
        features = connections[self.using].features
        skip = features.has_select_for_update and features.has_select_for_update_skip_locked
        with self._atomic():
            self._in_order(self._deliveries().filter(user=pk), skip_locked=skip).delete()

    def _flush(self) -> None:
        # Statements, and no rows: what delete() would look for is known.
        with self._atomic():
            for model in (Delivery, Message):
                model.objects.using(self.using).all()._raw_delete(self.using)

    def _deliveries(self) -> Any:
        return Delivery.objects.using(self.using)


def _create(rows: list[Message]) -> list[Message]:
    """Insert rows whose keys are needed: in one statement where the database returns them."""
    connection = connections[router.db_for_write(Message)]
    if len(rows) > 1 and connection.features.can_return_rows_from_bulk_insert:
        Message.objects.bulk_create(rows)
    else:
        for row in rows:
            row.save(force_insert=True)
    return rows


def _delivery(user_id: Any, message: StoredMessage) -> Delivery:
    return Delivery(
        user_id=user_id,
        message_id=int(message.id),
        position=parse_position(message.position),
        stamp=message.stamp,
        date=message.date,
        broadcast=message.broadcast,
        read_at=message.read_at,
    )


def _in_order_of(user_ids: list[Any], rows: list[Delivery]) -> list[Any]:
    owners = {row.user_id for row in rows}
    return [user_id for user_id in user_ids if user_id in owners]


def _in_batches(change: Callable[[list[int]], list[Ref]], msg_ids: list[str]) -> list[Ref]:
    """Change messages a thousand at a time: some databases take few parameters. In order, as all others do."""
    pks = sorted(int(msg_id) for msg_id in msg_ids if _ID.fullmatch(msg_id))
    batches = (pks[start : start + BATCH_SIZE] for start in range(0, len(pks), BATCH_SIZE))
    return [ref for batch in batches for ref in change(batch)]


def _ref(row: Delivery) -> Ref:
    return Ref(str(row.message_id), row.stamp, format_position(row.position))
