"""The tests' own project on a PostgreSQL of its own, empty and migrated."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django

from tests.services.postgresql import PostgreSQL, running_postgresql


@contextmanager
def project_on_postgresql() -> Iterator[PostgreSQL]:
    """Set Django up; what imports models can be imported from here on."""
    with running_postgresql() as server:
        os.environ["TEST_DATABASE_URL"] = server.url(server.create_database())
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.project.settings"
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        try:
            call_command("migrate", verbosity=0)
            yield server
        finally:
            connections.close_all()
