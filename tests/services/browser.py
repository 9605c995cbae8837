"""Chromium through Playwright's asynchronous API.

One browser serves all tests of a worker, so it lives on an event loop of the whole session;
tests that ask for it are put on that loop (see `pytest_collection_modifyitems`). The synchronous
API would keep a loop of its own running, which neither pytest-asyncio nor Django's ORM abides.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TIMEOUT_MS = 30_000

NewContext = Callable[..., Awaitable[BrowserContext]]


def _executable() -> str:
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise RuntimeError("Chromium was not found: install chromium (`make test` does on Debian)")


@asynccontextmanager
async def launched(**options: Any) -> AsyncIterator[Browser]:
    """A browser, started with Playwright's `options` and closed at the end."""
    expect.set_options(timeout=_TIMEOUT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_executable(), args=list(_ARGUMENTS), **options
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser) -> AsyncIterator[NewContext]:
    """Makes browser profiles: one a person. An uncaught error in any page fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def create(**options: object) -> BrowserContext:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(_TIMEOUT_MS)
        context.on("weberror", lambda web_error: errors.append(str(web_error.error)))
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker("xdist_group") is None:
                # One worker for all of them: two browsers would only slow each other down.
                item.add_marker(pytest.mark.xdist_group("browser"))
