"""The bell keeps its shape wherever it stands."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.site import Site, somebody

# Navigation bars have such styles, and they are inherited.
_LOUD = """document.body.style.cssText =
  "white-space: nowrap; text-transform: uppercase; letter-spacing: 4px; overflow-wrap: anywhere;" +
  "text-align: right; font: italic 30px/3 serif" """

_SHAPE = """() => {
  const root = document.querySelector("notification-bell").shadowRoot;
  return ["badge", "title", "subject", "text"].map((name) => {
    const piece = root.querySelector(`.${name}`);
    const { width, height } = piece.getBoundingClientRect();
    return [name, width.toFixed(2), height.toFixed(2), piece.innerText, getComputedStyle(piece).textAlign];
  });
}"""


async def test_the_texts_of_the_page_have_no_say_in_it(site: Site, page: Page) -> None:
    ada = somebody("ada")
    words = "Words that need more than one line, because there are as many of them as there are."
    await site.tell(ada, *[words] * 12, data={"title": "Twelve of them"})
    bell = await site.sign_in(page, ada)
    await bell.counts(12)
    await bell.open()
    await expect(bell.rows).to_have_count(12)
    shape = await page.evaluate(_SHAPE)
    await page.evaluate(_LOUD)
    assert await page.evaluate(_SHAPE) == shape


@pytest.mark.chromium("its developer tools do it")
async def test_texts_are_as_large_as_their_reader_wants_them(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Words", data={"title": "Title"})
    bell = await site.sign_in(page, ada)
    await bell.open()
    await expect(bell.rows).to_have_count(1)
    piece = bell.panel.locator("[part=subject]")
    await expect(piece).to_have_css("font-size", "14px")
    width = (await bell.panel.bounding_box() or {})["width"]
    # What pages do that count in tenths has no say in it.
    await page.evaluate("document.documentElement.style.fontSize = '62.5%'")
    await expect(piece).to_have_css("font-size", "14px")
    browser = await page.context.new_cdp_session(page)
    await browser.send("Page.setFontSizes", {"fontSizes": {"standard": 24}})
    await expect(piece).to_have_css("font-size", "21px")
    # Signs and buttons are as much larger.
    for part, size in (("level", 48), ("tick", 42), ("dismiss", 42)):
        box = await bell.panel.locator(f"[part={part}]").bounding_box()
        assert box is not None
        assert [round(box["width"]), round(box["height"])] == [size, size], part
    # The badge lies on the bell, which is as large as the page has room for.
    await expect(bell.badge).to_have_css("font-size", "12px")
    assert (await bell.panel.bounding_box() or {})["width"] > width
    await page.set_viewport_size({"width": 320, "height": 640})
    narrow = await page.evaluate("[document.documentElement.scrollWidth]")
    assert narrow == [320]
    for name in ("title", "mark-all", "tab", "subject", "tick"):
        box = await page.locator(f"notification-bell [part~={name}]").first.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= 320, name

    await page.evaluate(
        "document.querySelector('notification-bell').style.setProperty("
        "'--notification-bell-font-size', '20px')"
    )
    await expect(piece).to_have_css("font-size", "20px")


async def test_long_words_of_a_language_are_not_broken(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Hallo")
    bell = await site.sign_in(page, ada)
    texts = '{"notifications": "Benachrichtigungen", "mark_all_read": "Alle als gelesen markieren"}'
    await page.evaluate(
        """(texts) => {
          const block = document.createElement("script");
          block.type = "application/json";
          block.textContent = texts;
          document.querySelector("notification-bell").append(block);
        }""",
        texts,
    )
    await bell.page.locator("notification-bell").get_by_role("button").first.click()
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 700})
        for name in ("title", "mark-all"):
            part = page.locator(f"notification-bell [part~={name}]")
            await expect(part).to_be_visible()
            lines = await part.evaluate(
                """(part) => {
                  const range = document.createRange();
                  range.selectNodeContents(part);
                  const tops = [...range.getClientRects()].filter((one) => one.height > 8);
                  return new Set(tops.map((one) => Math.round(one.bottom / 8))).size;
                }"""
            )
            assert (width, name, lines) == (width, name, 1)
        # On the title's line or below it, it ends where the panel does.
        ends = await page.evaluate(
            """() => {
              const root = document.querySelector("notification-bell").shadowRoot;
              const [own, panel] = [".mark-all", ".panel"].map((name) => root.querySelector(name));
              return panel.getBoundingClientRect().right - own.getBoundingClientRect().right;
            }"""
        )
        assert (width, ends) == (width, 9)


@pytest.mark.main_path
async def test_the_badge_is_mirrored(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One")
    bell = await site.sign_in(page, ada)
    await bell.counts(1)
    beside = """(badge) => {
      const [own, bell] = [badge, badge.parentNode].map((one) => one.getBoundingClientRect());
      return Math.sign(own.left + own.right - bell.left - bell.right);
    }"""
    assert await bell.badge.evaluate(beside) == 1
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert await bell.badge.evaluate(beside) == -1


_ADD = """(html) => document.querySelector("notification-bell").insertAdjacentHTML("afterbegin", html)"""
_HEADER_AND_FOOTER = '<p slot="header" id="head">Quiet hours<br>until eight</p><p slot="footer" id="foot">Settings</p>'


async def test_header_and_footer_leave_the_list_room(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(9)))
    bell = await site.sign_in(page, ada)
    await page.evaluate(_ADD, _HEADER_AND_FOOTER)
    await bell.open()
    await expect(bell.rows).to_have_count(9)
    for name in ("head", "foot"):
        inset = await page.evaluate(
            """(name) => {
              const root = document.querySelector("notification-bell").shadowRoot;
              const own = document.getElementById(name).getBoundingClientRect();
              return own.left - root.querySelector(".panel").getBoundingClientRect().left;
            }""",
            name,
        )
        assert inset == 17, name
    # Lines between the rows, and between the list and what follows it.
    foot = bell.panel.locator("[part=foot]")
    for below_a_line in (bell.rows.last, foot):
        await expect(below_a_line).to_have_css("border-top-width", "1px")
    # Nothing follows, and there is no line but the panel's own.
    await page.evaluate(
        "document.querySelectorAll('notification-bell > :not(script)').forEach((one) => one.remove())"
    )
    await site.tell(ada, "One more")
    await expect(foot).to_be_hidden()
    await expect(bell.body).to_have_css("border-bottom-width", "0px")
    await page.evaluate(_ADD, _HEADER_AND_FOOTER)
    await site.tell(ada, "And another")
    await expect(foot).to_be_visible()

    await page.set_viewport_size({"width": 568, "height": 320})
    room = await bell.body.bounding_box()
    assert room is not None
    assert room["height"] > 70
    await page.locator("#foot").scroll_into_view_if_needed()
    await expect(page.locator("#foot")).to_be_in_viewport(ratio=1)
    await expect(bell.panel).to_be_in_viewport(ratio=1)


async def test_a_notice_of_several_lines_is_whole(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(12)))
    await page.set_viewport_size({"width": 320, "height": 640})
    bell = await site.sign_in(page, ada)
    await page.add_style_tag(content="notification-bell { --notification-bell-font-size: 24px }")
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    await bell.open()
    await bell.tick("Message 11").click()
    await expect(bell.panel).to_contain_text("That did not work")

    notice, text = await page.evaluate(
        """() => {
          const notice = document.querySelector("notification-bell").shadowRoot.querySelector(".note");
          return [notice, notice.querySelector("span")].map((one) => one.getBoundingClientRect().height);
        }"""
    )
    assert 32 < text <= notice
