"""The tables of 1.4.0, continued."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stored_messages", "0001_initial")]

    operations = [
        migrations.AddField("message", "url", models.URLField(blank=True, null=True)),
    ]
