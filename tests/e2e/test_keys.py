"""One key for each thing that is done in the panel, while the focus is in there."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import be_patient, has_listed, record_violations
from tests.services.browser import NewContext

TEXTS = ("Four", "Three", "Two", "One")


async def opened(site: Site, page: Page, *, path: str = "/strict/?keys") -> tuple[Bell, str]:
    """The panel with four messages, which have links, and the focus on the panel."""
    ada = somebody("ada")
    await site.tell(ada, *reversed(TEXTS), url="/plain/")
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}{path}")
    await has_listed(page)
    bell = Bell(page)
    await bell.open()
    await bell.lists(*TEXTS)
    return bell, ada


def link(bell: Bell, text: str) -> Locator:
    return bell.row(text).get_by_role("link")


async def test_going_through_what_is_unread(site: Site, page: Page) -> None:
    await record_violations(page)
    await be_patient(page)
    bell, ada = await opened(site, page)
    keys = page.keyboard
    await keys.press("j")
    await expect(link(bell, "Four")).to_be_focused()
    await keys.press("j")
    await keys.press("j")
    await keys.press("k")
    await expect(link(bell, "Three")).to_be_focused()
    await keys.press("e")
    await bell.lists("Four", "Two", "One")
    await expect(link(bell, "Two")).to_be_focused()
    await keys.press("x")
    await bell.lists("Four", "One")
    # That one was read by mistake.
    await keys.press("u")
    await bell.lists("Four", "Two", "One")
    await expect(link(bell, "One")).to_be_focused()
    await keys.press("Delete")
    await bell.lists("Four", "Two")
    await expect(link(bell, "Two")).to_be_focused()
    await keys.press("u")
    await bell.lists("Four", "Two", "One")
    await keys.press("Shift+#")
    await bell.lists("Four", "One")
    await keys.press("Escape")
    await expect(bell.button).to_be_focused()
    assert await page.evaluate("violations") == []
    # Nothing can be undone any more on the next page.
    await page.goto(f"{site.url}/plain/")
    await site.comes_to_hold(ada, "Four", "One")


@pytest.mark.parametrize("key", ["o", "Enter"])
async def test_opening(key: str, site: Site, page: Page) -> None:
    _, ada = await opened(site, page)
    await page.keyboard.press("j")
    await page.keyboard.press(key)
    await expect(page).to_have_url(f"{site.url}/plain/")
    await site.comes_to_hold(ada, *TEXTS[1:])


async def test_going_through_everything(site: Site, page: Page) -> None:
    bell, ada = await opened(site, page)
    await bell.tab_all.click()
    await bell.lists(*TEXTS)
    for key in "jee":
        await page.keyboard.press(key)
    await expect(link(bell, "Two")).to_be_focused()
    await bell.counts(2)
    await bell.lists(*TEXTS)
    # What is read is passed over, and can be made unread.
    for key in "kke":
        await page.keyboard.press(key)
    await expect(link(bell, "Three")).to_be_focused()
    await bell.counts(2)
    await page.keyboard.press("u")
    await bell.counts(3)
    await expect(link(bell, "Three")).to_be_focused()
    await site.comes_to_hold(ada, *TEXTS[1:])


async def test_what_is_offered_and_no_more(site: Site, page: Page) -> None:
    bell, ada = await opened(site, page, path="/bare/?keys")
    await page.add_style_tag(content="notification-bell::part(dismiss) { display: none }")
    await page.keyboard.press("j")
    for key in ("Delete", "#", "Control+e", "Alt+x", "Meta+e", "Shift+E", "Shift+Delete"):
        await page.keyboard.press(key)
    await bell.lists(*TEXTS)
    await expect(link(bell, "Four")).to_be_focused()
    # A key that is held does once what it does.
    await page.keyboard.down("e")
    await page.keyboard.down("e")
    await bell.lists(*TEXTS[1:])
    await site.comes_to_hold(ada, *TEXTS[1:])


async def test_another_alphabet(site: Site, page: Page) -> None:
    """Where the keyboard is Russian or Arabic, the keys are those in the same place."""
    bell, _ = await opened(site, page)
    press = """(letters) => {
      for (const [key, code] of letters) {
        const root = document.querySelector("notification-bell").shadowRoot;
        const target = root.activeElement ?? root.querySelector("[part=panel]");
        target.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, composed: true }));
      }
    }"""
    await page.evaluate(press, [["\u043e", "KeyJ"], ["\u0443", "KeyE"]])
    await bell.lists(*TEXTS[1:])
    # Another Latin layout has the letter elsewhere, and is meant as it says.
    await page.evaluate(press, [["j", "KeyC"], ["e", "KeyD"], ["c", "KeyE"]])
    await bell.lists("Three", "One")
    # So are the signs that only these have there.
    await page.evaluate(press, [["\u061f", "Slash"]])
    await expect(bell.panel.get_by_role("term")).to_have_count(5)
    await page.evaluate(press, [["\u2116", "Digit3"]])
    await bell.lists("Three")


async def test_what_is_taken_back(site: Site, page: Page) -> None:
    """What is read and has the focus, else whatever was done last."""
    await be_patient(page)
    bell, ada = await opened(site, page)
    keys = page.keyboard
    await bell.tab_all.click()
    await bell.lists(*TEXTS)
    for key in "jeek":
        await keys.press(key)
    await bell.counts(2)
    await keys.press("#")
    await bell.lists("Four", "Two", "One")
    await expect(link(bell, "Two")).to_be_focused()
    await keys.press("k")
    await expect(link(bell, "Four")).to_be_focused()
    await keys.press("u")
    await bell.counts(3)
    await bell.lists("Four", "Two", "One")
    # Dismissed, and then read.
    await keys.press("Escape")
    await site.comes_to_hold(ada, "Four", "Two", "One")
    await bell.open()
    await bell.lists("Four", "Two", "One")
    for key in "j#":
        await keys.press(key)
    await bell.lists("Two", "One")
    await expect(link(bell, "Two")).to_be_focused()
    await keys.press("e")
    await bell.lists("One")
    await keys.press("u")
    await bell.lists("Two", "One")
    await keys.press("u")
    await bell.lists("Four", "Two", "One")


async def test_the_next_one_is_its_link(site: Site, page: Page) -> None:
    bell, ada = await opened(site, page)
    await bell.tab_all.click()
    await bell.row("Three").hover()
    await bell.tick("Three").click()
    await expect(bell.untick("Three")).to_be_focused()
    await page.keyboard.press("j")
    await expect(link(bell, "Two")).to_be_focused()
    await site.tell(ada, "No link")
    await expect(bell.newer).to_be_visible()
    await bell.newer.click()
    for _ in "No link", "Four":
        await page.keyboard.press("j")
    await expect(link(bell, "Four")).to_be_focused()


async def test_what_is_typed_elsewhere_is_left_alone(site: Site, page: Page) -> None:
    bell, _ = await opened(site, page, path="/bare/?keys")
    await page.evaluate(
        """() => {
          globalThis.heard = [];
          document.addEventListener("keydown", ({ key }) => heard.push(key));
          const bell = document.querySelector("notification-bell");
          const field = Object.assign(document.createElement("input"), { slot: "header" });
          bell.append(field);
          bell.renderItem = () => document.createElement("textarea");
        }"""
    )
    await page.keyboard.press("j")
    await page.keyboard.press("Escape")
    await bell.open()
    await page.keyboard.press("j")
    # The page hears of none that was for the panel.
    assert await page.evaluate("heard") == ["Escape"]
    for field in (bell.page.locator("input"), bell.panel.locator("textarea").first):
        await field.fill("")
        await field.press_sequentially("jex#?u")
        await expect(field).to_have_value("jex#?u")
    await bell.counts(4)
    # Nor does the panel hear what is for the page.
    await page.keyboard.press("Escape")
    await bell.button.focus()
    for key in "jex":
        await page.keyboard.press(key)
    await bell.counts(4)


async def test_they_are_explained(site: Site, page: Page) -> None:
    bell, _ = await opened(site, page)
    button = bell.panel.get_by_role("button", name="Keyboard shortcuts")
    await expect(button).to_have_attribute("aria-expanded", "false")
    for explain in (button.click, lambda: page.keyboard.press("Shift+?")):
        await explain()
        await expect(button).to_have_attribute("aria-expanded", "true")
        await expect(bell.panel.get_by_role("term")).to_have_text(
            ["JK", "EnterO", "EX", "U", "#Delete"]
        )
        await expect(bell.panel.get_by_role("definition").first).to_have_text("Next, previous")
        await page.keyboard.press("?")
        await expect(bell.panel.get_by_role("term")).to_have_count(0)
    await page.keyboard.press("?")
    await page.keyboard.press("Escape")
    await bell.open()
    await expect(button).to_have_attribute("aria-expanded", "false")


async def test_what_is_not_offered_is_not_explained(site: Site, page: Page) -> None:
    bell, _ = await opened(site, page, path="/bare/?keys")
    await page.add_style_tag(content="notification-bell::part(dismiss) { display: none }")
    await page.keyboard.press("?")
    await expect(bell.panel.get_by_role("term")).to_have_text(["JK", "EnterO", "EX", "U"])


async def test_the_button_keeps_its_place(site: Site, page: Page) -> None:
    """At the end of the panel's head, in the size of the texts."""
    bell, _ = await opened(site, page, path="/bare/?keys")
    button = bell.panel.get_by_role("button", name="Keyboard shortcuts")
    before = await button.bounding_box()
    await bell.mark_all.click()
    await expect(bell.mark_all).to_be_hidden()
    after = await button.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["x"] - after["x"]) < 1
    await page.evaluate(
        """document.querySelector("notification-bell").style
          .setProperty("--notification-bell-font-size", "28px")"""
    )
    larger = await button.bounding_box()
    assert larger is not None
    assert larger["width"] == pytest.approx(2 * after["width"], abs=1)
    assert larger["height"] == pytest.approx(larger["width"], abs=1)


@pytest.mark.chromium("others emulate no touch")
async def test_fingers_are_told_nothing_of_keys(site: Site, new_context: NewContext) -> None:
    """Save by the key itself: a telephone may have a keyboard."""
    page = await (await new_context(has_touch=True, is_mobile=True)).new_page()
    bell, _ = await opened(site, page)
    button = bell.panel.get_by_role("button", name="Keyboard shortcuts")
    await expect(button).to_be_hidden()
    await page.keyboard.press("?")
    await button.click()
    await expect(bell.panel.get_by_role("term")).to_have_count(0)


async def test_none_of_them_unasked(site: Site, page: Page) -> None:
    bell, _ = await opened(site, page, path="/bare/")
    await page.add_script_tag(url="/static/realtime/notification-keys.js", type="module")
    await page.keyboard.press("ArrowDown")
    for key in ("j", "e", "#", "Delete", "?"):
        await page.keyboard.press(key)
    await bell.lists(*TEXTS)
    await expect(link(bell, "Four")).to_be_focused()
    await expect(bell.panel.get_by_role("button", name=re.compile("shortcuts"))).to_have_count(0)
