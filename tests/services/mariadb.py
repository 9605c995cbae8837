"""A MariaDB server of the tests' own, in a temporary directory: `make mariadb`.

`python -m tests.services.mariadb pytest …` runs the command with `TEST_DATABASE_URL` set.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.processes import HOST, ListeningProcess, find_program, free_port

_PACKAGE = "mariadb-server-core"
_ALSO_IN = (Path("/usr/sbin"),)


class MariaDB(ListeningProcess):
    def __init__(self, directory: Path) -> None:
        port = free_port()
        # Nobody else's configuration.
        common = ["--no-defaults", f"--datadir={directory / 'data'}"]
        if os.geteuid() == 0:
            common.append("--user=root")
        _install(common)
        command = [
            find_program("mariadbd", package=_PACKAGE, also_in=_ALSO_IN),
            *common,
            *(f"--port={port}", f"--bind-address={HOST}", f"--socket={directory / 'mariadb.sock'}"),
            # Anybody on this machine may do anything, and nothing here has to survive a power cut.
            *("--skip-grant-tables", "--skip-networking=0", "--innodb-flush-log-at-trx-commit=0"),
            *("--character-set-server=utf8mb4", f"--init-file={directory / 'init.sql'}"),
        ]
        (directory / "init.sql").write_text("CREATE DATABASE project;")
        super().__init__("MariaDB", command, port=port, log=directory / "mariadb.log")

    @property
    def url(self) -> str:
        return f"mysql://root@{HOST}:{self.port}/project"


def _install(common: list[str]) -> None:
    program = find_program("mariadb-install-db", package=_PACKAGE)
    command = [program, *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")


@contextmanager
def running_mariadb() -> Iterator[MariaDB]:
    with tempfile.TemporaryDirectory(prefix="stored-messages-mariadb-") as directory:
        server = MariaDB(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _run(command: list[str]) -> int:
    with running_mariadb() as server:
        env = {**os.environ, "TEST_DATABASE_URL": server.url}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
