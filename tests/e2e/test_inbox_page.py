"""The page with all notifications, in its own frame: without JavaScript, and for everybody."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from stored_messages import STORED_DEBUG, STORED_ERROR, STORED_SUCCESS, STORED_WARNING
from tests.e2e.site import Site, somebody
from tests.services.browser import NewContext
from tests.services.packages import npm_package

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN_AXE = """(tags) => axe.run(document, { runOnly: tags }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, nodes.map((one) => one.failureSummary + one.html)]))"""
_WIDE = "[...document.querySelectorAll('*')].filter((one) => one.scrollWidth > innerWidth).length"


async def sent_of_all_kinds(site: Site, username: str) -> None:
    about = {"title": "Pins drift", "actor": "Mira"}
    await site.tell(username, "Seen it too", url="/plain/", data=about)
    await site.tell(username, "x" * 200, level=STORED_DEBUG, data={"icon": "🚲"})
    await site.tell(username, "All imported", level=STORED_SUCCESS, url="/plain/")
    await site.tell(username, "Tonight at 22:00", level=STORED_WARNING, data={"title": "Release"})
    await site.tell(username, "Disk full", level=STORED_ERROR, url="/plain/")


@pytest.mark.chromium("others cannot be without JavaScript")
async def test_without_javascript(site: Site, new_context: NewContext) -> None:
    page = await (await new_context(java_script_enabled=False)).new_page()
    ada = somebody("ada")
    await site.tell(ada, "leads on", url="/plain/")
    await site.tell(ada, "stays here")
    await site.sign_in(page, ada)
    await page.get_by_role("link", name="Notifications").click()
    stays = page.get_by_role("listitem").filter(has_text="stays here")
    await stays.get_by_role("button", name="Mark as read").click()
    await expect(stays).to_have_count(0)
    # The row as a whole is what can be pressed.
    await page.get_by_text("leads on").click(force=True)
    await expect(page).to_have_url(f"{site.url}/plain/")
    assert await site.unread(ada) == []
    await page.goto(f"{site.url}/messages/")
    await expect(page.get_by_text("All caught up")).to_be_visible()


async def test_axe_finds_nothing_in_any_look(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.add_init_script(npm_package("axe-core", "axe.min.js"))
    await site.sign_in(page, ada)
    found: dict[str, list[Any]] = {}

    async def look(name: str) -> None:
        found[name] = await page.evaluate(_RUN_AXE, _TAGS)

    await page.goto(f"{site.url}/messages/?all=1")
    await look("empty")
    await sent_of_all_kinds(site, ada)
    await page.reload()
    first = page.get_by_role("listitem").first
    await first.get_by_role("button", name="Mark as read").click()
    await expect(first.get_by_role("button", name="Mark as unread")).to_be_visible()
    await look("light")
    await page.emulate_media(color_scheme="dark")
    await look("dark")
    await page.emulate_media(forced_colors="active")
    await look("forced colours")
    await page.emulate_media(forced_colors="none")
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await look("right to left")
    await page.set_viewport_size({"width": 320, "height": 640})
    await look("narrow")
    assert {name: complaints for name, complaints in found.items() if complaints} == {}
    assert await page.evaluate(_WIDE) == 0
    small = await page.evaluate(
        """[...document.querySelectorAll("a, button")].map((one) => one.getBoundingClientRect())
          .filter(({ width, height }) => width < 24 || height < 24).length"""
    )
    assert small == 0
