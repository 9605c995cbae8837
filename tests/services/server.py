"""Django projects as processes: their web servers, and `manage.py` beside them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

import pytest

from tests.services.processes import HOST, ListeningProcess, free_port

ROOT = Path(__file__).resolve().parents[2]

Kind = Literal["daphne", "granian", "uvicorn", "wsgi"]


@dataclass(frozen=True)
class Project:
    """A Django project as a process of its own sees it."""

    directory: Path
    settings: str
    asgi: str = "realtime.asgi:application"
    wsgi: str = "tests.project.wsgi"
    python: str = sys.executable
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": self.settings,
            "PYTHONPATH": str(self.directory),
            "PYTHONUNBUFFERED": "1",
            **self.env,
        }

    def with_env(self, **env: str) -> "Project":
        return replace(self, env={**self.env, **env})

    def manage(self, *arguments: str) -> str:
        """Runs a management command in a process of its own and returns what it prints."""
        done = subprocess.run(
            [self.python, "-m", "django", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, code: str) -> str:
        """Runs Python code inside the project, as `manage.py shell -c` does."""
        return self.manage("shell", "-c", code)


class Server(ListeningProcess):
    """A real web server of a project; it keeps its port over restarts."""

    def __init__(self, project: Project, kind: Kind, log: Path, root_path: str = "") -> None:
        self.project = project
        self.root_path = root_path
        port = free_port()
        super().__init__(
            f"{kind} on port {port}",
            _command(project, kind, port, root_path),
            port=port,
            log=log,
            env=project.environment,
            cwd=project.directory,
        )

    @property
    def url(self) -> str:
        """Where the site begins; without a slash at the end."""
        return f"http://{HOST}:{self.port}{self.root_path}"

    @property
    def other_url(self) -> str:
        """The same site under another host name: a browser keeps other cookies for it."""
        return f"http://localhost:{self.port}{self.root_path}"

    @property
    def socket_url(self) -> str:
        return f"ws://{HOST}:{self.port}{self.root_path}/ws/inbox/"


def _command(project: Project, kind: Kind, port: int, root_path: str) -> list[str]:
    python, at, here = project.python, str(port), Path(__file__).parent
    if kind == "daphne":
        options = ["--root-path", root_path] if root_path else []
        return [python, "-m", "daphne", "-b", HOST, "-p", at, *options, project.asgi]
    if kind == "uvicorn":
        options = ["--root-path", root_path] if root_path else []
        return [python, "-m", "uvicorn", "--host", HOST, "--port", at, *options, project.asgi]
    if kind == "granian":
        return [python, str(here / "granian_server.py"), project.asgi, HOST, at]
    program = here / "wsgi_server.py"
    return [python, str(program), project.wsgi, HOST, at, root_path]


class Serve(Protocol):
    """`serve("wsgi")`, `serve(root_path="/site")`, `serve(CHANNEL_REDIS=url)`: starts a server."""

    def __call__(
        self,
        kind: Kind = "daphne",
        *,
        project: Project | None = None,
        root_path: str = "",
        **env: str,
    ) -> Server: ...


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the test project, made once and copied for each test."""
    path = tmp_path_factory.mktemp("database") / "template.sqlite3"
    Project(ROOT, "tests.project.settings", env={"PROJECT_DATABASE": str(path)}).manage(
        "migrate", "--verbosity=0"
    )
    return path


@pytest.fixture
def project(migrated_database: Path, tmp_path: Path) -> Project:
    """The test project with an SQLite file of its own."""
    database = tmp_path / "project.sqlite3"
    shutil.copy(migrated_database, database)
    return Project(ROOT, "tests.project.settings", env={"PROJECT_DATABASE": str(database)})


servers_key = pytest.StashKey[list[Server]]()


@pytest.fixture
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serve]:
    """Starts any number of real servers; all stop with the test, and a failure shows their logs."""
    servers = request.node.stash.setdefault(servers_key, [])

    def start(
        kind: Kind = "daphne",
        *,
        project: Project | None = None,
        root_path: str = "",
        **env: str,
    ) -> Server:
        chosen = project or request.getfixturevalue("project")
        log = tmp_path / f"server-{len(servers)}.log"
        server = Server(chosen.with_env(**env), kind, log, root_path)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve: Serve) -> Server:
    """The test project behind Daphne."""
    return serve()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for server in item.stash.get(servers_key, []):
            report.sections.append((f"Log of {server.name}", server.log))
    return report
