"""The two tables of 1.4.0 with the copies that users have. They refer to the users, where these are in the same database."""

from typing import Any

from django.conf import settings
from django.db import migrations, router


def has_users(apps: Any, alias: str) -> bool:
    """Return whether a database holds the users."""
    allowed: bool = router.allow_migrate_model(alias, apps.get_model(settings.AUTH_USER_MODEL))
    return allowed


class CreateCopies(migrations.CreateModel):
    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        _constrain_users(to_state.apps, app_label, self.name, schema_editor)
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class DeleteCopies(migrations.DeleteModel):
    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        _constrain_users(to_state.apps, app_label, self.name, schema_editor)
        super().database_backwards(app_label, schema_editor, from_state, to_state)


def _constrain_users(apps: Any, app_label: str, name: str, schema_editor: Any) -> None:
    user = apps.get_model(app_label, name)._meta.get_field("user")
    user.db_constraint = has_users(apps, schema_editor.connection.alias)
