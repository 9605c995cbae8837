"""A real PostgreSQL behind the database backend, and people who do things at the same time."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from stored_messages import get_backend

ALIAS = "crowded"


class ToPostgreSQL:
    """Routes all models to the database under test."""

    def db_for_read(self, model, **hints):
        return ALIAS

    db_for_write = db_for_read


@pytest.fixture(scope="session")
def migrated(postgres, django_db_blocker):
    """A database with all tables, once for all tests."""
    databases = connections.settings
    databases[ALIAS] = postgres.django_settings(postgres.create_database())
    connections.configure_settings(databases)
    with django_db_blocker.unblock():
        call_command("migrate", database=ALIAS, verbosity=0)
        connections[ALIAS].close()
    settings_of_it = databases.pop(ALIAS)
    del connections[ALIAS]
    return settings_of_it


@pytest.fixture
def backend(migrated, settings, django_db_blocker):
    """The database backend on PostgreSQL; transactions are real."""
    connections.settings[ALIAS] = migrated
    settings.DATABASE_ROUTERS = [f"{__name__}.ToPostgreSQL"]
    with django_db_blocker.unblock():
        try:
            yield get_backend()
            get_backend()._flush()
            User.objects.all().delete()
        finally:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.settings[ALIAS]


@pytest.fixture
def crowd(backend):
    """Create users, who joined a day ago."""

    def create(number):
        joined = timezone.now() - timedelta(days=1)
        return User.objects.bulk_create(
            User(username=f"user{i}", date_joined=joined) for i in range(number)
        )

    return create


@pytest.fixture
def ada(crowd):
    return crowd(1)[0]


@pytest.fixture
def small_batches(monkeypatch):
    """As with thousands of recipients, with a few."""
    monkeypatch.setattr("stored_messages.owners.BATCH_SIZE", 4)
