"""Who is signed in: others, nobody, and what their tabs still show and do."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests.e2e.site import Site, somebody
from tests.e2e.watching import (
    Traffic,
    closed_with,
    is_live,
    record_sockets,
    silence_sockets,
)

# The token of the first user's session is none of the second's; nor is the key of the inbox.
REFUSED = {403, 409}


async def nothing_is_left_of(page: Page, *texts: str) -> None:
    """Expects these texts nowhere in the page, shadow trees included."""
    for text in texts:
        await expect(page.get_by_text(text)).to_have_count(0)


async def test_another_user_signs_in_from_another_tab(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell(ada, "Secret one", "Secret two")
    await site.tell(ben, "Hello Ben")
    await record_sockets(page)
    first = await site.sign_in(page, ada)
    await is_live(page)
    await first.open()
    await first.lists("Secret two", "Secret one")

    # Whoever has a list tells the other tabs whose it is. This time the server is the first to tell.
    is_told = asyncio.Event()

    async def wait(route: Route) -> None:
        await is_told.wait()
        await route.continue_()

    other = await page.context.new_page()
    await other.route("**/messages/inbox/?*", wait)
    second = await site.sign_in(other, ben)
    await closed_with(page, 4401)
    is_told.set()
    await second.counts(1)
    await first.lists("Hello Ben")
    await first.counts(1)
    await nothing_is_left_of(page, "Secret one", "Secret two")
    # It has become a tab of the second user, and is live as such.
    await is_live(page)
    await site.tell(ada, "Secret three")
    await site.tell(ben, "Hello again")
    await first.lists("Hello again", "Hello Ben")
    await first.tick("Hello again").click()
    await second.counts(1)
    assert len(await site.unread(ada)) == 3


async def test_an_action_of_the_first_user_is_not_the_seconds(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    # The same message, so that its id is good for both.
    await site.tell([ada, ben], "To both of you")
    await site.tell(ben, "Hello Ben")
    # Without a socket nothing tells this tab that the user is another.
    await silence_sockets(page)
    first = await site.sign_in(page, ada)
    await first.open()
    await first.lists("To both of you")
    await site.switch_cookie(page.context, ben)
    traffic = Traffic(page)
    async with page.expect_response("**/read/") as refused:
        await first.tick("To both of you").click()
    assert (await refused.value).status in REFUSED
    await first.lists("Hello Ben", "To both of you")
    # Nor was it tried again.
    await traffic.settle()
    assert len(traffic.actions) == 1
    assert await site.unread(ada) == ["To both of you"]
    assert await site.unread(ben) == ["Hello Ben", "To both of you"]


async def test_nor_is_mark_all(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell(ada, "Secret")
    await site.tell([ada, ben], "To both of you")
    await silence_sockets(page)
    first = await site.sign_in(page, ada)
    await first.open()
    await first.lists("To both of you", "Secret")
    await site.switch_cookie(page.context, ben)
    traffic = Traffic(page)
    async with page.expect_response("**/mark_all_read/") as refused:
        await first.mark_all.click()
    assert (await refused.value).status in REFUSED
    await first.lists("To both of you")
    await first.counts(1)
    await traffic.settle()
    assert len(traffic.actions) == 1
    await nothing_is_left_of(page, "Secret")
    assert await site.unread(ada) == ["To both of you", "Secret"]
    assert await site.unread(ben) == ["To both of you"]


async def test_signing_out_in_another_tab_stops_the_bell(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Secret")
    await record_sockets(page)
    first = await site.sign_in(page, ada)
    await first.open()
    await first.lists("Secret")
    await is_live(page)

    second = await site.tab(page.context)
    await second.page.get_by_role("button", name="Sign out").click()
    await closed_with(page, 4401)
    await first.is_signed_out()
    await first.counts(0)
    await nothing_is_left_of(page, "Secret")
    await expect(first.panel.get_by_role("link", name="Sign in")).to_be_visible()

    # It comes back with its user.
    await site.sign_in(second.page, ada)
    await first.lists("Secret")
    await first.counts(1)
    await is_live(page)


async def test_a_signed_out_bell_asks_for_nothing(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.clock.install()
    await record_sockets(page)
    bell = await site.sign_in(page, ada)
    await is_live(page)
    other = await site.tab(page.context)
    await other.page.get_by_role("button", name="Sign out").click()
    await closed_with(page, 4401)
    await bell.is_signed_out()
    await other.page.close()
    traffic = Traffic(page)
    await page.clock.run_for("01:00:00")
    await traffic.settle()
    assert [one.url for one in traffic.requests] == [f"{site.url}/plain/"]
    assert not traffic.sockets


async def test_one_browser_is_two_people_at_two_addresses(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    adas = await site.sign_in(page, ada)
    bens = await site.sign_in(await page.context.new_page(), ben, at=site.other_url)
    await is_live(page)
    await is_live(bens.page)
    await site.tell(ada, "Hello Ada")
    await site.tell(ben, "Hello Ben")
    await adas.open()
    await adas.lists("Hello Ada")
    await bens.open()
    await bens.lists("Hello Ben")
