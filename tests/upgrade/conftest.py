"""An empty database, on SQLite and on PostgreSQL, in which everything is routed to it."""

from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connections

from tests.upgrade import tables
from tests.upgrade.tables import ALIAS

USERS = "users"


class EverythingOld:
    """Routes all models to the database under test."""

    def db_for_read(self, model, **hints):
        return ALIAS

    db_for_write = db_for_read


class MessagesApart:
    """Routes the messages to the database under test, and all else to another."""

    def db_for_read(self, model, **hints):
        return ALIAS if model._meta.app_label == "stored_messages" else USERS

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints):
        return True

    def allow_migrate(self, db, app_label, **hints):
        return (db == ALIAS) == (app_label == "stored_messages")


@contextmanager
def added_database(alias, chosen):
    databases = connections.settings
    databases[alias] = chosen
    connections.configure_settings(databases)
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]
        del databases[alias]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, django_db_blocker):
    """A database with nothing in it."""
    if request.param == "sqlite":
        chosen = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "old.sqlite3")}
    else:
        postgres = request.getfixturevalue("postgres")
        chosen = postgres.django_settings(postgres.create_database())
    with django_db_blocker.unblock(), added_database(ALIAS, chosen) as connection:
        yield connection


@pytest.fixture
def old_database(database, settings):
    """A database with users and the tables of 1.4.0, all empty."""
    settings.DATABASE_ROUTERS = [f"{__name__}.EverythingOld"]
    call_command("migrate", "auth", database=ALIAS, verbosity=0)
    tables.create()
    return database


@pytest.fixture
def messages_apart(database, settings, tmp_path):
    """A database for the messages, whose users are in another one."""
    chosen = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "users.sqlite3")}
    with added_database(USERS, chosen):
        settings.DATABASE_ROUTERS = [f"{__name__}.MessagesApart"]
        call_command("migrate", "auth", database=USERS, verbosity=0)
        yield database


@pytest.fixture
def migrate(database):
    """Run `migrate`, to the newest or to a named migration of ours."""

    def migrate(name=None):
        target = ["stored_messages", name] if name else []
        call_command("migrate", *target, database=ALIAS, verbosity=0)

    return migrate
