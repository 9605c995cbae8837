"""A thousand messages in a moment: the bell stays exact, small and calm."""

import asyncio
import time
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.conftest import RECONCILE_INTERVAL
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, becomes, is_live

STORM = 1000

# How often the badge is written at a time, and how many rows there ever are. It is written once for each frame, and
# where a busy machine has none to paint, once in a quarter of a second.
_WATCH = """() => {
  const root = document.querySelector("notification-bell").shadowRoot;
  const watch = (globalThis.watch = { writes: 0, most: 0, rows: 0, counts: [] });
  let frame = performance.now();
  const count = () => {
    frame = performance.now();
    watch.writes = 0;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  new MutationObserver(() => {
    watch.writes += 1;
    const late = Math.floor((performance.now() - frame) / 250);
    watch.most = Math.max(watch.most, watch.writes - late);
  }).observe(root.querySelector("[part=badge]"), { childList: true });
  new MutationObserver(() => {
    watch.rows = Math.max(watch.rows, root.querySelectorAll("[part~=item]").length);
  }).observe(root.querySelector("[part=list]"), { childList: true });
  addEventListener("inbox:count", ({ detail }) => watch.counts.push(detail.unread));
}"""


async def storm(site: Site, page: Page, username: str, before: int) -> dict[str, Any]:
    """Sends a thousand, and returns what the page saw when it has them all."""
    await page.evaluate(_WATCH)
    # Several at once: each sends one after the other.
    texts = [f"Storm {number}" for number in range(STORM)]
    began = time.monotonic()
    await asyncio.gather(*(site.tell(username, *texts[start::4]) for start in range(4)))
    await becomes(page, "(all) => watch.counts.at(-1) === all", before + STORM, timeout=120.0)
    seen: dict[str, Any] = await page.evaluate("watch")
    seen["rounds"] = (time.monotonic() - began) / RECONCILE_INTERVAL
    return seen


async def test_who_looks_on_sees_the_newest(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.open()
    traffic = Traffic(page)
    seen = await storm(site, page, ada, 0)
    assert seen["most"] <= 1
    assert seen["rows"] == 100
    assert seen["counts"] == sorted(seen["counts"])
    # While events come a socket is passed over in two of three rounds; the third may cost a list.
    assert len(traffic.lists) <= 3 + seen["rounds"] // 3
    await expect(bell.rows).to_have_count(100)
    await expect(bell.badge).to_have_text("99+")
    # All of them were listed or lie below, so all are meant.
    await bell.mark_all.click()
    await bell.counts(0)
    await site.comes_to_hold(ada)
    await page.reload()
    await bell.counts(0)


async def test_who_reads_is_left_in_peace(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(15)))
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.open()
    await bell.tick("Message 9").focus()
    await bell.body.evaluate("(body) => body.scrollTo(0, 150)")
    traffic = Traffic(page)
    seen = await storm(site, page, ada, 15)
    assert seen["most"] <= 1
    assert seen["rows"] == 0  # the list was not touched
    assert len(traffic.lists) <= 3 + seen["rounds"] // 3
    await expect(bell.rows).to_have_count(15)
    await expect(bell.tick("Message 9")).to_be_focused()
    assert await bell.scroll_position() == 150
    await expect(bell.newer).to_have_text("1,000 new notifications")
    await bell.newer.click()
    await expect(bell.rows).to_have_count(100)
