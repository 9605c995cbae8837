"""Who reads is left in peace by what another process sends: it comes as a list, all at once."""

import asyncio
import re

from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import be_patient, is_live

SEND = """
import stored_messages as s
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(username="{username}")
for number in range({count}):
    s.add_message_for([user], s.STORED_INFO, f"New {{number:02}}")
"""


async def send_from_a_shell(site: Site, username: str, count: int) -> None:
    """As another process does: the in-memory layer tells the site nothing of it."""
    code = SEND.format(username=username, count=count)
    await asyncio.to_thread(site.server.project.shell, code)


async def reading(site: Site, page: Page, username: str) -> Bell:
    await site.tell(username, *(f"Old {number:02}" for number in range(30)))
    bell = await site.sign_in(page, username)
    await is_live(page)
    await bell.open()
    await expect(bell.rows.nth(19)).to_be_visible()
    return bell


async def test_the_rows_stay_where_they_are(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await reading(site, page, ada)
    await bell.tick("Old 21").focus()
    place = await bell.scroll_position()
    assert place > 0
    shown = await bell.rows.locator("[part=text]").all_text_contents()
    # No page of twenty reaches down to what is on the screen.
    await send_from_a_shell(site, ada, 65)
    await bell.counts(95)
    await expect(bell.newer).to_have_text("65 new notifications")
    await expect(bell.tick("Old 21")).to_be_focused()
    assert await bell.scroll_position() == place
    assert await bell.rows.locator("[part=text]").all_text_contents() == shown

    # What is done to them is done.
    await page.keyboard.press("Enter")
    await bell.counts(94)
    await expect(bell.row("Old 21")).to_have_count(0)
    await expect(bell.tick("Old 20")).to_be_focused()
    await expect(bell.newer).to_have_text("65 new notifications")
    await bell.newer.click()
    await expect(bell.rows.first).to_contain_text("New 64")
    await expect(bell.row("Old")).to_have_count(0)
    await expect(bell.newer).to_be_hidden()
    await expect(bell.panel).to_be_focused()
    assert await bell.scroll_position() == 0


async def test_a_refusal_brings_a_row_back(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await be_patient(page)
    bell = await reading(site, page, ada)
    await bell.tick("Old 21").focus()
    await send_from_a_shell(site, ada, 65)
    await bell.counts(95)
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    await page.keyboard.press("Enter")
    await expect(bell.panel).to_contain_text("That did not work")
    await expect(bell.row("Old 21")).to_be_visible()

    await bell.dismiss("Old 20").focus()
    await page.keyboard.press("Enter")
    await expect(bell.row("Old 20")).to_have_count(0)
    await bell.undo.focus()
    await page.keyboard.press("Enter")
    await expect(bell.dismiss("Old 20")).to_be_focused()


async def test_what_nobody_has_seen_is_not_marked(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await reading(site, page, ada)
    await bell.tick("Old 21").focus()
    await send_from_a_shell(site, ada, 65)
    await bell.counts(95)
    # What is listed, and what is older; of what lies between that and the newest nothing.
    await bell.mark_all.click()
    await bell.counts(65)
    await expect(bell.rows.first).to_contain_text("New 64")
    await expect(bell.newer).to_be_hidden()
    await site.comes_to_hold(ada, *(f"New {number:02}" for number in reversed(range(65))))


async def test_the_list_of_everything_keeps_its_rows_too(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await reading(site, page, ada)
    await bell.tab_all.click()
    await expect(bell.rows.nth(19)).to_be_visible()
    await bell.tick("Old 21").focus()
    await send_from_a_shell(site, ada, 65)
    await bell.counts(95)
    await expect(bell.newer).to_have_text(re.compile(r"new notifications$"))
    await expect(bell.tick("Old 21")).to_be_focused()
    await page.keyboard.press("Enter")
    await bell.counts(94)
    await bell.newer.click()
    await expect(bell.rows.first).to_contain_text("New 64")


async def test_another_user_gets_nothing_of_it(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    bell = await reading(site, page, ada)
    await bell.tick("Old 21").focus()
    await site.tell(ben, *(f"For Ben {number:02}" for number in range(30)))
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    await page.keyboard.press("Enter")
    await expect(bell.panel).to_contain_text("That did not work")
    other = await page.context.new_page()
    await site.sign_in(other, ben)
    await page.bring_to_front()
    await expect(bell.row("For Ben 29")).to_be_visible()
    await expect(bell.row("Old")).to_have_count(0)
    await expect(bell.panel).not_to_contain_text("That did not work")
