"""The tabs of one browser: one of them has the socket, and all are live."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import hide, is_live, knows_of, open_sockets, record_sockets
from tests.services.waiting import eventually

SHARING = "/strict/?tabs"


async def tabs_of(site: Site, context: BrowserContext, user: str, count: int) -> list[Bell]:
    """Tabs that are live; the first has the socket."""
    await site.switch_cookie(context, user)
    await record_sockets(context)
    first = await site.tab(context, SHARING)
    await is_live(first.page)
    others = [await site.tab(context, SHARING) for _ in range(count - 1)]
    for bell in others:
        await is_live(bell.page)
    return [first, *others]


async def sockets_of(bells: list[Bell]) -> list[int]:
    return [await open_sockets(bell.page) for bell in bells]


def come_to_have(bells: list[Bell], sockets: int) -> Awaitable[object]:
    async def have() -> bool:
        return sum(await sockets_of(bells)) == sockets

    return eventually(have, f"{sockets} open sockets in {len(bells)} tabs")


async def freeze(page: Page) -> Callable[[], Awaitable[object]]:
    """Stops all that the page does, as browsers do to save energy; returns what undoes it.

    The debugger does it: to Playwright's browser every page is visible, and a visible one cannot be frozen.
    """
    session = await page.context.new_cdp_session(page)
    await session.send("Debugger.enable")
    await session.send("Debugger.pause")
    return lambda: session.send("Debugger.disable")


@pytest.mark.main_path
async def test_they_share_a_socket(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    bells = await tabs_of(site, context, ada, 3)
    assert await sockets_of(bells) == [1, 0, 0]
    await site.tell(ada, "To all tabs", "To all of them")
    for bell in bells:
        await bell.counts(2)
    await bells[2].open()
    await bells[2].tick("To all tabs").click()
    for bell in bells:
        await bell.counts(1)
    assert await sockets_of(bells) == [1, 0, 0]


@pytest.mark.main_path
async def test_the_one_with_the_socket_is_closed(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    first, *others = await tabs_of(site, context, ada, 3)
    await first.page.close()
    await site.tell(ada, "Just then")
    for bell in others:
        await bell.counts(1)
    await come_to_have(others, 1)


@pytest.mark.chromium("its developer tools do it")
async def test_the_one_with_the_socket_crashes(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    first, second = await tabs_of(site, context, ada, 2)
    session = await context.new_cdp_session(first.page)
    async with first.page.expect_event("crash"):
        crash = asyncio.ensure_future(session.send("Page.crash"))
    crash.cancel()  # nobody is left to answer it
    await asyncio.gather(crash, return_exceptions=True)
    await site.tell(ada, "Just then")
    await second.counts(1)
    await come_to_have([second], 1)


@pytest.mark.chromium("its developer tools do it")
async def test_the_one_with_the_socket_is_frozen(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    first, *others = await tabs_of(site, context, ada, 3)
    thaw = await freeze(first.page)
    await site.tell(ada, "Heard by nobody")
    for bell in others:
        await bell.counts(1)
    await come_to_have(others, 1)

    await thaw()
    await first.counts(1)
    await is_live(first.page)
    await come_to_have([first, *others], 1)
    await site.tell(ada, "Heard by all")
    for bell in (first, *others):
        await bell.counts(2)


async def test_a_hidden_one_lets_go(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    page = await context.new_page()
    await page.clock.install()
    await site.switch_cookie(context, ada)
    await record_sockets(context)
    await page.goto(f"{site.url}{SHARING}")
    first = Bell(page)
    await is_live(page)
    second = await site.tab(context, SHARING)
    await is_live(second.page)

    await hide(page)
    await page.clock.run_for("01:05")
    await come_to_have([first], 0)
    await come_to_have([second], 1)
    await is_live(second.page)
    await site.tell(ada, "Heard in the background")
    await second.counts(1)
    await first.counts(1)


@pytest.mark.parametrize(
    ("asked", "sockets"),
    [
        ("tabs&title", 1),
        ("tabs&desktop", 1),
        ("tabs&sound", 1),
        ("title", 2),
        ("tabs&toasts", 0),
    ],
)
async def test_a_hidden_browser_keeps_its_socket_for_what_is_told_there(
    asked: str, sockets: int, site: Site, context: BrowserContext
) -> None:
    """One for all its tabs, where they share it."""
    ada = somebody("ada")
    await site.switch_cookie(context, ada)
    await context.grant_permissions(["notifications"])
    await record_sockets(context)
    bells = []
    for _ in range(2):
        page = await context.new_page()
        await page.clock.install()
        await page.goto(f"{site.url}/strict/?{asked}")
        await is_live(page)
        bells.append(Bell(page))
    for bell in bells:
        await hide(bell.page)
    for bell in bells:
        await bell.page.clock.run_for("01:05")
    # Who has heard nothing for a minute of the clock tries again: a moment passes.
    await come_to_have(bells, sockets)
    if not sockets:
        return
    await site.tell(ada, "In the background")
    for bell in bells:
        await knows_of(bell.page, 1)
    await come_to_have(bells, sockets)
