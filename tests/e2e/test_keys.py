"""One key for each thing that is done in the panel, while the focus is in there."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import has_listed, record_violations

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
    await site.comes_to_hold(ada, "Four", "One")
    assert await page.evaluate("violations") == []


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


async def test_none_of_them_unasked(site: Site, page: Page) -> None:
    bell, _ = await opened(site, page, path="/bare/")
    await page.add_script_tag(url="/static/realtime/notification-keys.js", type="module")
    await page.keyboard.press("ArrowDown")
    for key in ("j", "e", "#", "Delete", "?"):
        await page.keyboard.press(key)
    await bell.lists(*TEXTS)
    await expect(link(bell, "Four")).to_be_focused()
    await expect(bell.panel.get_by_role("button", name=re.compile("shortcuts"))).to_have_count(0)
