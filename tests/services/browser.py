"""A browser through Playwright's asynchronous API: Chromium, or with `--browser firefox` Firefox.

One browser serves all tests of a worker, so it lives on an event loop of the whole session;
tests that ask for it are put on that loop (see `pytest_collection_modifyitems`). The synchronous
API would keep a loop of its own running, which neither pytest-asyncio nor Django's ORM abides.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    WebError,
    async_playwright,
    expect,
)

_EXECUTABLES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
_CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TIMEOUT_MS = 90_000

NewContext = Callable[..., Awaitable[BrowserContext]]


def _executable(browser: str) -> str:
    for name in _EXECUTABLES[browser]:
        if found := shutil.which(name):
            return found
    package = _EXECUTABLES[browser][0]
    raise RuntimeError(
        f"{browser.title()} was not found: install {package} (`make test` does on Debian)"
    )


async def _chromium(playwright: Playwright, **options: Any) -> Browser:
    return await playwright.chromium.launch(
        executable_path=_executable("chromium"), args=list(_CHROMIUM_ARGUMENTS), **options
    )


async def _firefox(playwright: Playwright, **options: Any) -> Browser:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return await playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=Path(__file__).with_name("firefox.py"),
        env={**os.environ, "PATH": programs, "FIREFOX": _executable("firefox")},
        **options,
    )


@asynccontextmanager
async def launched(name: str = "chromium", **options: Any) -> AsyncIterator[Browser]:
    """A browser, started with Playwright's `options` and closed at the end."""
    expect.set_options(timeout=_TIMEOUT_MS)
    launch = {"chromium": _chromium, "firefox": _firefox}[name]
    async with async_playwright() as playwright:
        browser = await launch(playwright, timeout=_TIMEOUT_MS, **options)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def browser_name(pytestconfig: pytest.Config) -> str:
    name: str = pytestconfig.getoption("browser")
    return name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(browser_name: str) -> AsyncIterator[Browser]:
    async with launched(browser_name) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser) -> AsyncIterator[NewContext]:
    """Makes browser profiles: one a person. An uncaught error in any page fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    # Firefox's driver reports as an error what the browser itself says of refused sockets and of policies.
    remarks = {"", "Content-Security-Policy"} if browser.browser_type.name == "firefox" else set()

    def note(web_error: WebError) -> None:
        if web_error.error.name not in remarks:
            errors.append(str(web_error.error))

    async def create(**options: object) -> BrowserContext:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(_TIMEOUT_MS)
        context.on("weberror", note)
        contexts.append(context)
        return context

    yield create
    for context in contexts:
        await context.close()
    assert not errors, f"uncaught in a page: {errors}"


@pytest_asyncio.fixture(loop_scope="session")
async def context(new_context: NewContext) -> BrowserContext:
    return await new_context()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--browser", choices=sorted(_EXECUTABLES), default="chromium")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "main_path: the first to be tried in another browser")
    config.addinivalue_line("markers", "chromium(reason): cannot be tried in another browser")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker("xdist_group") is None:
                # One worker for all of them: two browsers would only slow each other down.
                item.add_marker(pytest.mark.xdist_group("browser"))
            chromium = item.get_closest_marker("chromium")
            if chromium and config.getoption("browser") != "chromium":
                item.add_marker(pytest.mark.skip(reason=f"only in Chromium: {chromium.args[0]}"))
