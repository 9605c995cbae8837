"""Pages that come back out of the browser's back/forward cache.

Playwright switches Chromium's off; the browser of this module has it, as everybody's does.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.bell import Bell
from tests.e2e.conftest import StartSite
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, becomes, is_live, open_sockets, record_sockets
from tests.services.browser import launched

# Whether the page was kept, and what it shows when the first frame after its return is painted.
_RECORD_RETURN = """
addEventListener("pageshow", ({ persisted }) => {
  const bell = document.querySelector("notification-bell");
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    globalThis.returned = { persisted, shown: bell.shadowRoot.textContent };
  };
  if (bell) requestAnimationFrame(() => port2.postMessage("painted"));
});
"""


live = pytest.mark.chromium("Firefox keeps no page that has a socket, or waits for another tab's")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(browser_name: str) -> AsyncIterator[Browser]:
    switch = {"ignore_default_args": ["--disable-back-forward-cache"]}
    async with launched(browser_name, **(switch if browser_name == "chromium" else {})) as browser:
        yield browser


async def go_back(page: Page) -> str:
    """Goes back to a page that was kept; returns what its first frame shows."""
    # Nothing is loaded, so there is no loading to wait for.
    await page.evaluate("setTimeout(() => history.back())")
    returned: dict[str, Any] = await becomes(
        page, "globalThis.returned?.persisted && globalThis.returned"
    )
    return str(returned["shown"])


@live
async def test_the_bell_catches_up(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await page.add_init_script(_RECORD_RETURN)
    await record_sockets(page)
    await site.tell(ada, "Before")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.counts(1)
    await page.goto(f"{site.url}/plain/")
    await site.tell(ada, "While it was away")
    traffic = Traffic(page)
    await go_back(page)
    await bell.counts(2)
    await is_live(page)
    await bell.open()
    await bell.lists("While it was away", "Before")
    await traffic.settle()
    assert len(traffic.lists) == 1
    assert await open_sockets(page) == 1
    await site.tell(ada, "Live again")
    await bell.lists("Live again", "While it was away", "Before")


@live
async def test_following_a_link_and_coming_back(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.add_init_script(_RECORD_RETURN)
    await site.tell(ada, "Look there", url="/plain/")
    await site.tell(ada, "Stays")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.row("Look there").get_by_role("link").click()
    await expect(page).to_have_url(f"{site.url}/plain/")
    await go_back(page)
    await bell.counts(1)
    await bell.open()
    await bell.lists("Stays")


@live
async def test_nothing_of_the_first_user_comes_back(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await page.add_init_script(_RECORD_RETURN)
    await site.tell([ada, ben], "To both of you")
    await site.tell(ada, "Secret")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Secret", "To both of you")
    await page.goto(f"{site.url}/plain/")
    bens = await site.sign_in(await page.context.new_page(), ben)
    await bens.counts(1)

    shown = await go_back(page)
    assert "Secret" not in shown
    assert "To both of you" not in shown
    await bell.counts(1)
    await is_live(page)
    await expect(page.get_by_text("Secret")).to_have_count(0)
    # It is a page of the second user now, and acts as such.
    if not await bell.panel.is_visible():
        await bell.open()
    await bell.lists("To both of you")
    await bell.tick("To both of you").click()
    await bens.counts(0)
    assert await site.unread(ada) == ["Secret", "To both of you"]
    assert await site.unread(ben) == []


@live
async def test_nor_when_no_other_page_told(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await page.add_init_script(_RECORD_RETURN)
    await site.tell([ada, ben], "To both of you")
    await site.tell(ada, "Secret")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Secret", "To both of you")
    await page.goto(f"{site.url}/plain/")
    await site.switch_cookie(page.context, ben)
    await go_back(page)
    await bell.counts(1)
    await expect(page.get_by_text("Secret")).to_have_count(0)
    assert await site.unread(ada) == ["Secret", "To both of you"]


@live
async def test_who_signed_out_meanwhile_is_signed_out(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.add_init_script(_RECORD_RETURN)
    await site.tell(ada, "Secret")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Secret")
    await page.goto(f"{site.url}/plain/")
    other = await site.tab(page.context)
    await is_live(other.page)
    await other.page.get_by_role("button", name="Sign out").click()
    await other.page.wait_for_load_state()
    await go_back(page)
    await bell.is_signed_out()
    await expect(page.get_by_text("Secret")).to_have_count(0)


@live
async def test_another_tab_has_the_socket_meanwhile(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    await record_sockets(context)
    page = await context.new_page()
    await page.add_init_script(_RECORD_RETURN)
    first = await site.sign_in(page, ada)
    await page.goto(f"{site.url}/bare/?tabs")
    await is_live(page)
    second = await site.tab(context, "/bare/?tabs")
    await is_live(second.page)
    assert await open_sockets(second.page) == 0

    await page.goto(f"{site.url}/plain/")
    await site.tell(ada, "While it was away")
    await second.counts(1)
    assert await open_sockets(second.page) == 1
    await go_back(page)
    await first.counts(1)
    await is_live(page)
    assert await open_sockets(page) == 0
    await site.tell(ada, "Heard by both")
    for bell in (first, second):
        await bell.counts(2)


@live
async def test_what_it_does_besides_keeps_no_page_out(site: Site, page: Page) -> None:
    """Locks and an open device would; the page is in view again, and tells what arrives."""
    ada = somebody("ada")
    await page.add_init_script(_RECORD_RETURN)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/extras/")
    await is_live(page)
    bell = Bell(page)
    await site.tell(ada, "Heard")
    await expect(bell.toasts).to_contain_text("Heard")
    await page.goto(f"{site.url}/plain/")
    await site.tell(ada, "While it was away")
    await go_back(page)
    await bell.counts(2)
    await becomes(
        page,
        """navigator.locks.query().then(({ held }) =>
          held.some(({ name }) => name === "stored_messages:in-view"))""",
    )
    await is_live(page)
    await site.tell(ada, "Live again")
    await expect(bell.toasts.filter(has_text="Live again")).to_be_visible()


@pytest.mark.main_path
async def test_one_that_polls_catches_up(start_site: StartSite, page: Page) -> None:
    site = start_site("wsgi", ASGI_APPLICATION=None)
    ada = somebody("ada")
    await page.add_init_script(_RECORD_RETURN)
    await site.tell(ada, "Before")
    bell = await site.sign_in(page, ada)
    # Of two tabs that tell each other what is done.
    await page.goto(f"{site.url}/bare/?tabs")
    other = await site.tab(page.context, "/bare/?tabs")
    await bell.counts(1)
    await page.goto(f"{site.url}/plain/")
    await site.tell(ada, "While it was away")
    await go_back(page)
    # Firefox's driver goes on waiting for a page to load: it finds nothing in this one.
    shows = """(count) => document.querySelector("notification-bell").shadowRoot
      .querySelector("[part=badge]").textContent === count"""
    await becomes(page, shows, "2")
    await other.open()
    await other.tick("Before").click()
    await becomes(page, shows, "1")
