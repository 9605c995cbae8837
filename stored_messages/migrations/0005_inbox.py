"""Drop the tables of 1.4.0; what the new ones require of their rows, and their indexes."""

from django.conf import settings
from django.db import migrations, models

from stored_messages.migrations._copies import DeleteCopies


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("stored_messages", "0004_carry_over"),
    ]

    operations = [
        DeleteCopies("Inbox"),
        DeleteCopies("MessageArchive"),
        migrations.AlterModelOptions(
            "message",
            {
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "permissions": [("broadcast_message", "Can send messages to everybody")],
            },
        ),
        *(
            migrations.AlterField("message", name, field)
            for name, field in (
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message", models.TextField(verbose_name="message")),
                ("level", models.IntegerField(verbose_name="level")),
                (
                    "extra_tags",
                    models.TextField(blank=True, default="", verbose_name="extra tags"),
                ),
                ("url", models.TextField(blank=True, null=True, verbose_name="URL")),
                ("date", models.DateTimeField(verbose_name="date")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="data")),
                ("safe", models.BooleanField(default=False, verbose_name="marked safe")),
                ("broadcast", models.BooleanField(default=False, verbose_name="to everybody")),
                ("position", models.BigIntegerField(editable=False)),
                ("stamp", models.BigIntegerField(editable=False)),
            )
        ),
        migrations.AddIndex("message", models.Index(fields=["date"], name="stored_msg_date")),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["position"],
                condition=models.Q(broadcast=True),
                name="stored_msg_broadcasts",
            ),
        ),
        migrations.AddIndex("delivery", models.Index(fields=["date"], name="stored_messages_date")),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["user", "position", "stamp", "date"],
                condition=models.Q(read_at__isnull=True),
                name="stored_messages_unread",
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["user", "position"],
                condition=models.Q(dismissed_at__isnull=True),
                name="stored_messages_archive",
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["user", "date", "stamp"],
                condition=models.Q(broadcast=True),
                name="stored_messages_broadcasts",
            ),
        ),
    ]
