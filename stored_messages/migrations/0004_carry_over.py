"""Carry every row of 1.4.0 over, or back.

In batches of rows, each committed on its own: what was done stays done when it is interrupted, and running it again
goes on from there. Duplicates fold into one; a url that no message may have is dropped.
"""

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import migrations, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast, Floor, Random

from stored_messages.links import safe_url

BATCH = 5000
LARGE = 50_000


def forwards(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    messages = apps.get_model("stored_messages", "Message").objects.using(alias)
    archive = apps.get_model("stored_messages", "MessageArchive").objects.using(alias)
    inbox = apps.get_model("stored_messages", "Inbox").objects.using(alias)
    delivery_model = apps.get_model("stored_messages", "Delivery")
    deliveries = delivery_model.objects.using(alias)

    for first, last in _ranges(messages, "messages"):
        batch = messages.filter(pk__range=(first, last))
        refused = [
            pk
            for pk, url in batch.filter(url__isnull=False).values_list("pk", "url")
            if safe_url(url) is None
        ]
        with transaction.atomic(using=alias):
            batch.filter(pk__in=refused).update(url=None)
            # The order of arrival is that of the keys. New positions are times, and so far above.
            batch.filter(stamp=0).update(sent_at=F("date"), position=F("id"), stamp=_random_stamp())

    for rows, name, unread in ((archive, "archived", False), (inbox, "unread", True)):
        for first, last in _ranges(rows, f"{name} copies"):
            copies = list(
                rows.filter(pk__range=(first, last)).values_list(
                    "user", "message", "message__position", "message__stamp", "message__date"
                )
            )
            still_unread = set(
                inbox.filter(message__in={copy[1] for copy in copies}).values_list(
                    "user", "message"
                )
            )
            deliveries.bulk_create(
                [
                    delivery_model(
                        user_id=user,
                        message_id=message,
                        position=position,
                        stamp=stamp,
                        date=date,
                        read_at=None if unread or (user, message) in still_unread else date,
                    )
                    for user, message, position, stamp, date in copies
                ],
                ignore_conflicts=True,
            )


def backwards(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    message_model = apps.get_model("stored_messages", "Message")
    archive = apps.get_model("stored_messages", "MessageArchive").objects.using(alias)
    inbox = apps.get_model("stored_messages", "Inbox").objects.using(alias)
    deliveries = apps.get_model("stored_messages", "Delivery").objects.using(alias)
    users = apps.get_model(settings.AUTH_USER_MODEL).objects.using(alias)

    archive.all().delete()
    inbox.all().delete()
    # 1.4.0 knows no urls beyond 200 characters.
    message_model.objects.using(alias).annotate(length=models.functions.Length("url")).filter(
        length__gt=200
    ).update(url=None)
    for first, last in _ranges(deliveries, "copies"):
        kept = list(
            deliveries.filter(pk__range=(first, last), dismissed_at=None).values_list(
                "user", "message", "read_at"
            )
        )
        _store(archive, [(user, message) for user, message, _ in kept])
        _store(inbox, [(user, message) for user, message, read_at in kept if read_at is None])
    # A broadcast that nobody touched yet was everybody's who had joined.
    joined = any(field.name == "date_joined" for field in users.model._meta.get_fields())
    for broadcast in message_model.objects.using(alias).filter(broadcast=True):
        everybody = users.filter(date_joined__lte=broadcast.sent_at) if joined else users.all()
        touched = deliveries.filter(message=broadcast.pk).values("user")
        batch = []
        for user in everybody.exclude(pk__in=touched).values_list("pk", flat=True).iterator():
            batch.append((user, broadcast.pk))
            if len(batch) == BATCH:
                _store(archive, batch)
                _store(inbox, batch)
                batch = []
        _store(archive, batch)
        _store(inbox, batch)
    deliveries.all().delete()


def _store(rows: Any, pairs: list[tuple[Any, Any]]) -> None:
    rows.bulk_create(rows.model(user_id=user, message_id=message) for user, message in pairs)


def _random_stamp() -> Any:
    scaled = Floor(Random() * Value(2**32 - 2, output_field=models.FloatField())) + Value(
        1, output_field=models.FloatField()
    )
    return Cast(scaled, models.BigIntegerField())


def _ranges(rows: Any, name: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last key of each batch; tell on standard output how far it is when there is much."""
    total, done, last = rows.count(), 0, 0
    while True:
        keys = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not keys:
            return
        last = keys[-1]
        yield keys[0], last
        done += len(keys)
        if total > LARGE and done % LARGE < BATCH:
            sys.stdout.write(f"\n    {done:,} of {total:,} {name} carried over")
            sys.stdout.flush()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stored_messages", "0003_deliveries")]

    operations = [migrations.RunPython(forwards, backwards)]
