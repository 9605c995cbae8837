"""People take turns at one browser, behind a shared HTTP cache: no tab ever shows what is somebody else's."""

import asyncio
import itertools

from playwright.async_api import BrowserContext, Page

from tests.e2e.bell import Bell
from tests.e2e.conftest import StartSite
from tests.e2e.site import Site, somebody
from tests.e2e.watching import becomes, is_live
from tests.isolation.cache import shared_cache

# Every text names its reader. What a bell shows at any moment has one reader, who is always the
# same for one key; the list of the panel is looked at as well, where it is open.
_WATCH = """
addEventListener("DOMContentLoaded", () => {
  const readers = new Map();
  globalThis.wrong = [];
  globalThis.looks = 0;
  const look = () => {
    const bell = document.querySelector("notification-bell");
    const client = bell?.client;
    if (!client) return;
    globalThis.looks += 1;
    const texts = client.items.map((item) => item.text);
    const rows = bell.shadowRoot?.querySelectorAll("[role=listitem], li") ?? [];
    for (const row of rows) texts.push(row.textContent);
    for (const text of texts) {
      const reader = text.match(/for (\\S+-[0-9a-f]{10})/)?.[1];
      if (!reader) continue;
      if (!readers.has(client.user)) readers.set(client.user, reader);
      if (client.user === null || readers.get(client.user) !== reader) {
        globalThis.wrong.push(`${client.user}: ${text}`);
      }
    }
    requestAnimationFrame(look);
  };
  const begin = setInterval(() => {
    if (!document.querySelector("notification-bell")?.client) return;
    clearInterval(begin);
    look();
  }, 10);
});
"""


async def test_people_take_turns_at_one_browser(
    start_site: StartSite, context: BrowserContext
) -> None:
    site = start_site(REALTIME={"RECONCILE_INTERVAL": 1})
    people = [somebody(name) for name in ("ada", "ben", "carol")]
    for person in people:
        await site.tell(person, f"first for {person}")
    await context.add_init_script(_WATCH)
    with shared_cache(site.server.port) as cache:
        pages = [await context.new_page() for _ in range(3)]
        numbers = itertools.count(2)
        last = ""
        for turn in range(6):
            person, page = people[turn % 3], pages[turn % 2]
            await asyncio.gather(
                page.goto(f"{cache.url}/sign-in/{person}/"),
                *(site.tell(one, f"{next(numbers)} for {one}") for one in people),
            )
            if turn == 0:
                for other in pages[1:]:
                    await other.goto(f"{cache.url}/bare/")
            last = person
            if turn % 2:
                await pages[2].reload()
        texts = await site.unread(last)
        for page in pages:
            await all_is_right(page, texts)
        await asyncio.to_thread(cache.keeps, "/static/realtime/inbox-client.js")


async def all_is_right(page: Page, texts: list[str]) -> None:
    bell = Bell(page)
    await is_live(page)
    await bell.counts(len(texts))
    await bell.open()
    await bell.lists(*texts)
    assert await page.evaluate("wrong") == []
    assert await page.evaluate("looks") > 0


async def test_the_watch_would_notice(site: Site, page: Page) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell(ada, f"first for {ada}", f"second for {ben}")
    await page.add_init_script(_WATCH)
    await site.sign_in(page, ada)
    await becomes(page, "globalThis.wrong.length")
