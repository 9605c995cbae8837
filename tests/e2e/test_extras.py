"""Toasts, and the count in the page's title: what a bell does when it is asked to."""

import re

import pytest
from playwright.async_api import Page, expect

from stored_messages.constants import STORED_WARNING
from tests.e2e.bell import Bell
from tests.e2e.site import Site, send_from_a_shell, somebody
from tests.e2e.watching import (
    be_patient,
    becomes,
    is_live,
    knows_of,
    record_violations,
    stop_the_clock,
)
from tests.services.waiting import eventually

SHOWN_FOR = 8_000


async def opened(site: Site, page: Page, username: str) -> Bell:
    await site.sign_in(page, username)
    await page.goto(f"{site.url}/extras/")
    await is_live(page)
    return Bell(page)


async def has_decided(page: Page, messages: int) -> None:
    """Waits until it is decided of so many messages which tab tells of them."""
    await becomes(
        page,
        """(count) => JSON.parse(localStorage.getItem("stored_messages:toasts"))
          .filter((key) => key.split(" ").length === 3).length === count""",
        messages,
    )


async def test_an_arrival_is_shown_for_a_moment(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "There before")
    await stop_the_clock(page)
    bell = await opened(site, page, ada)
    await page.clock.run_for(1000)
    await bell.counts(1)
    await site.tell(
        ada, "Look <b>there</b>", level=STORED_WARNING, url="/plain/", data={"title": "News"}
    )
    await knows_of(page, 2)
    await page.clock.run_for(1000)
    toast = Bell(page).toasts
    await expect(toast).to_have_count(1)
    await expect(toast).to_contain_text("Look <b>there</b>")
    await expect(toast.get_by_role("img", name="Warning")).to_be_visible()
    await expect(toast.get_by_role("link", name=re.compile("News"))).to_be_visible()
    await page.clock.run_for(SHOWN_FOR)
    await expect(toast).to_have_count(0)
    # It was shown, not read.
    await bell.counts(2)


@pytest.mark.main_path
async def test_it_stays_for_who_looks_at_it(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await stop_the_clock(page)
    bell = await opened(site, page, ada)
    await site.tell(ada, "News")
    await knows_of(page, 1)
    await page.clock.run_for(1000)
    await Bell(page).toasts.hover()
    await page.clock.run_for(10 * SHOWN_FOR)
    await expect(Bell(page).toasts).to_have_count(1)
    await bell.button.hover()
    await page.clock.run_for(SHOWN_FOR + 1000)
    await expect(Bell(page).toasts).to_have_count(0)


async def test_it_can_be_followed_read_and_closed(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await be_patient(page)
    bell = await opened(site, page, ada)
    await site.tell(ada, "Close me")
    close = Bell(page).toasts.get_by_role("button", name="Close", exact=True)
    await close.click()
    await expect(Bell(page).toasts).to_have_count(0)
    await bell.counts(1)

    await site.tell(ada, "Read me")
    await Bell(page).toasts.get_by_role("button", name="Mark as read: Read me").click()
    await expect(Bell(page).toasts).to_have_count(0)
    await site.comes_to_hold(ada, "Close me")

    await site.tell(ada, "Escape from me")
    await Bell(page).toasts.get_by_role("button", name="Close", exact=True).focus()
    await page.keyboard.press("Escape")
    await expect(Bell(page).toasts).to_have_count(0)
    await expect(bell.button).to_be_focused()

    await site.tell(ada, "Follow me", url="/plain/")
    await Bell(page).toasts.get_by_role("link", name=re.compile("Follow me")).click()
    await expect(page).to_have_url(f"{site.url}/plain/")
    await site.comes_to_hold(ada, "Escape from me", "Close me")


async def test_what_is_read_elsewhere_is_not_told_any_more(site: Site, page: Page) -> None:
    ada = somebody("ada")
    # No toast goes because its time is over.
    await stop_the_clock(page)
    await opened(site, page, ada)
    other = await site.tab(page.context)
    await is_live(other.page)
    await page.bring_to_front()
    await site.tell(ada, "News")
    for tab in (page, other.page):
        await knows_of(tab, 1)
    await page.clock.run_for(1000)
    await expect(Bell(page).toasts).to_have_count(1)
    read = "document.querySelector('notification-bell').client.markAllRead()"
    assert await other.page.evaluate(read) is True
    await knows_of(page, 0)
    await page.clock.run_for(1000)
    await expect(Bell(page).toasts).to_have_count(0)


async def test_three_at_most_and_many_are_one(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await stop_the_clock(page)
    bell = await opened(site, page, ada)
    for number in range(5):
        await site.tell(ada, f"Message {number}")
        await knows_of(page, number + 1)
        await page.clock.run_for(1000)
        await expect(bell.toasts.first).to_contain_text(f"Message {number}")
    await expect(bell.toasts).to_have_count(3)
    await page.clock.run_for(SHOWN_FOR)
    await expect(bell.toasts).to_have_count(0)

    # What comes at once is told at once.
    await site.tell(ada, *(f"Storm {number}" for number in range(20)))
    await knows_of(page, 25)
    await page.clock.run_for(1000)
    await bell.toasts.get_by_role("button", name="20 new notifications").click()
    await expect(bell.panel).to_be_visible()
    await expect(bell.toasts).to_have_count(0)
    # Who looks at the list needs no toast.
    await site.tell(ada, "In the list")
    await knows_of(page, 26)
    await page.clock.run_for(1000)
    await expect(bell.row("In the list")).to_be_visible()
    await has_decided(page, 6)
    await expect(bell.toasts).to_have_count(0)


async def test_many_that_come_by_a_list_are_all_counted(site: Site, page: Page) -> None:
    """Without a broker what another process sends comes with the next comparison, in one list of twenty."""
    ada = somebody("ada")
    await site.tell(ada, "One", "Two")
    await be_patient(page)
    bell = await opened(site, page, ada)
    await bell.counts(2)
    send_from_a_shell(site, ada, *(f"Storm {number}" for number in range(60)))
    summary = bell.toasts.get_by_role("button", name="60 new notifications")
    await expect(summary).to_be_visible()
    await bell.counts(62)
    # It need not be opened to be rid of it.
    await bell.toasts.get_by_role("button", name="Close", exact=True).click()
    await expect(bell.toasts).to_have_count(0)
    await expect(bell.panel).to_be_hidden()


async def test_two_bells(site: Site, page: Page) -> None:
    """One that is to be seen tells, and whichever panel is open makes toasts needless."""
    ada = somebody("ada")
    await be_patient(page)
    first = await opened(site, page, ada)
    await page.evaluate(
        """() => {
          const bell = document.querySelector("notification-bell");
          bell.after(bell.cloneNode(true));
        }"""
    )
    second = Bell(page, 1)
    await becomes(page, "document.querySelectorAll('notification-bell')[1].client?.loaded")
    both = page.locator("notification-bell [part=toast]")
    await site.tell(ada, "Before")
    await expect(both).to_have_count(1)
    for number, bell in enumerate((second, first)):
        await bell.open()
        await expect(both).to_have_count(0)
        await site.tell(ada, f"Seen {number}")
        await has_decided(page, 2 * number + 2)
        await page.keyboard.press("Escape")
        await site.tell(ada, f"Later {number}")
        await expect(both).to_have_count(1)
        await expect(both).to_contain_text(f"Later {number}")
    await page.evaluate("document.querySelector('notification-bell').style.display = 'none'")
    await site.tell(ada, "For who sees the second")
    await expect(second.toasts.filter(has_text="For who sees the second")).to_be_visible()


async def test_opening_the_panel_closes_them(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await be_patient(page)
    bell = await opened(site, page, ada)
    await site.tell(ada, "Some", "News")
    await expect(Bell(page).toasts).to_have_count(2)
    await bell.open()
    await expect(Bell(page).toasts).to_have_count(0)
    await bell.lists("News", "Some")


@pytest.mark.chromium("its developer tools count what is kept")
async def test_they_leave_no_listeners_behind(site: Site, page: Page) -> None:
    ada = somebody("ada")
    # How long a tab stands for what it has told of is for this test to say.
    await page.add_init_script(
        "globalThis.told = new AbortController(); AbortSignal.timeout = () => told.signal;"
    )
    await be_patient(page)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/bare/?toasts")
    await is_live(page)
    session = await page.context.new_cdp_session(page)

    async def listeners() -> int:
        window = await session.send("Runtime.evaluate", {"expression": "globalThis"})
        what = {"objectId": window["result"]["objectId"]}
        found = (await session.send("DOMDebugger.getEventListeners", what))["listeners"]
        return sum(one["type"] == "pagehide" for one in found)

    before = await listeners()
    await site.tell(ada, "Some", "News")
    await expect(Bell(page).toasts).to_have_count(2)
    assert await listeners() > before
    await page.evaluate("told.abort()")

    async def are_gone() -> bool:
        return await listeners() == before

    await eventually(are_gone, "no listener is left")


async def test_once_in_a_browser(site: Site, page: Page) -> None:
    ada = somebody("ada")
    # Every toast that ever was, and how often this tab knew whether it was the one to tell; in the
    # tests' browser all tabs are visible.
    await page.context.add_init_script(
        """globalThis.toasted = [];
        const show = HTMLElement.prototype.showPopover;
        HTMLElement.prototype.showPopover = function () {
          if (this.className === "toasts") toasted.push(this.textContent);
          return show.call(this);
        };
        globalThis.claims = 0;
        const request = globalThis.LockManager?.prototype.request;
        if (request) LockManager.prototype.request = function (name, ...rest) {
          const held = rest.pop();
          const counted = (lock) => {
            if (/^stored_messages:toasts [^ ]+ [^ ]+ [^ ]+$/.test(name)) claims += 1;
            return held(lock);
          };
          return request.call(this, name, ...rest, counted);
        };"""
    )
    tabs = [page, *[await page.context.new_page() for _ in range(2)]]
    await site.sign_in(page, ada)
    for tab in tabs:
        await tab.goto(f"{site.url}/extras/")
        await is_live(tab)
    # One by one: more than three of one moment would be told of in one toast.
    for number in range(1, 5):
        await site.tell(ada, f"Message {number}")
        for tab in tabs:
            await becomes(tab, "(number) => claims === number", number)
        toasted = [await tab.evaluate("toasted") for tab in tabs]
        assert sum(map(len, toasted)) == number, toasted


async def test_the_count_in_the_title(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One")
    bell = await opened(site, page, ada)
    await expect(page).to_have_title("(1) Workshop")
    await site.tell(ada, "Two")
    await expect(page).to_have_title("(2) Workshop")
    await bell.open()
    await bell.mark_all.click()
    await expect(page).to_have_title("Workshop")
    await site.tell(ada, "Three")
    await expect(page).to_have_title("(1) Workshop")
    other = await site.tab(page.context)
    await other.page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_title("Workshop")


async def test_the_title_is_the_pages_own(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await opened(site, page, ada)
    await page.evaluate("document.title = '(2024) Report'")
    await site.tell(ada, "One")
    await expect(page).to_have_title("(1) (2024) Report")
    # The page says something else.
    await page.evaluate("document.title = 'Draft saved'")
    await expect(page).to_have_title("(1) Draft saved")
    await page.evaluate("document.querySelector('title').textContent = '(7) Samurai'")
    await expect(page).to_have_title("(1) (7) Samurai")
    # As it was on a page that it goes back to.
    await site.tell(ada, "Two")
    await expect(page).to_have_title("(2) (7) Samurai")
    await page.evaluate("document.title = '(1) Draft saved'")
    await expect(page).to_have_title("(2) Draft saved")
    # The next page has a title and no bell.
    await page.evaluate("document.title = 'Next'")
    await expect(page).to_have_title("(2) Next")
    await page.evaluate(
        "document.title = 'Last'; document.querySelectorAll('notification-bell').forEach((one) => one.remove())"
    )
    await expect(page).to_have_title("Last")
    await expect(bell.button).to_have_count(0)


async def test_who_insists_on_a_title_is_no_end_to_the_page(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await opened(site, page, ada)
    await page.evaluate(
        """() => {
          const insist = () => { if (document.title !== "Mine") document.title = "Mine"; };
          new MutationObserver(insist).observe(document.head, { childList: true, subtree: true });
          insist();
        }"""
    )
    await site.tell(ada, "One")
    await Bell(page).counts(1)
    await site.tell(ada, "Two")
    await Bell(page).counts(2)


async def test_under_the_strictest_policy(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await be_patient(page)
    await record_violations(page)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/strict/?extras")
    await is_live(page)
    bell = Bell(page)
    await site.tell(ada, "News", data={"title": "Title", "icon": "/favicon.ico"})
    await expect(bell.toasts).to_contain_text("News")
    box = await bell.toasts.bounding_box()
    assert box is not None
    assert 300 < box["width"] <= 360
    await expect(page).to_have_title("(1) A bell alone")
    assert await page.evaluate("violations") == []


async def test_nothing_of_it_unasked(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    title = await page.title()
    await page.add_script_tag(url="/static/realtime/notification-extras.js", type="module")
    await site.tell(ada, "News")
    await bell.counts(1)
    told = page.locator("notification-bell").get_by_role("status")
    await expect(told).to_have_text("New notification: News")
    await expect(Bell(page).toasts).to_have_count(0)
    assert await page.title() == title
