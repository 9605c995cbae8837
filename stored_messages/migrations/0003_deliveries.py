"""One row per user and message instead of two tables of them; what is new about messages.

The tables of 1.4.0 stay until the next migration has carried their rows over.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Exists, OuterRef

from stored_messages.migrations._copies import has_users


def drop_orphans(apps: Any, schema_editor: Any) -> None:
    """Drop copies of messages or users that are gone: SQLite let them be, and would not let the tables be changed."""
    connection = schema_editor.connection
    if connection.vendor != "sqlite":
        return
    owners = {"message": apps.get_model("stored_messages", "Message")}
    if has_users(apps, connection.alias):
        owners["user"] = apps.get_model(settings.AUTH_USER_MODEL)
    for name in ("Inbox", "MessageArchive"):
        copies = apps.get_model("stored_messages", name).objects.using(connection.alias)
        for field, model in owners.items():
            owner = model._base_manager.filter(pk=OuterRef(f"{field}_id"))
            copies.filter(~Exists(owner)).delete()


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("stored_messages", "0002_message_url"),
    ]

    operations = [
        migrations.RunPython(drop_orphans, migrations.RunPython.noop),
        migrations.RenameField("message", "tags", "extra_tags"),
        migrations.AlterField("message", "url", models.TextField(blank=True, null=True)),
        migrations.AddField("message", "sent_at", models.DateTimeField(null=True)),
        migrations.AddField("message", "data", models.JSONField(blank=True, default=dict)),
        migrations.AddField("message", "safe", models.BooleanField(default=False)),
        migrations.AddField("message", "broadcast", models.BooleanField(default=False)),
        migrations.AddField("message", "position", models.BigIntegerField(default=0)),
        migrations.AddField("message", "stamp", models.BigIntegerField(default=0)),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.BigIntegerField(editable=False)),
                ("stamp", models.BigIntegerField(editable=False)),
                ("date", models.DateTimeField(editable=False)),
                ("broadcast", models.BooleanField(default=False, editable=False)),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                (
                    "dismissed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="dismissed at"),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="stored_messages.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={"verbose_name": "delivery", "verbose_name_plural": "deliveries"},
        ),
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(fields=("message", "user"), name="stored_messages_one_copy"),
        ),
    ]
