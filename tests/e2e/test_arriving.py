"""A message on its way to the eye: live, whole, and as text."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from stored_messages.constants import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
)
from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, is_live
from tests.inbox_ui.signs import NOT_ONE_SIGN, ONE_SIGN
from tests.services.browser import NewContext

MARKUP = "<b>Bold</b> <img src=x onerror='document.title = \"owned\"'> & <script>alert(1)</script>"


async def test_what_one_person_sends_counts_up_at_another(
    site: Site, page: Page, new_context: NewContext
) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    adas = await site.sign_in(page, ada)
    await adas.counts(0)
    await is_live(page)
    await page.evaluate("globalThis.isTheSamePage = true")

    bens_page = await (await new_context()).new_page()
    bens = await site.sign_in(bens_page, ben)
    for number in (1, 2):
        await bens_page.fill("[name=text]", f"Hello {number}")
        await bens_page.fill("[name=to]", ada)
        await bens_page.get_by_role("button", name="Send").click()
        await adas.counts(number)
    await bens.counts(0)
    assert await page.evaluate("globalThis.isTheSamePage")


async def test_what_is_added_by_a_request_arrives_with_its_page(site: Site, page: Page) -> None:
    bell = await site.sign_in(page, somebody("ada"))
    await page.fill("[name=text]", "A note to myself")
    await page.get_by_role("button", name="Send").click()
    await bell.counts(1)
    await bell.open()
    await bell.lists("A note to myself")


async def test_the_open_panel_shows_level_text_time_and_link(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await expect(bell.panel).to_contain_text("All caught up")
    data = {"title": "Map pins drift", "actor": "Ben"}
    await site.tell(
        ada, "Closed #7", level=STORED_WARNING, url="/plain/?issue=7#comment-2", data=data
    )
    row = bell.row("Map pins drift")
    await expect(row).to_be_visible()
    await expect(row).to_contain_text("Closed #7")
    await expect(row).to_contain_text("Ben")
    await expect(row.get_by_role("img", name="Warning")).to_be_visible()
    link = row.get_by_role("link", name=re.compile("Map pins drift"))
    assert await link.evaluate("(link) => link.href") == f"{site.url}/plain/?issue=7#comment-2"
    time = row.get_by_role("time")
    await expect(time).to_have_text("now")
    await expect(time).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT.*Z$"))
    await expect(time).to_have_attribute("title", re.compile(r"\d{4}"))
    await bell.counts(1)


async def test_every_level_has_a_look_of_its_own(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await bell.open()
    levels = [STORED_DEBUG, STORED_INFO, STORED_SUCCESS, STORED_WARNING, STORED_ERROR]
    for level in levels:
        await site.tell(ada, f"Level {level}", level=level)
    await expect(bell.rows).to_have_count(len(levels))
    signs = page.locator("notification-bell [part=level]")
    looks = await signs.evaluate_all(
        """(signs) => signs.map((sign) => getComputedStyle(sign).color + sign.innerHTML)"""
    )
    assert len(set(looks)) == len(levels)
    for level, name in (
        (STORED_SUCCESS, "Success"),
        (STORED_WARNING, "Warning"),
        (STORED_ERROR, "Error"),
    ):
        row = bell.row(f"Level {level}")
        await expect(row.get_by_role("img", name=name)).to_be_visible()


async def test_an_icon_of_its_own_and_the_level_all_the_same(site: Site, page: Page) -> None:
    ada = somebody("ada")
    icons = [*ONE_SIGN, *NOT_ONE_SIGN, "/favicon.ico"]
    for icon in icons:
        await site.tell(ada, "One", level=STORED_WARNING, data={"icon": icon})
    bell = await site.sign_in(page, ada)
    await bell.open()
    await expect(bell.rows).to_have_count(len(icons))
    shown = await page.locator("notification-bell [part=level]").evaluate_all(
        "(signs) => signs.map((sign) => sign.textContent || sign.firstChild.localName).reverse()"
    )
    assert shown == [*ONE_SIGN, *["svg"] * len(NOT_ONE_SIGN), "img"]
    await expect(bell.rows.get_by_role("img", name="Warning")).to_have_count(len(icons))


async def test_what_says_nothing_can_be_named_all_the_same(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await site.tell(ada, " ", data={"title": "  "})
    status = page.locator("notification-bell").get_by_role("status")
    await expect(status).to_have_text("1 new notification")
    await bell.open()
    await expect(bell.panel.get_by_role("button", name="Mark as read", exact=True)).to_be_visible()
    await site.tell(ada, " ", data={"actor": "Ben"})
    await expect(bell.tick("Ben")).to_be_visible()


@pytest.mark.parametrize("safe", [False, True])
async def test_html_is_shown_as_text(safe: bool, site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    title = await page.title()
    await bell.open()
    await site.tell(ada, MARKUP, safe=safe, data={"title": "<i>Title</i>", "actor": "<u>Ben</u>"})
    row = bell.row("<i>Title</i>")
    await expect(row).to_contain_text("<u>Ben</u>")
    if safe:
        # What the sender marked safe was meant as HTML; the bell shows what it says.
        await expect(row).to_contain_text("Bold")
        await expect(row).not_to_contain_text("<b>")
    else:
        await expect(row).to_contain_text(MARKUP)
    await expect(row.locator("b, i, u, img, script")).to_have_count(0)
    assert await page.title() == title


async def test_newest_first_and_the_time_stays_current(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.clock.install()
    bell = await site.sign_in(page, ada)
    await bell.open()
    await site.tell(ada, "First")
    await site.tell(ada, "Second")
    await bell.lists("Second", "First")
    time = bell.row("First").get_by_role("time")
    await expect(time).to_have_text("now")
    await page.clock.fast_forward("05:00")
    await expect(time).to_have_text(re.compile("^[5-9] minutes ago$"))


async def test_an_arrival_is_announced(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.sign_in(page, ada)
    await is_live(page)
    await site.tell(ada, "The build is green")
    status = page.locator("notification-bell").get_by_role("status")
    await expect(status).to_have_text("New notification: The build is green")


@pytest.mark.chromium("another driver tells of no sockets")
async def test_one_list_and_one_socket_per_page_view(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(7)))
    await site.sign_in(page, ada)
    # A socket is told of when it shakes hands: that of this page must not be taken for the next one's.
    await is_live(page)
    traffic = Traffic(page)
    for _ in range(2):
        traffic.clear()
        await page.goto(f"{site.url}/")
        bell = Bell(page)
        await bell.counts(7)
        await is_live(page)
        await bell.open()
        await expect(bell.rows).to_have_count(7)
        await traffic.settle()
        assert len(traffic.lists) == 1
        assert len(traffic.sockets) == 1
        assert not traffic.complaints


@pytest.mark.chromium("others cannot be without JavaScript")
async def test_the_page_without_javascript_has_a_link(site: Site, new_context: NewContext) -> None:
    context = await new_context(java_script_enabled=False)
    ada = somebody("ada")
    await site.tell(ada, "Patience")
    page = await context.new_page()
    await site.sign_in(page, ada)
    await page.get_by_role("link", name="Notifications").click()
    assert urlsplit(page.url).path == "/messages/"
    await expect(page.get_by_text("Patience")).to_be_visible()


async def test_several_tabs_agree(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bells = [await site.sign_in(page, ada)]
    bells += [await site.tab(page.context), await site.tab(page.context, "/bare/")]
    await site.tell(ada, "To all of them")
    for bell in bells:
        await bell.counts(1)
    assert await site.unread(ada) == ["To all of them"]
