"""The bell for everybody: axe in every state and look, large text, small screens, touch."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.states import LOOKS, STATES, list_of_all, list_of_unread
from tests.e2e.watching import becomes, is_live, knows_of, stop_the_clock
from tests.services.browser import NewContext
from tests.services.packages import npm_package

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Rules about a page as a whole: this one is the test's own.
_RUN_AXE = """(tags) => axe.run("notification-bell", { runOnly: tags }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, nodes.map((one) => `${one.target} ${one.failureSummary}`)]))"""


async def complaints(page: Page) -> list[Any]:
    """What axe finds wrong with the bell. What is still moving cannot be measured."""
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    await page.evaluate(npm_package("axe-core", "axe.min.js"))
    found: list[Any] = await page.evaluate(_RUN_AXE, _TAGS)
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.chromium("others neither emulate what it looks at nor stand axe beside their driver")
async def test_axe_finds_nothing(state: str, site: Site, new_context: NewContext) -> None:
    context = await new_context(**LOOKS["light"], reduced_motion="reduce")
    page = await context.new_page()
    await STATES[state](site, page, "")
    assert await complaints(page) == []
    # Looks change while the state stays.
    await page.emulate_media(color_scheme="dark")
    assert await complaints(page) == []
    await page.emulate_media(color_scheme="dark", forced_colors="active")
    assert await complaints(page) == []
    await page.emulate_media(color_scheme="light", forced_colors="none")
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert await complaints(page) == []


@pytest.mark.parametrize("state", ["empty", "empty_all"])
@pytest.mark.chromium("others neither emulate what it looks at nor stand axe beside their driver")
async def test_axe_finds_nothing_in_low_windows(
    state: str, site: Site, new_context: NewContext
) -> None:
    """A phone in landscape, and 1,280 by 1,024 pixels at 400 %."""
    page = await (await new_context(reduced_motion="reduce")).new_page()
    await STATES[state](site, page, "")
    for width, height in ((640, 320), (320, 256)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await complaints(page) == []


@pytest.mark.chromium("others neither emulate what it looks at nor stand axe beside their driver")
async def test_axe_does_look(site: Site, page: Page) -> None:
    await list_of_unread(site, page, "")
    await page.evaluate(
        """document.querySelector("notification-bell").style
          .setProperty("--notification-bell-muted", "#ccc")"""
    )
    assert [rule for rule, _ in await complaints(page)] == ["color-contrast"]


@pytest.mark.parametrize("look", ["narrow", "zoomed"])
async def test_it_fits(look: str, site: Site, new_context: NewContext) -> None:
    """320 pixels: a small phone, or 1,280 at 400 %. Zoomed: 200 %, and a low window."""
    page = await (await new_context(**LOOKS[look])).new_page()
    await list_of_all(site, page, "")
    bell = Bell(page)
    box = await bell.panel.bounding_box()
    window = page.viewport_size
    assert box is not None
    assert window is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= window["width"]
    assert box["y"] + box["height"] <= window["height"]
    # Nothing has to be scrolled sideways, and nothing is cut off.
    wide = await page.evaluate(
        """() => [...document.querySelector("notification-bell").shadowRoot.querySelectorAll("*")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1)
          .map((one) => one.outerHTML)"""
    )
    assert wide == []


@pytest.mark.parametrize("look", ["light", "narrow"])
@pytest.mark.chromium("others emulate no touch")
async def test_whatever_is_touched_is_large_enough(
    look: str, site: Site, new_context: NewContext
) -> None:
    page = await (await new_context(**LOOKS[look])).new_page()
    await list_of_all(site, page, "")
    small = await page.evaluate(
        """(least) => {
          const root = document.querySelector("notification-bell").shadowRoot;
          const targets = [...root.querySelectorAll("button, a")].filter((one) => one.checkVisibility());
          return targets
            .map((one) => [one.outerHTML, one.getBoundingClientRect()])
            .filter(([, { width, height }]) => width < least || height < least)
            .map(([html]) => html);
        }""",
        # WCAG asks for 24; where there are only fingers the buttons of a row are larger.
        24 if look == "light" else 32,
    )
    assert small == []


@pytest.mark.chromium("others do not emulate what is asked for")
async def test_nothing_moves_for_who_asks_for_that(site: Site, new_context: NewContext) -> None:
    page = await (await new_context(reduced_motion="reduce")).new_page()
    ada = somebody("ada")
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/extras/")
    await is_live(page)
    await page.evaluate(
        """() => {
          globalThis.moved = [];
          const root = document.querySelector("notification-bell").shadowRoot;
          for (const type of ["animationstart", "transitionstart"]) {
            root.addEventListener(type, (event) => moved.push(event.type));
          }
        }"""
    )
    bell = Bell(page)
    await site.tell(ada, "One")
    await expect(bell.toasts).to_have_count(1)
    await bell.open()
    await bell.lists("One")
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert await page.evaluate("moved") == []
    # Who does not ask for it sees a toast come.
    await page.keyboard.press("Escape")
    await page.emulate_media(reduced_motion="no-preference")
    await site.tell(ada, "Two")
    await becomes(page, "moved.length > 0")


async def test_the_name_and_the_announcements(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await stop_the_clock(page)
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await page.evaluate(
        """globalThis.announced = [];
        const status = document.querySelector("notification-bell").shadowRoot.querySelector("[role=status]");
        new MutationObserver(() => announced.push(status.textContent)).observe(status, { childList: true });"""
    )

    async def announced() -> list[str]:
        texts: list[str] = json.loads(await page.evaluate("JSON.stringify(announced)"))
        return texts

    await site.tell(ada, *(f"Message {number}" for number in range(4)))
    await knows_of(page, 4)
    await page.clock.run_for("00:01")
    await bell.counts(4)
    # At most one in five seconds, whatever arrives.
    await page.clock.run_for("00:03")
    await site.tell(ada, "One more")
    await knows_of(page, 5)
    await page.clock.run_for("00:01")
    await bell.counts(5)
    assert await announced() == ["4 new notifications"]
    await page.clock.run_for("00:01")
    assert await announced() == ["4 new notifications", "New notification: One more"]


async def test_one_of_several_bells_announces(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.clock.install()
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/several/")
    await is_live(page)
    told = page.locator("notification-bell [role=status]")
    await expect(told).to_have_count(3)
    # The first one is for telephones, say: what is not displayed is not heard.
    await page.evaluate("document.querySelector('notification-bell').style.display = 'none'")
    await site.tell(ada, "News")
    await Bell(page, 1).counts(1)
    await page.clock.run_for(1000)
    assert await told.all_text_contents() == ["", "New notification: News", ""]


async def test_large_texts_in_a_narrow_window_break(site: Site, page: Page) -> None:
    """The longest title there is, at twice the usual size."""
    await page.set_viewport_size({"width": 320, "height": 640})
    await site.sign_in(page, somebody("ada"))
    await page.goto(f"{site.url}/strict/?keys&language=de")
    await is_live(page)
    cut = await page.evaluate(
        """() => {
          const bell = document.querySelector("notification-bell");
          bell.style.setProperty("--notification-bell-font-size", "28px");
          bell.open = true;
          return ["panel", "head", "title"].filter((part) => {
            const one = bell.shadowRoot.querySelector(`.${part}`);
            return one.scrollWidth > one.clientWidth;
          });
        }"""
    )
    assert cut == []
