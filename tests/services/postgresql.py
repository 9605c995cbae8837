"""A PostgreSQL cluster of the tests' own, in a temporary directory.

Run as a program it gives any command a database: `python -m tests.services.postgresql pytest …`
runs the command with `TEST_DATABASE_URL` set, and the tests' own database is then there.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.services.processes import HOST, ListeningProcess, find_program, free_port

_PACKAGE = "postgresql"
_USER = "postgres"


def _program(name: str) -> str:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    return find_program(name, package=_PACKAGE, also_in=newest_first)


def _account() -> str | None:
    """Who runs it: PostgreSQL refuses to run as root."""
    return _USER if os.geteuid() == 0 else None


class PostgreSQL(ListeningProcess):
    def __init__(self, directory: Path) -> None:
        port = free_port()
        command = [
            _program("postgres"),
            *("-D", str(directory / "data"), "-p", str(port), "-h", HOST, "-k", str(directory)),
            # Nothing here has to survive a power cut.
            *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
            # Who needs statistics makes them, and nobody else's vacuum is in the way then.
            *("-c", "autovacuum=off", "-c", "max_connections=200"),
        ]
        super().__init__(
            "PostgreSQL",
            command,
            port=port,
            log=directory / "postgresql.log",
            cwd=directory,
            user=_account(),
            # Fast shutdown: does not wait for clients to leave.
            stop_signal=signal.SIGINT,
        )
        self._create_cluster(directory)

    def ready(self) -> bool:
        # It listens a moment before it lets anybody in.
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{_USER}@{HOST}:{self.port}/{database}"

    def create_database(self) -> str:
        """Creates an empty database and returns its name."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return name

    def django_settings(self, database: str) -> dict[str, Any]:
        """The entry for `DATABASES`."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": HOST,
            "PORT": self.port,
            "USER": _USER,
            "NAME": database,
        }

    @staticmethod
    def _create_cluster(directory: Path) -> None:
        command = [
            _program("initdb"),
            *("-D", str(directory / "data"), "-U", _USER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
        ]
        account = _account()
        if account is not None:
            shutil.chown(directory, pwd.getpwnam(account).pw_uid)
        done = subprocess.run(
            command, user=account, cwd=directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    # Not below pytest's own directories: PostgreSQL's account could not enter them.
    with tempfile.TemporaryDirectory(prefix="stored-messages-postgresql-") as directory:
        server = PostgreSQL(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One cluster for all tests of a worker; `create_database()` gives each its own room."""
    with running_postgresql() as server:
        yield server


def _run(command: list[str]) -> int:
    with running_postgresql() as server:
        env = {**os.environ, "TEST_DATABASE_URL": server.url()}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
