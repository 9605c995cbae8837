"""Sites to visit and people to be. What a page looked like when its test failed is kept."""

import json
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext
from playwright.async_api import Error as BrowserError

from tests.e2e.site import SETTINGS, Site
from tests.services.browser import NewContext
from tests.services.server import ROOT, Kind, Project, Serve, Server, servers_key

#: Seconds between two comparisons of the site that all tests share.
RECONCILE_INTERVAL = 2

failed_key = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[failed_key] = True
    return report


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(
    new_context: NewContext, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[NewContext]:
    """Makes browser profiles; a failure leaves pictures of all their pages in `tmp_path`."""
    contexts: list[BrowserContext] = []

    async def create(**options: object) -> BrowserContext:
        context = await new_context(**options)
        contexts.append(context)
        return context

    yield create
    if request.node.stash.get(failed_key, False):
        await photograph(contexts, tmp_path)


async def photograph(contexts: list[BrowserContext], directory: Path) -> None:
    pages = [page for context in contexts for page in context.pages]
    for number, page in enumerate(pages):
        # One that hangs must not hide the failure.
        with suppress(BrowserError):
            await page.screenshot(path=directory / f"page-{number}.png", timeout=5_000)


@pytest.fixture
def project(project: Project) -> Project:
    """The test project with the pages of these tests, and an SQLite file of its own."""
    return replace(project, settings=SETTINGS)


@contextmanager
def running_server(database: Path, directory: Path, reconcile_interval: int) -> Iterator[Server]:
    copy = shutil.copy(database, directory / "project.sqlite3")
    settings = json.dumps({"REALTIME": {"RECONCILE_INTERVAL": reconcile_interval}})
    env = {"PROJECT_DATABASE": str(copy), "PROJECT_SETTINGS": settings}
    server = Server(Project(ROOT, SETTINGS, env=env), "daphne", directory / "server.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_server(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("site")
    with running_server(migrated_database, directory, RECONCILE_INTERVAL) as server:
        yield server


@pytest.fixture(scope="session")
def calm_server(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("calm-site")
    with running_server(migrated_database, directory, 3600) as server:
        yield server


@pytest.fixture
def site(shared_server: Server, request: pytest.FixtureRequest) -> Site:
    """A site behind Daphne that all tests share: each brings users of its own."""
    request.node.stash.setdefault(servers_key, []).append(shared_server)
    return Site(shared_server)


@pytest.fixture
def calm_site(calm_server: Server, request: pytest.FixtureRequest) -> Site:
    """Another one, whose server compares nothing within these tests and never says that it is there.

    For tests that count what a page asks for: a comparison that falls between a change and the word of it may be
    answered by a list. And for those in which minutes pass at a time, after which a page gives up a silent socket.
    """
    request.node.stash.setdefault(servers_key, []).append(calm_server)
    return Site(calm_server)


class StartSite(Protocol):
    """`start_site("wsgi", CSRF_USE_SESSIONS=True)`: a server of the test's own, with settings."""

    def __call__(self, kind: Kind = "daphne", **settings: Any) -> Site: ...


@pytest.fixture
def start_site(serve: Serve) -> StartSite:
    def start(kind: Kind = "daphne", **settings: Any) -> Site:
        return Site(serve(kind, PROJECT_SETTINGS=json.dumps(settings)))

    return start
