"""The keyboard's place: a control that goes hands it on, and never to the page."""

from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import be_patient

UNDO_FOR = 6_000


async def with_messages(site: Site, page: Page, username: str, count: int) -> Bell:
    await site.tell(username, *(f"Message {number:02}" for number in range(count)))
    bell = await site.sign_in(page, username)
    await bell.open()
    await expect(bell.rows.nth(min(count, 20) - 1)).to_be_visible()
    return bell


async def escapes_to_the_button(bell: Bell) -> None:
    await bell.page.keyboard.press("Escape")
    await expect(bell.panel).to_be_hidden()
    await expect(bell.button).to_be_focused()


async def test_undo_returns_to_the_row_that_came_back(site: Site, page: Page) -> None:
    await be_patient(page)
    bell = await with_messages(site, page, somebody("ada"), 3)
    await bell.dismiss("Message 01").focus()
    await page.keyboard.press("Enter")
    await bell.lists("Message 02", "Message 00")
    await bell.undo.focus()
    await page.keyboard.press("Enter")
    await bell.lists("Message 02", "Message 01", "Message 00")
    await expect(bell.dismiss("Message 01")).to_be_focused()

    await page.keyboard.press("Enter")
    await bell.undo.click()
    await expect(bell.dismiss("Message 01")).to_be_focused()
    await escapes_to_the_button(bell)


async def test_undo_waits_while_somebody_is_at_it(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.clock.install()
    bell = await with_messages(site, page, ada, 3)
    await bell.dismiss("Message 01").focus()
    await page.keyboard.press("Enter")
    await bell.undo.focus()
    await page.clock.run_for(10 * UNDO_FOR)
    await expect(bell.undo).to_be_focused()
    await bell.undo.hover()
    await bell.panel.focus()
    await page.clock.run_for(10 * UNDO_FOR)
    await expect(bell.undo).to_be_visible()
    assert len(await site.unread(ada)) == 3

    await bell.tab_unread.hover()
    await page.clock.run_for(UNDO_FOR)
    await expect(bell.undo).to_be_hidden()
    await site.comes_to_hold(ada, "Message 02", "Message 00")


async def test_after_all_is_read_it_is_in_the_panel(site: Site, page: Page) -> None:
    bell = await with_messages(site, page, somebody("ada"), 3)
    await bell.mark_all.focus()
    await page.keyboard.press("Enter")
    await expect(bell.panel).to_contain_text("All caught up")
    await expect(bell.panel).to_be_focused()
    await escapes_to_the_button(bell)


async def test_after_the_last_page_it_is_on_the_last_row(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.route("**/messages/inbox/?*cursor=*", lambda route: route.fulfill(status=500))
    bell = await with_messages(site, page, ada, 25)
    await bell.scroll_to_end()
    await expect(bell.panel).to_contain_text("That did not work")
    await page.unroute("**/messages/inbox/?*cursor=*")
    await bell.load_more.focus()
    await page.keyboard.press("Enter")
    await expect(bell.load_more).to_be_hidden()
    await expect(bell.rows).to_have_count(25)
    await expect(bell.tick("Message 00")).to_be_focused()


async def test_escape_ends_at_the_button_wherever_the_focus_was(site: Site, page: Page) -> None:
    bell = await with_messages(site, page, somebody("ada"), 1)
    await page.evaluate(
        "document.querySelector('notification-bell').shadowRoot.activeElement.blur()"
    )
    assert await page.evaluate("document.activeElement === document.body")
    await escapes_to_the_button(bell)


async def test_what_the_page_puts_in_the_panel_has_keys_of_its_own(site: Site, page: Page) -> None:
    bell = await with_messages(site, page, somebody("ada"), 2)
    await page.evaluate(
        """(html) => document.querySelector("notification-bell").insertAdjacentHTML("afterbegin", html)""",
        '<div slot="header"><input id="find" value="abc"></div>'
        '<div slot="footer"><select id="which"><option>One<option>Two</select></div>',
    )
    find, which = page.locator("#find"), page.locator("#which")
    await find.focus()
    for key, place in (("Home", 0), ("End", 3)):
        await page.keyboard.press(key)
        await expect(find).to_be_focused()
        await expect(find).to_have_js_property("selectionStart", place)
    await which.focus()
    await page.keyboard.press("ArrowDown")
    await expect(which).to_have_value("Two")
    await expect(which).to_be_focused()
    await escapes_to_the_button(bell)
    await bell.open()
    await find.focus()
    await escapes_to_the_button(bell)
