"""An empty database, on SQLite and on PostgreSQL, in which everything is routed to it."""

import pytest
from django.core.management import call_command
from django.db import connections

from tests.upgrade import tables
from tests.upgrade.tables import ALIAS


class EverythingOld:
    """Routes all models to the database under test."""

    def db_for_read(self, model, **hints):
        return ALIAS

    db_for_write = db_for_read


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request, settings, tmp_path, django_db_blocker):
    """A database with users and the tables of 1.4.0, all empty."""
    if request.param == "sqlite":
        chosen = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "old.sqlite3")}
    else:
        postgres = request.getfixturevalue("postgres")
        chosen = postgres.django_settings(postgres.create_database())
    databases = connections.settings
    databases[ALIAS] = chosen
    connections.configure_settings(databases)
    settings.DATABASE_ROUTERS = [f"{__name__}.EverythingOld"]
    with django_db_blocker.unblock():
        try:
            call_command("migrate", "auth", database=ALIAS, verbosity=0)
            tables.create()
            yield connections[ALIAS]
        finally:
            connections[ALIAS].close()
            del connections[ALIAS]
            del databases[ALIAS]


@pytest.fixture
def migrate(old_database):
    """Run `migrate`, to the newest or to a named migration of ours."""

    def migrate(name=None):
        target = ["stored_messages", name] if name else []
        call_command("migrate", *target, database=ALIAS, verbosity=0)

    return migrate
