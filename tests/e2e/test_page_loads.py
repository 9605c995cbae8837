"""What page loads do to the bell: nothing; and what it shows before anybody was asked."""

import json

from playwright.async_api import Page, Route, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, be_patient, is_live, record_sockets, silence_sockets


async def nothing_answers(page: Page) -> None:
    """From the next page on: sockets stay silent and lists are never answered."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    await be_patient(page)
    await silence_sockets(page)
    await page.route("**/messages/inbox/*", hold)


async def test_page_loads_leave_the_badge_alone(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    bell = await site.sign_in(page, ada)
    # The base template iterates over `messages`, as most do.
    await page.fill("[name=text]", "Four")
    await page.get_by_role("button", name="Send").click()
    await bell.counts(4)
    for _ in range(2):
        await page.reload()
        await bell.counts(4)
        await is_live(page)
    await expect(page.locator("#messages")).to_have_count(0)
    await bell.open()
    await bell.lists("Four", "Three", "Two", "One")
    assert len(await site.unread(ada)) == 4


async def test_the_last_count_is_painted_before_any_answer(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    bell = await site.sign_in(page, ada)
    await bell.counts(3)
    await nothing_answers(page)
    await page.goto(f"{site.url}/bare/")
    await bell.counts(3)
    # It says no more than it knows.
    await bell.open()
    await expect(bell.panel).to_contain_text("Loading")
    await expect(bell.mark_all).to_be_hidden()
    await page.unroute_all()
    await page.reload()
    await bell.counts(3)
    await bell.open()
    await bell.lists("Three", "Two", "One")


async def test_the_last_count_is_not_painted_for_somebody_else(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell(ada, "One", "Two", "Three")
    bell = await site.sign_in(page, ada)
    await bell.counts(3)
    # Out of the way while the other tab signs in.
    await page.goto(f"{site.url}/plain/")
    bens = await site.sign_in(await page.context.new_page(), ben)
    await is_live(bens.page)
    await nothing_answers(page)
    await page.goto(f"{site.url}/bare/")
    await bell.open()
    await expect(bell.panel).to_contain_text("Loading")
    await bell.counts(0)


async def test_the_first_answer_corrects_what_was_painted(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    bell = await site.sign_in(page, ada)
    await bell.counts(3)
    await page.goto(f"{site.url}/plain/")
    other = await site.tab(page.context)
    await other.open()
    await other.mark_all.click()
    await other.counts(0)
    await page.goto(f"{site.url}/bare/")
    await bell.counts(0)


async def test_nothing_of_the_inbox_is_kept_in_the_browser(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "For your eyes only", data={"title": "Classified"})
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Classified")
    await page.goto(f"{site.url}/plain/")
    kept = json.dumps(await page.evaluate("[{...localStorage}, {...sessionStorage}]"))
    assert ada not in kept
    assert "For your eyes only" not in kept
    assert "Classified" not in kept


async def test_an_anonymous_page_is_left_in_peace(site: Site, page: Page) -> None:
    await page.clock.install()
    # The driver tells of a socket when it shakes hands, which may be after the list is refused.
    await record_sockets(page)
    traffic = Traffic(page)
    await page.goto(f"{site.url}/")
    bell = Bell(page)
    await bell.is_signed_out()
    await traffic.settle()
    lists, sockets = len(traffic.lists), await page.evaluate("sockets.length")
    assert lists <= 1
    assert sockets <= 1
    # An hour in which nothing is tried again.
    await page.clock.run_for("01:00:00")
    await traffic.settle()
    assert (len(traffic.lists), await page.evaluate("sockets.length")) == (lists, sockets)
    # Until somebody signs in, in any tab.
    ada = somebody("ada")
    await site.tell(ada, "Welcome back")
    await site.sign_in(await page.context.new_page(), ada)
    await bell.counts(1)
