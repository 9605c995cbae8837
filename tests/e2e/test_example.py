"""The example project: people who notify each other, and what they choose about the bell."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.example import Example, sign_in
from tests.e2e.watching import (
    Traffic,
    becomes,
    is_live,
    is_polling,
    leave_undecided,
    open_sockets,
    record_sockets,
)
from tests.services.browser import NewContext
from tests.services.packages import npm_package

ONE_SOCKET = "One socket for all tabs"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """(tags) => axe.run(document, { runOnly: tags }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, nodes.map((one) => one.failureSummary + one.html)]))"""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    process = Example(tmp_path_factory.mktemp("example"))
    process.start()
    yield process
    process.stop()


async def read_all(bell: Bell) -> None:
    await bell.open()
    nothing = bell.panel.get_by_text("All caught up")
    await expect(bell.mark_all.or_(nothing)).to_be_visible()
    if await bell.mark_all.is_visible():
        await bell.mark_all.click()
    await expect(nothing).to_be_visible()
    await bell.page.keyboard.press("Escape")
    await bell.counts(0)


async def test_a_comment_mention_assignment_and_announcement(example: Example, page: Page) -> None:
    here, there = example.urls
    ben = await sign_in(page, here, "Ben Okafor")
    mira = await sign_in(await page.context.new_page(), there, "Mira Santos")
    for bell in (ben, mira):
        await is_live(bell.page)
    await read_all(ben)
    await read_all(mira)

    # Staff file an issue for Ben, who hears of it without doing anything.
    await mira.page.get_by_role("link", name="New issue").click()
    await mira.page.get_by_label("Title").fill("Bells <b>ring</b> twice")
    await mira.page.get_by_label("Assign").select_option(label="Ben Okafor")
    await mira.page.get_by_role("button", name="Open issue").click()
    await expect(mira.page.get_by_text("Issue opened.")).to_be_visible()
    issue = mira.page.url
    await ben.counts(1)

    await mira.page.get_by_label("Add a comment").fill("Seen it again, @ben.")
    await mira.page.get_by_role("button", name="Comment").click()
    await expect(mira.page.get_by_text("Comment added.")).to_be_visible()
    comment = mira.page.url
    assert comment.startswith(f"{issue}#comment-")
    await ben.counts(2)
    await mira.counts(0)

    await mira.page.get_by_role("link", name="Issues").click()
    await mira.page.get_by_role("link", name="Announce").click()
    await mira.page.get_by_role("textbox").first.fill("Cake at three")
    await mira.page.get_by_role("button", name="Announce").click()
    await expect(mira.page.get_by_text("Everybody has been told.")).to_be_visible()
    await ben.counts(3)
    await mira.counts(1)

    await ben.open()
    await ben.lists("Cake at three", "Seen it again, @ben.", "assigned it to you")
    mention = ben.row("Seen it again")
    await expect(mention).to_contain_text("Bells <b>ring</b> twice")
    await expect(mention).to_contain_text("Mira Santos")
    await mention.get_by_role("link").click()
    await expect(page).to_have_url(comment.replace(there, here))
    await ben.counts(2)
    await read_all(ben)
    await mira.counts(1)


async def choose(page: Page, **fields: str) -> None:
    """Fill in the settings page by the labels of its fields, and save."""
    await page.get_by_role("link", name="Settings").first.click()
    for label in ("theme", "direction"):
        if label in fields:
            await page.get_by_role("radio", name=fields[label]).check()
    if "language" in fields:
        await page.get_by_label("Language", exact=True).select_option(label=fields["language"])
    for switch, state in fields.items():
        if state in {"on", "off"}:
            await page.get_by_label(switch, exact=True).set_checked(state == "on")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()


async def test_the_bell_becomes_what_was_chosen(example: Example, page: Page) -> None:
    traffic = Traffic(page)
    bell = await sign_in(page, example.urls[0], "Ada Lindqvist")
    await is_live(page)
    await choose(page, theme="Dark", language="العربيّة", **{"Live": "off", "Of my own": "on"})
    await is_polling(page)
    element = page.locator("notification-bell")
    await element.get_by_role("button").first.click()
    panel = element.get_by_role("dialog", name="الإشعارات")
    await expect(panel).to_contain_text("عرض كل الإشعارات")
    await expect(panel).to_have_css("direction", "rtl")
    await expect(element).to_have_css("color-scheme", "dark")
    await expect(bell.badge).to_have_css("background-color", "rgb(12, 110, 90)")
    # The browser has a form for each plural category of Arabic.
    forms: list[str] = await element.evaluate(
        "(bell) => [0, 1, 2, 3, 11, 100].map((count) => bell.say('arrived_many', { count }))"
    )
    assert len(set(forms)) == 6
    assert [any(digit in form for digit in "0123") for form in forms] == 3 * [False] + 3 * [True]
    await panel.get_by_role("link", name="عرض كل الإشعارات").click()
    await expect(page.get_by_role("heading", name="الإشعارات")).to_be_visible()
    # The policy of every page let all of this pass.
    assert traffic.complaints == []


async def test_what_was_sent_to_oneself_arrives_in_another_tab(
    example: Example, page: Page
) -> None:
    here = example.urls[0]
    await sign_in(page, here, "Ada Lindqvist")
    other = Bell(await page.context.new_page())
    await other.page.goto(here)
    await is_live(other.page)
    await read_all(other)
    await page.get_by_role("link", name="Settings").first.click()
    await page.get_by_role("textbox", name="Title").fill("Flat <tyre>")
    await page.get_by_label("Level").select_option(label="Error")
    await page.get_by_label("Link").fill("/settings/?from=bell")
    await page.get_by_label("How many").fill("3")
    await page.get_by_label("Seconds from now").fill("1")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("It arrives in 1 s")).to_be_visible()
    await other.counts(3)
    await other.open()
    await other.lists("(3 of 3)", "(2 of 3)", "(1 of 3)")
    await expect(other.rows.first).to_contain_text("Flat <tyre>")
    await other.rows.first.get_by_role("link").click()
    await expect(other.page).to_have_url(f"{here}/settings/?from=bell")


async def test_toasts_and_the_count_in_the_title(example: Example, page: Page) -> None:
    here = example.urls[0]
    bell = await sign_in(page, here, "Ada Lindqvist")
    await is_live(page)
    await read_all(bell)
    await choose(page, **{"Toasts": "on", "Count in the page's title": "on"})
    await is_live(page)
    await expect(page).to_have_title("Settings · Pedal")
    # One tab of a browser shows it, and here both could: this one only sends.
    other = await page.context.new_page()
    await other.route("**/notification-extras*", lambda route: route.abort())
    await other.goto(f"{here}/settings/")
    await other.get_by_role("textbox", name="Title").fill("Flat tyre")
    await other.get_by_role("button", name="Send", exact=True).click()
    toasts = page.locator("notification-bell").get_by_role("region", name="Notifications")
    await expect(toasts).to_contain_text("Flat tyre")
    await expect(page).to_have_title("(1) Settings · Pedal")


async def test_desktop_sound_and_keys(example: Example, page: Page) -> None:
    traffic = Traffic(page)
    await leave_undecided(page)
    bell = await sign_in(page, example.urls[0], "Ada Lindqvist")
    await choose(page, **{"On the desktop": "on", "Sound": "on", "Keyboard shortcuts": "on"})
    await is_live(page)
    await bell.open()
    await page.evaluate("answer = 'granted'")
    await bell.panel.get_by_role("button", name="Turn on").click()
    await becomes(page, "document.querySelector('notification-bell').client.background")
    assert await page.evaluate("asked") == 1
    await page.keyboard.press("?")
    await expect(bell.panel).to_contain_text("Next, previous")
    assert traffic.complaints == []


async def test_one_socket_for_all_tabs(example: Example, page: Page) -> None:
    await record_sockets(page.context)
    await sign_in(page, example.urls[0], "Ada Lindqvist")
    await choose(page, **{ONE_SOCKET: "on"})
    await is_live(page)
    other = await page.context.new_page()
    await other.goto(example.urls[0])
    await is_live(other)
    assert await open_sockets(page) + await open_sockets(other) == 1


PAGES = ["/", "/issues/1/", "/announce/", "/settings/", "/messages/?all=1"]


async def complaints_of_axe(page: Page) -> list[Any]:
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    found: list[Any] = await page.evaluate(RUN_AXE, AXE_TAGS)
    return found


@pytest.mark.parametrize(("language", "paths"), [("English", PAGES), ("العربيّة", PAGES[-2:])])
async def test_pages_for_everybody(
    language: str, paths: list[str], example: Example, new_context: NewContext
) -> None:
    """Nothing that axe finds, light or dark, and nothing wider than a narrow window."""
    page = await (await new_context(bypass_csp=True, reduced_motion="reduce")).new_page()
    await page.add_init_script(npm_package("axe-core", "axe.min.js"))
    await page.goto(example.urls[1])
    found = {"sign in": await complaints_of_axe(page)}
    await sign_in(page, example.urls[1], "Mira Santos")
    await choose(page, language=language)
    for path in paths:
        await page.goto(example.urls[1] + path)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found[f"{path} {scheme}"] = await complaints_of_axe(page)
        for width in (320, 390, 768):
            await page.set_viewport_size({"width": width, "height": 700})
            wide: int = await page.evaluate("document.documentElement.scrollWidth")
            found[f"{path} {width}"] = [wide] if wide > width else []
        await page.set_viewport_size({"width": 1280, "height": 900})
    wrong = {place: complaints for place, complaints in found.items() if complaints}
    assert wrong == {}, json.dumps(wrong, indent=1)
