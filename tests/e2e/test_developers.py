"""What a page's own scripts and styles can do with the bell."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, becomes, is_live

_RECORD_EVENTS = """
globalThis.told = [];
for (const name of [
  "message", "count", "status", "error", "read", "unread", "dismiss",
  "before-read", "before-unread", "before-dismiss", "before-follow",
]) {
  addEventListener(`inbox:${name}`, ({ detail, target, cancelable }) => {
    const { message, messages, unread, status, action } = detail;
    const texts = (messages ?? (message ? [message] : [])).map(({ text }) => text);
    told.push([name, cancelable, ...texts, unread ?? status ?? action].filter((one) => one != null));
  });
}
"""


async def told(page: Page) -> list[list[Any]]:
    """What the page has heard since this was asked last."""
    events: list[list[Any]] = await page.evaluate("told.splice(0)")
    return events


async def hears(page: Page, *event: Any) -> None:
    """Waits until the page has heard of this."""
    await becomes(
        page,
        "(event) => told.some((one) => JSON.stringify(one) === JSON.stringify(event))",
        list(event),
    )


async def test_the_page_hears_of_everything(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", url="/plain/")
    await site.tell(ada, "Two")
    await page.add_init_script(_RECORD_EVENTS)
    bell = await site.sign_in(page, ada)
    await hears(page, "status", False, "live")
    await hears(page, "count", False, 2)
    await told(page)

    await site.tell(ada, "Three")
    await hears(page, "message", False, "Three")
    await hears(page, "count", False, 3)
    await bell.open()
    await told(page)

    await bell.tick("Three").click()
    await hears(page, "read", False, "Three")
    await bell.tab_all.click()
    await bell.untick("Three").click()
    await hears(page, "unread", False, "Three")
    await bell.row("Three").hover()
    await bell.dismiss("Three").click()
    await hears(page, "dismiss", False, "Three")
    names = [name for name, *_ in await told(page) if name != "count"]
    assert names == ["before-read", "read", "before-unread", "unread", "before-dismiss", "dismiss"]

    await bell.mark_all.click()
    await hears(page, "before-read", True, "Two", "One")
    await hears(page, "read", False, "Two", "One")
    await hears(page, "count", False, 0)


async def test_the_page_may_say_no(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Stays", url="/elsewhere/")
    bell = await site.sign_in(page, ada)
    await bell.open()
    traffic = Traffic(page)
    await page.evaluate(
        """for (const name of ["read", "unread", "dismiss", "follow"]) {
          addEventListener(`inbox:before-${name}`, (event) => event.preventDefault());
        }"""
    )
    await bell.tick("Stays").click()
    await bell.mark_all.click()
    await bell.row("Stays").hover()
    await bell.dismiss("Stays").click()
    await bell.row("Stays").get_by_role("link").click()
    await expect(bell.panel).to_be_hidden()
    await bell.counts(1)
    await traffic.settle()
    assert not traffic.actions
    assert page.url == f"{site.url}/"
    assert await site.unread(ada) == ["Stays"]


async def test_a_router_may_follow_the_link(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Look there", url="/elsewhere/")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await page.evaluate(
        """addEventListener("inbox:before-follow", (event) => {
          event.preventDefault();
          history.pushState(null, "", event.detail.messages[0].url);
        })"""
    )
    await bell.row("Look there").get_by_role("link").click()
    await expect(page).to_have_url(f"{site.url}/elsewhere/")
    await bell.counts(0)
    await site.comes_to_hold(ada)


async def test_errors_are_told_and_never_thrown(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One")
    await page.add_init_script(_RECORD_EVENTS)
    bell = await site.sign_in(page, ada)
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    traffic = Traffic(page)
    await bell.open()
    await bell.tick("One").click()
    await hears(page, "error", True, "markRead")
    await traffic.settle()
    assert len([text for text in traffic.complaints if "notification-bell:" in text]) == 1

    # The page may see to them itself: then the console stays quiet.
    await page.evaluate("addEventListener('inbox:error', (event) => event.preventDefault())")
    await page.route("**/archive/*/", lambda route: route.abort())
    traffic.clear()
    await bell.row("One").hover()
    await bell.dismiss("One").click()
    await hears(page, "error", True, "dismiss")
    await traffic.settle()
    assert not [text for text in traffic.complaints if "notification-bell:" in text]


@pytest.mark.chromium("another driver does not tell the texts of errors")
async def test_a_page_draws_the_rows_itself(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Plain")
    await site.tell(ada, "Special", url="/plain/", data={"title": "Title", "price": 3})
    await site.tell(ada, "Broken")
    # Set before the element's class is there.
    await page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          document.querySelector("notification-bell").renderItem = ({ text, data }) => {
            if (text === "Broken") throw new Error("not today");
            if (data.price === undefined) return null;
            const strong = document.createElement("strong");
            strong.textContent = `${text} <b> for ${data.price}`;
            return strong;
          };
        })"""
    )
    await page.route("**/notification-bell.js", lambda route: route.continue_())
    traffic = Traffic(page)
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Broken", "Special <b> for 3", "Plain")
    special = bell.row("Special")
    await expect(special).not_to_contain_text("Title")
    await expect(special.get_by_role("link", name="Special <b> for 3")).to_be_visible()
    await traffic.settle()
    assert any("not today" in text for text in traffic.complaints)
    # The dot of what is unread stands beside the first line.
    off = await special.evaluate(
        """(row) => {
          const dot = getComputedStyle(row, "::before");
          const line = row.querySelector("strong").getClientRects()[0];
          const middle = row.getBoundingClientRect().top + parseFloat(dot.top) + parseFloat(dot.height) / 2;
          return Math.abs(middle - (line.top + line.bottom) / 2);
        }"""
    )
    assert off < 1.5

    await page.evaluate(
        """() => {
          document.querySelector("notification-bell").renderItem = ({ text }) => text.toUpperCase();
        }"""
    )
    # It is for what is drawn from then on.
    await page.keyboard.press("Escape")
    await bell.open()
    await bell.lists("BROKEN", "SPECIAL", "PLAIN")
    await bell.tick("Title").click()
    await bell.lists("BROKEN", "PLAIN")


async def test_slots_for_what_a_page_has_to_say(site: Site, page: Page) -> None:
    await site.sign_in(page, somebody("ada"))
    await is_live(page)
    await page.evaluate(
        """(html) => {
          const bell = document.querySelector("notification-bell");
          bell.insertAdjacentHTML("afterbegin", html);
        }""",
        '<i slot="icon" id="icon">!</i><p slot="empty" id="nothing">Go outside.</p>'
        '<p slot="header" id="head">Quiet hours</p><a slot="footer" id="foot" href="/settings/">Settings</a>',
    )
    bell = Bell(page)
    await expect(page.locator("#icon")).to_be_visible()
    await expect(bell.button.locator("svg")).to_be_hidden()
    await bell.open()
    await expect(page.locator("#nothing")).to_be_visible()
    tops = [
        (await piece.bounding_box() or {})["y"]
        for piece in (
            bell.panel.get_by_role("heading"),
            page.locator("#head"),
            bell.tab_unread,
            page.locator("#nothing"),
            page.locator("#foot"),
            bell.link_of_panel,
        )
    ]
    assert tops == sorted(tops)
    await expect(bell.link_of_panel).to_have_attribute("href", f"{site.url}/messages/")
    await expect(bell.panel.get_by_text("All caught up")).to_be_hidden()


async def test_parts_and_properties_reach_every_piece(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One")
    bell = await site.sign_in(page, ada)
    await page.evaluate(
        """() => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`
            notification-bell { --notification-bell-size: 50px; --notification-bell-width: 300px;
              --notification-bell-badge: rgb(1, 2, 3); }
            notification-bell::part(subject), notification-bell::part(text) { color: rgb(4, 5, 6); }
            notification-bell::part(unread) { background: rgb(7, 8, 9); }
          `);
          document.adoptedStyleSheets = [sheet];
        }"""
    )
    await bell.open()
    await expect(bell.badge).to_have_css("background-color", "rgb(1, 2, 3)")
    await expect(bell.row("One")).to_have_css("background-color", "rgb(7, 8, 9)")
    await expect(bell.row("One").locator("[part=text]")).to_have_css("color", "rgb(4, 5, 6)")
    await expect(bell.panel).to_have_css("width", "300px")
    await expect(bell.button).to_have_css("height", "50px")
    # Nothing in it is out of a page's reach.
    bare = await page.evaluate(
        """() => [...document.querySelector("notification-bell").shadowRoot.querySelectorAll("*")]
          .filter((one) => !one.part.length && !one.matches("svg, path, slot, b, span, i, img, div"))
          .map((one) => one.outerHTML)"""
    )
    assert bare == []


async def test_the_element_opens_and_closes_from_a_script(site: Site, page: Page) -> None:
    bell = await site.sign_in(page, somebody("ada"))
    await is_live(page)
    await page.evaluate("document.querySelector('notification-bell').open = true")
    await expect(bell.panel).to_be_visible()
    await page.evaluate("document.querySelector('notification-bell').open = false")
    await expect(bell.panel).to_be_hidden()
