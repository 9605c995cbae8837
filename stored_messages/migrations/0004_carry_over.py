"""Carry every row of 1.4.0 over, or back.

In batches of rows, each one statement and committed on its own: what was done stays done when it is interrupted, and
running it again goes on from there. Duplicates fold into one; a url that no message may have is dropped, and a date that
some time zone does not have is moved by a day.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from datetime import timezone as datetime_timezone
from typing import Any

from django.conf import settings
from django.db import migrations, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast, Floor, Length, Random

from stored_messages.links import safe_url
from stored_messages.migrations._copies import has_users

BATCH = 5000
LARGE = 50_000

_DELIVER = """
INSERT INTO {delivery} (user_id, message_id, position, stamp, date, broadcast, read_at, dismissed_at)
SELECT copy.user_id, m.id, m.position, m.stamp, m.date, m.broadcast, {read_at}, NULL
FROM (SELECT DISTINCT user_id, message_id FROM {source} WHERE id BETWEEN %s AND %s) copy
JOIN {message} m ON m.id = copy.message_id
WHERE NOT EXISTS (SELECT 1 FROM {delivery} held
                  WHERE held.user_id = copy.user_id AND held.message_id = copy.message_id)
"""

# The users of deliveries have no constraint; those of 1.4.0's tables do.
_TAKE_BACK = """
INSERT INTO {target} (user_id, message_id)
SELECT copy.user_id, copy.message_id FROM {delivery} copy
WHERE copy.id BETWEEN %s AND %s AND copy.dismissed_at IS NULL AND {condition} AND {owned}
ORDER BY copy.position
"""
_OWNED = "EXISTS (SELECT 1 FROM {user} u WHERE u.{key} = copy.user_id)"

# A broadcast that somebody did not touch yet was theirs, if they had joined.
_TAKE_BROADCAST_BACK = """
INSERT INTO {target} (user_id, message_id)
SELECT u.{key}, m.id FROM {user} u, {message} m
WHERE m.id = %s AND {condition}
  AND NOT EXISTS (SELECT 1 FROM {delivery} held
                  WHERE held.user_id = u.{key} AND held.message_id = m.id)
"""


class _Tables:
    """The tables of one database, as models and by their quoted names."""

    def __init__(self, apps: Any, schema_editor: Any) -> None:
        self.connection = schema_editor.connection
        self.models = {
            name: apps.get_model("stored_messages", model)
            for name, model in (
                ("message", "Message"),
                ("archive", "MessageArchive"),
                ("inbox", "Inbox"),
                ("delivery", "Delivery"),
            )
        }
        self.models["user"] = apps.get_model(settings.AUTH_USER_MODEL)
        self.has_users = has_users(apps, self.connection.alias)
        quote = self.connection.ops.quote_name
        self.names = {name: quote(model._meta.db_table) for name, model in self.models.items()}
        self.names["key"] = quote(self.models["user"]._meta.pk.column)

    def rows(self, name: str) -> Any:
        return self.models[name].objects.using(self.connection.alias)

    def execute(self, statement: str, parameters: tuple[Any, ...], **names: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement.format(**self.names, **names), parameters)


def forwards(apps: Any, schema_editor: Any) -> None:
    tables = _Tables(apps, schema_editor)
    messages = tables.rows("message")
    first_date, last_date = _ends_of_time()
    for first, last in _ranges(messages, "messages"):
        batch = messages.filter(pk__range=(first, last))
        refused = [
            pk
            for pk, url in batch.filter(url__isnull=False).values_list("pk", "url")
            if safe_url(url) is None
        ]
        with transaction.atomic(using=messages.db):
            batch.filter(pk__in=refused).update(url=None)
            batch.filter(date__lt=first_date).update(date=first_date)
            batch.filter(date__gt=last_date).update(date=last_date)
            # The order of arrival is that of the keys. New positions are times, and so far above.
            batch.filter(stamp=0).update(sent_at=F("date"), position=F("id"), stamp=_random_stamp())
    # What is in an inbox is unread; of the archive there remains what was read.
    for source, read_at in (("inbox", "NULL"), ("archive", "m.date")):
        told = "unread copies" if source == "inbox" else "archived copies"
        for bounds in _ranges(tables.rows(source), told):
            tables.execute(_DELIVER, bounds, source=tables.names[source], read_at=read_at)


def backwards(apps: Any, schema_editor: Any) -> None:
    tables = _Tables(apps, schema_editor)
    # Of a run that was interrupted. The deliveries stay: reversing the migration before this one drops them.
    tables.rows("archive").all().delete()
    tables.rows("inbox").all().delete()
    # 1.4.0 knows no urls beyond 200 characters.
    messages = tables.rows("message")
    messages.annotate(length=Length("url")).filter(length__gt=200).update(url=None)
    targets = {"archive": "1 = 1", "inbox": "copy.read_at IS NULL"}
    for bounds in _ranges(tables.rows("delivery"), "copies"):
        with transaction.atomic(using=messages.db):
            for target, condition in targets.items():
                tables.execute(
                    _TAKE_BACK,
                    bounds,
                    target=tables.names[target],
                    condition=condition,
                    owned=_OWNED.format(**tables.names) if tables.has_users else "1 = 1",
                )
    for broadcast in messages.filter(broadcast=True).order_by("pk"):
        _take_broadcast_back(tables, broadcast)


def _take_broadcast_back(tables: _Tables, broadcast: Any) -> None:
    """Give it to everybody who had joined and did not touch it."""
    fields = {field.name: field for field in tables.models["user"]._meta.concrete_fields}
    joined = fields.get("date_joined")
    if tables.has_users:
        quote = tables.connection.ops.quote_name
        condition = f"u.{quote(joined.column)} <= m.sent_at" if joined else "1 = 1"
        for target in ("archive", "inbox"):
            target_name = tables.names[target]
            tables.execute(
                _TAKE_BROADCAST_BACK, (broadcast.pk,), target=target_name, condition=condition
            )
        return
    users = tables.models["user"]._base_manager.order_by("pk")
    if joined:
        users = users.filter(date_joined__lte=broadcast.sent_at)
    touched = tables.rows("delivery").filter(message_id=broadcast.pk)
    everybody = set(users.values_list("pk", flat=True))
    untouched = sorted(everybody.difference(touched.values_list("user_id", flat=True)))
    for target in ("archive", "inbox"):
        copies = [tables.models[target](user_id=pk, message_id=broadcast.pk) for pk in untouched]
        tables.rows(target).bulk_create(copies, batch_size=BATCH)


def _ends_of_time() -> tuple[datetime, datetime]:
    """Return the first and the last date that can be shown in every time zone."""
    utc = datetime_timezone.utc
    first, last = datetime(1, 1, 2, tzinfo=utc), datetime(9999, 12, 30, 23, 59, 59, tzinfo=utc)
    if not settings.USE_TZ:
        first, last = first.replace(tzinfo=None), last.replace(tzinfo=None)
    return first, last


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
