"""What the panel lists, and what a person does to it besides reading."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import (
    Traffic,
    becomes,
    has_listed,
    is_live,
    silence_sockets,
    stop_the_clock,
)
from tests.services.browser import NewContext
from tests.services.waiting import eventually


async def test_all_lists_what_is_read_as_well(
    calm_site: Site, page: Page, new_context: NewContext
) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "Oldest", "Middle", "Newest")
    bell = await site.sign_in(page, ada)
    elsewhere = await site.sign_in(await (await new_context()).new_page(), ada)
    await is_live(page)
    await bell.open()
    await bell.tick("Middle").click()
    await bell.lists("Newest", "Oldest")
    traffic = Traffic(page)
    await bell.tab_all.click()
    await expect(bell.tab_all).to_have_attribute("aria-selected", "true")
    await bell.lists("Newest", "Middle", "Oldest")
    await expect(bell.untick("Middle")).to_be_visible()

    # What another device does shows here, and the other way round.
    await elsewhere.open()
    await elsewhere.tick("Newest").click()
    await page.bring_to_front()
    await expect(bell.untick("Newest")).to_be_visible()
    await bell.counts(1)
    await bell.untick("Middle").click()
    await expect(bell.tick("Middle")).to_be_visible()
    for one in (bell, elsewhere):
        await one.counts(2)
    await site.comes_to_hold(ada, "Middle", "Oldest")
    await site.tell(ada, "Just arrived")
    await bell.counts(3)

    await bell.tab_unread.click()
    await bell.lists("Just arrived", "Middle", "Oldest")
    await traffic.settle()
    archives = [one for one in traffic.requests if "/messages/archive/" in one.url]
    assert len(archives) == 1


async def test_it_opens_with_what_is_unread(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "One")
    bell = await site.sign_in(page, ada)
    traffic = Traffic(page)
    await bell.open()
    await bell.tab_all.click()
    await bell.lists("One")
    await page.keyboard.press("Escape")
    await expect(bell.panel).to_be_hidden()
    await bell.open()
    await expect(bell.tab_unread).to_have_attribute("aria-selected", "true")
    # Nobody looks at the list of everything: it asks for nothing any more.
    await site.tell(ada, "Two")
    await bell.lists("Two", "One")
    await traffic.settle()
    assert len([one for one in traffic.requests if "/messages/archive/" in one.url]) == 1


async def test_dismissing_removes_it_everywhere(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Stays", "Goes", "Stays too")
    one = await site.sign_in(page, ada)
    other = await site.tab(page.context)
    await is_live(other.page)
    await other.open()
    await other.tab_all.click()
    await other.lists("Stays too", "Goes", "Stays")
    await one.open()
    await one.row("Goes").hover()
    await one.dismiss("Goes").click()
    await one.lists("Stays too", "Stays")
    await other.lists("Stays too", "Stays")
    for bell in (one, other):
        await bell.counts(2)
    await site.comes_to_hold(ada, "Stays too", "Stays")
    await page.reload()
    await one.open()
    await one.tab_all.click()
    await one.lists("Stays too", "Stays")


async def test_what_the_server_refuses_is_taken_back(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Read", "Unread")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.tick("Read").click()
    await site.comes_to_hold(ada, "Unread")
    await bell.tab_all.click()
    await page.route("**/unread/", lambda route: route.fulfill(status=500))
    await page.route("**/archive/*/", lambda route: route.fulfill(status=500))
    told = page.locator("notification-bell").get_by_role("status")

    await bell.untick("Read").click()
    await expect(bell.panel).to_contain_text("That did not work")
    await expect(told).to_contain_text("That did not work")
    await expect(bell.untick("Read")).to_be_visible()
    await bell.counts(1)
    await bell.dismiss("Unread").click()
    await expect(bell.panel).to_contain_text("That did not work")
    await bell.lists("Unread", "Read")
    # The notice goes with the panel.
    await page.keyboard.press("Escape")
    await bell.open()
    await expect(bell.panel).not_to_contain_text("That did not work")


@pytest.mark.main_path
async def test_the_keyboard_does_everything(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Four", url="/plain/")
    await site.tell(ada, "Three")
    await site.tell(ada, "Two", url="/plain/")
    await site.tell(ada, "One", url="/plain/")
    bell = await site.sign_in(page, ada)
    await bell.counts(4)
    press = page.keyboard.press
    await bell.button.focus()
    await press("Enter")
    await expect(bell.panel).to_be_focused()

    await press("ArrowDown")
    await expect(bell.row("One").get_by_role("link")).to_be_focused()
    await press("ArrowDown")
    await expect(bell.row("Two").get_by_role("link")).to_be_focused()
    await press("ArrowDown")
    # It leads nowhere, so what can be done to it is where the keyboard goes.
    await expect(bell.tick("Three")).to_be_focused()
    await press("End")
    await expect(bell.tick("Four")).to_be_focused()
    await press("ArrowDown")
    await expect(bell.tick("Four")).to_be_focused()
    await press("Home")
    await expect(bell.tick("One")).to_be_focused()

    # Reading the first puts the keyboard on what takes its place.
    await press("Enter")
    await bell.counts(3)
    await expect(bell.tick("Two")).to_be_focused()
    await press("ArrowUp")
    await expect(bell.tick("Two")).to_be_focused()
    await press("Tab")
    await expect(bell.dismiss("Two")).to_be_focused()
    await press("Space")
    await bell.lists("Three", "Four")
    await expect(bell.dismiss("Three")).to_be_focused()

    await bell.tab_unread.focus()
    await press("ArrowRight")
    await expect(bell.tab_all).to_be_focused()
    await bell.lists("One", "Three", "Four")
    await press("ArrowLeft")
    await expect(bell.tab_unread).to_be_focused()
    await bell.lists("Three", "Four")
    await press("Escape")
    await expect(bell.panel).to_be_hidden()
    await expect(bell.button).to_be_focused()


async def test_the_page_keeps_its_own_keys(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two")
    bell = await site.sign_in(page, ada)
    await bell.open()
    await expect(bell.rows).to_have_count(2)
    await page.evaluate(
        "addEventListener('keydown', (event) => (globalThis.prevented = event.defaultPrevented))"
    )
    for key in ("Control+End", "Alt+ArrowDown", "j", "PageDown"):
        await page.keyboard.press(key)
        assert await page.evaluate("prevented") is False
    await page.keyboard.press("End")
    assert await page.evaluate("prevented") is True


async def test_who_reads_further_down_keeps_the_place(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(15)))
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.open()
    await expect(bell.rows).to_have_count(15)
    await bell.body.evaluate("(body) => body.scrollTo(0, 200)")
    await site.tell(ada, "News", "More news")
    await bell.counts(17)
    await expect(bell.newer).to_have_text("2 new notifications")
    await expect(bell.rows).to_have_count(15)
    assert await bell.scroll_position() == 200

    # Whoever has not seen them does not mark them read.
    await bell.mark_all.click()
    await site.comes_to_hold(ada, "More news", "News")
    await bell.lists("More news", "News")
    await expect(bell.newer).to_be_hidden()


async def test_the_button_leads_to_what_arrived(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(15)))
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.open()
    await bell.tick("Message 7").focus()
    await site.tell(ada, "News")
    await expect(bell.newer).to_have_text("1 new notification")
    await expect(bell.tick("Message 7")).to_be_focused()
    await bell.newer.click()
    await expect(bell.rows.first).to_contain_text("News")
    await expect(bell.newer).to_be_hidden()
    assert await bell.scroll_position() == 0
    # At the top the list goes on by itself.
    await site.tell(ada, "More news")
    await expect(bell.rows.first).to_contain_text("More news")


async def test_a_further_page_that_fails_waits_for_a_click(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(25)))
    bell = await site.sign_in(page, ada)
    await bell.open()
    asked: list[str] = []

    async def fail(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=500)

    await page.route("**/messages/inbox/?*cursor=*", fail)
    await expect(bell.rows).to_have_count(20)
    await bell.scroll_to_end()
    await expect(bell.panel).to_contain_text("That did not work")
    await bell.body.evaluate("(body) => body.scrollTo(0, 0)")
    await bell.scroll_to_end()
    await page.unroute("**/messages/inbox/?*cursor=*")
    await expect(bell.load_more).to_be_visible()
    assert len(asked) == 1
    await bell.load_more.click()
    await expect(bell.rows).to_have_count(25)


async def test_few_rows_do_not_look_like_the_end(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(24)))
    bell = await site.sign_in(page, ada)
    await bell.open()
    await expect(bell.rows).to_have_count(20)
    for number in range(23, 6, -1):
        await bell.tick(f"Message {number}").click()
    await bell.lists(*(f"Message {number}" for number in range(6, -1, -1)))
    await expect(bell.load_more).to_be_hidden()


async def test_a_list_that_cannot_be_loaded(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Patience")
    # It would try again by itself.
    await stop_the_clock(page)
    await silence_sockets(page)
    await page.route("**/messages/inbox/?*", lambda route: route.fulfill(status=500))
    bell = await site.sign_in(page, ada)
    await becomes(page, "document.querySelector('notification-bell').client.error")
    await bell.open()
    await expect(bell.panel).to_contain_text("could not be loaded")
    await page.unroute("**/messages/inbox/?*")
    await bell.panel.get_by_role("button", name="Try again").click()
    await has_listed(page)
    await page.clock.run_for(1000)
    await bell.lists("Patience")


async def test_neither_can_that_of_everything(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "Patience")
    await page.route("**/messages/archive/?*", lambda route: route.fulfill(status=500))
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.tab_all.click()
    await expect(bell.panel).to_contain_text("could not be loaded")
    await page.unroute("**/messages/archive/?*")
    await bell.panel.get_by_role("button", name="Try again").click()
    await bell.lists("Patience")


async def test_a_clock_that_is_set_back_tells_no_future(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "First")
    await page.clock.install(time="2020-01-01T12:00:00")
    bell = await site.sign_in(page, ada)
    await bell.open()
    time = bell.row("First").get_by_role("time")
    await expect(time).to_have_text("now")
    # And one that is set forward: a week later it is a date.
    await page.clock.set_system_time("2100-01-01T12:00:00")
    await page.clock.run_for(30_000)
    await expect(time).to_have_text(re.compile(r"^\w{3} \d{1,2}, \d{4}$"))
    await expect(time).to_have_attribute("title", re.compile(r"^\w+day, \w+ \d+, \d{4} at "))


async def test_a_read_that_is_under_way_survives_the_page(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Slow", url="/plain/")
    bell = await site.sign_in(page, ada)
    await bell.open()
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/read/", held.put)
    await bell.row("Slow").get_by_role("link").click()
    # The page is gone before its request has left the browser.
    await expect(page).to_have_url(f"{site.url}/plain/")
    await (await held.get()).continue_()

    async def is_read() -> bool:
        return not await site.unread(ada)

    await eventually(is_read, "the message is read")


async def test_more_than_99(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(120)))
    bell = await site.sign_in(page, ada)
    await expect(bell.badge).to_have_text("99+")
    await expect(bell.button).to_have_accessible_name("Notifications, 99+ unread")
    await bell.open()
    for loaded in (20, 40, 60, 80, 100):
        await expect(bell.rows).to_have_count(loaded)
        await bell.scroll_to_end()
    # It is a bell, not the inbox: the rest is on its page.
    await expect(bell.load_more).to_be_hidden()
    await bell.mark_all.click()
    await Bell(page).counts(0)
    await site.comes_to_hold(ada)
