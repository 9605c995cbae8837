"""Marking read: by following, by ticking, all at once; in every tab of the user."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, be_patient, is_live, silence_sockets
from tests.services.waiting import eventually


async def two_tabs(site: Site, page: Page, username: str) -> tuple[Bell, Bell]:
    one = await site.sign_in(page, username)
    other = await site.tab(page.context)
    await is_live(page)
    await is_live(other.page)
    return one, other


@pytest.mark.main_path
@pytest.mark.parametrize("elsewhere", [False, True], ids=["this site", "another origin"])
async def test_following_the_link_marks_read_in_every_tab(
    elsewhere: bool, site: Site, page: Page
) -> None:
    ada = somebody("ada")
    # The page is left at once, for one that has no bell and waits for nothing.
    target = f"{site.other_url if elsewhere else site.url}/plain/"
    await site.tell(ada, "Look there", url=target if elsewhere else "/plain/")
    await site.tell(ada, "Stays")
    one, other = await two_tabs(site, page, ada)
    await one.open()
    await one.row("Look there").get_by_role("link").click()
    await expect(page).to_have_url(target)
    await other.counts(1)
    await site.comes_to_hold(ada, "Stays")


async def test_following_it_into_a_new_tab_marks_read_too(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Look there", url="/plain/")
    one, other = await two_tabs(site, page, ada)
    await one.open()
    async with page.context.expect_page() as opened:
        await one.row("Look there").get_by_role("link").click(button="middle")
    await expect(await opened.value).to_have_url(f"{site.url}/plain/")
    for bell in (one, other):
        await bell.counts(0)


@pytest.mark.main_path
async def test_following_it_by_keyboard(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Look there", url="/plain/")
    one, other = await two_tabs(site, page, ada)
    await one.counts(1)
    await page.bring_to_front()
    await one.button.focus()
    await page.keyboard.press("Enter")
    await one.row("Look there").get_by_role("link").focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{site.url}/plain/")
    await other.counts(0)


@pytest.mark.main_path
async def test_escape_closes_the_panel_and_returns_the_focus(site: Site, page: Page) -> None:
    bell = await site.sign_in(page, somebody("ada"))
    await bell.open()
    await expect(bell.button).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(bell.panel).to_be_hidden()
    await expect(bell.button).to_have_attribute("aria-expanded", "false")
    await expect(bell.button).to_be_focused()


async def test_ticking_marks_read_in_every_tab(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Oldest", "Middle", "Newest")
    one, other = await two_tabs(site, page, ada)
    await other.open()
    await one.open()
    await one.lists("Newest", "Middle", "Oldest")
    await one.tick("Middle").click()
    for bell in (one, other):
        await bell.lists("Newest", "Oldest")
        await bell.counts(2)
    await page.reload()
    await one.counts(2)
    assert await site.unread(ada) == ["Newest", "Oldest"]


async def test_a_tick_that_the_server_refuses_is_taken_back(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Stubborn")
    bell = await site.sign_in(page, ada)
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    await bell.open()
    await bell.tick("Stubborn").click()
    await expect(bell.panel).to_contain_text("That did not work")
    await bell.lists("Stubborn")
    await bell.counts(1)
    await page.unroute("**/read/")
    await bell.tick("Stubborn").click()
    await bell.counts(0)
    await site.comes_to_hold(ada)


@pytest.mark.main_path
async def test_mark_all_empties_the_badge_in_every_tab(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    # More than a page of them: those below it are meant as well.
    await site.tell([ada, ben], *(f"Message {number}" for number in range(25)))
    one, other = await two_tabs(site, page, ada)
    await one.counts(25)
    await one.open()
    await one.mark_all.click()
    for bell in (one, other):
        await bell.counts(0)
    await expect(one.panel).to_contain_text("All caught up")
    await site.comes_to_hold(ada)
    assert len(await site.unread(ben)) == 25


async def test_mark_all_leaves_what_arrives_meanwhile(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(25)))
    await be_patient(page)
    one, other = await two_tabs(site, page, ada)
    await one.open()
    await one.counts(25)
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/mark_all_read/", held.put)
    await one.mark_all.click()
    route = await held.get()
    await one.counts(0)

    await site.tell(ada, "Just arrived")
    await one.lists("Just arrived")
    await other.counts(26)
    await route.continue_()
    for bell in (one, other):
        await bell.counts(1)
    await page.reload()
    await one.counts(1)
    assert await site.unread(ada) == ["Just arrived"]


async def test_mark_all_leaves_what_the_page_has_not_heard_of(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(25)))
    await silence_sockets(page)
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.counts(25)
    await site.tell(ada, "Just arrived")
    await bell.mark_all.click()
    await bell.counts(0)
    await site.comes_to_hold(ada, "Just arrived")
    await page.unroute_all()
    await page.reload()
    await bell.counts(1)


async def test_further_pages_keep_the_badge_and_list_each_message_once(
    calm_site: Site, page: Page
) -> None:
    site, ada = calm_site, somebody("ada")
    texts = [f"Message {number:02}" for number in range(1, 46)]
    await site.tell(ada, *texts)
    bell = await site.sign_in(page, ada)
    await bell.counts(45)
    traffic = Traffic(page)
    await bell.open()
    shown = bell.rows.locator("[part=text]")
    for loaded in (20, 40, 45):
        await bell.counts(45)
        await expect(shown).to_have_text(texts[::-1][:loaded])
        # They come by themselves when their place is in view.
        await bell.scroll_to_end()
    await expect(bell.load_more).to_be_hidden()
    await bell.counts(45)
    await traffic.settle()
    assert len(traffic.lists) == 2  # one for each further page

    # The loaded pages are kept true like the first one.
    await bell.tick("Message 01").click()
    await bell.counts(44)
    await site.tell(ada, "Message 46")
    await bell.counts(45)
    await bell.newer.click()
    await expect(shown).to_have_text(["Message 46", *texts[:0:-1]])


async def test_what_is_read_elsewhere_leaves_the_loaded_pages(site: Site, page: Page) -> None:
    ada = somebody("ada")
    texts = [f"Message {number:02}" for number in range(1, 31)]
    await site.tell(ada, *texts)
    one, other = await two_tabs(site, page, ada)
    await one.open()
    await one.scroll_to_end()
    await expect(one.rows).to_have_count(30)
    # The other tab has the first page only.
    await other.open()
    await other.tick("Message 30").click()
    await page.bring_to_front()
    await one.tick("Message 02").click()
    for bell in (one, other):
        await bell.counts(28)
    await expect(one.rows).to_have_count(28)
    await expect(one.row(re.compile("Message (02|30)"))).to_have_count(0)


# Every text that the badge has had, since this began.
_WATCH_BADGE = """(badge) => {
  globalThis.counted = [badge.textContent];
  const note = () => counted.at(-1) !== badge.textContent && counted.push(badge.textContent);
  new MutationObserver(note).observe(badge, { childList: true });
}"""


async def test_what_lies_below_the_loaded_part_is_counted_once(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    texts = [f"Message {number:02}" for number in range(1, 46)]
    await site.tell(ada, *texts)
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.counts(45)
    await bell.open()
    await bell.tab_all.click()
    for loaded in (20, 40, 45):
        await expect(bell.rows).to_have_count(loaded)
        await bell.scroll_to_end()
    await bell.badge.evaluate(_WATCH_BADGE)
    traffic = Traffic(page)
    # Of the unread ones twenty are loaded: what becomes of the others only a list can tell.
    for act, unread in ((bell.tick, 44), (bell.untick, 45), (bell.tick, 44)):
        traffic.clear()
        await act("Message 10").click()
        await bell.counts(unread)

        async def is_listed() -> bool:
            return any([await one.response() for one in traffic.lists])

        await eventually(is_listed, "the list that tells")
        await traffic.settle()
        await bell.counts(unread)
    assert await page.evaluate("counted") == ["45", "44", "45", "44"]
