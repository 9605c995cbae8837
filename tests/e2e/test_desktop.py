"""Notifications on the desktop, for who looks at no tab of the site and has allowed them by a click."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route, WebSocketRoute, expect

from stored_messages.constants import STORED_INFO
from tests.e2e.bell import Bell
from tests.e2e.site import Site, send_from_a_shell, somebody
from tests.e2e.watching import (
    be_patient,
    becomes,
    hide,
    is_live,
    knows_of,
    leave_undecided,
    record_violations,
    show,
    stop_the_clock,
)
from tests.services.browser import NewContext
from tests.services.waiting import eventually

# The browser's own notifications. It takes some away by itself after a while: what counts is who closes them.
_RECORD = """
globalThis.made = [];
globalThis.Notification = class extends Notification {
  isClosed = false;
  madeAt = performance.timeOrigin + performance.now();
  constructor(...args) {
    super(...args);
    made.push(this);
  }
  close() {
    this.isClosed = true;
    super.close();
  }
};
// How often the page asked whether somebody looks at another one, and was told.
globalThis.looks = 0;
const query = globalThis.LockManager?.prototype.query;
if (query) LockManager.prototype.query = async function () {
  const answer = await query.call(this);
  looks += 1;
  return answer;
};
"""
_MADE = (
    "made.map(({ tag, title, body, madeAt, isClosed }) => ({ tag, title, body, madeAt, isClosed }))"
)


@pytest_asyncio.fixture(loop_scope="session")
async def context(new_context: NewContext) -> AsyncIterator[BrowserContext]:
    context = await new_context()
    await context.grant_permissions(["notifications"])
    await context.add_init_script(_RECORD)
    yield context


async def hidden_tabs(site: Site, context: BrowserContext, user: str, count: int) -> list[Page]:
    await site.switch_cookie(context, user)
    pages = []
    for _ in range(count):
        bell = await site.tab(context, "/extras/")
        await is_live(bell.page)
        pages.append(bell.page)
    for page in pages:
        await hide(page)
    return pages


async def on_the_desktop(pages: Sequence[Page]) -> list[list[str]]:
    """Of those with the same tag the last one is there, whichever tab made it."""
    made = [one for page in pages for one in await page.evaluate(_MADE)]
    made.sort(key=lambda one: one["madeAt"])
    last = {one["tag"]: one for one in made}
    return [[one["title"], one["body"]] for one in last.values() if not one["isClosed"]]


async def comes_to_be(pages: Sequence[Page], *expected: tuple[str, str]) -> None:
    """Waits until exactly these are open, whichever tab made them."""

    async def is_so() -> bool:
        return sorted(await on_the_desktop(pages)) == sorted([*map(list, expected)])

    await eventually(is_so, f"on the desktop: {expected}")


async def made_by(pages: Sequence[Page]) -> int:
    return sum([await page.evaluate("made.length") for page in pages])


async def all_have(pages: Sequence[Page], unread: int) -> None:
    for page in pages:
        await knows_of(page, unread)


async def test_who_looks_elsewhere_is_told(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    await site.tell(ada, "There before")
    pages = await hidden_tabs(site, context, ada, 1)
    await site.tell(ada, "Look <b>there</b>", data={"title": "Order 1042", "actor": "Ben"})
    told = ("Order 1042", "Look <b>there</b>\nBen")
    await comes_to_be(pages, told)
    await site.tell(ada, "A text alone")
    await comes_to_be(pages, told, ("1 new notification", "A text alone"))
    assert await pages[0].evaluate("new Set(made.map(({ tag }) => tag)).size") == 2
    # Whoever is back sees the list.
    await show(pages[0])
    await comes_to_be(pages)
    await site.tell(ada, "In view")
    await expect(Bell(pages[0]).toasts).to_contain_text("In view")
    assert await made_by(pages) == 2


async def test_nobody_is_told_who_looks_at_another_tab(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    pages = await hidden_tabs(site, context, ada, 2)
    await show(pages[1])
    await site.tell(ada, "In view")
    await expect(Bell(pages[1]).toasts).to_contain_text("In view")
    await all_have(pages, 1)
    # The other one has seen that it is looked at.
    await becomes(pages[0], "looks === 1")
    await hide(pages[1])
    await site.tell(ada, "In none")
    await comes_to_be(pages, ("1 new notification", "In none"))
    assert await made_by(pages) == 1
    # It is this one's or the other's, and goes all the same.
    await show(pages[1])
    await comes_to_be(pages)


async def test_once_in_a_browser(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    pages = await hidden_tabs(site, context, ada, 3)
    texts = ("One", "Two", "Three")
    for number, text in enumerate(texts):
        await site.tell(ada, text)
        await all_have(pages, number + 1)
    await comes_to_be(pages, *[("1 new notification", text) for text in texts])
    assert await made_by(pages) == 3


async def test_many_are_one(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    pages = await hidden_tabs(site, context, ada, 2)
    await site.tell(ada, "First")
    await comes_to_be(pages, ("1 new notification", "First"))
    began = time.monotonic()
    await site.tell(ada, *(f"Storm {number}" for number in range(100)))
    await all_have(pages, 101)

    # Whichever tab says it anew, the browser replaces what was there.
    await comes_to_be(pages, ("101 new notifications", ""))
    moments = 1 + 4 * (time.monotonic() - began)
    assert await made_by(pages) <= 1 + len(pages) * moments
    await becomes(pages[0], "document.querySelector('notification-bell').client.markAllRead()")
    await comes_to_be(pages)


async def test_a_tab_that_lags_behind_leaves_no_older_count(
    calm_site: Site, context: BrowserContext
) -> None:
    """With the same tag the later one is to be seen, whatever it says."""
    site, ada = calm_site, somebody("ada")
    held: list[str | bytes] = []
    is_held = asyncio.Event()

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda one: held.append(one) if is_held.is_set() else socket.send(one))
        lagging.append(socket)

    lagging: list[WebSocketRoute] = []
    quick, slow = await context.new_page(), await context.new_page()
    await stop_the_clock(quick)
    await site.switch_cookie(context, ada)
    await slow.route_web_socket("**/ws/inbox/", connect)
    # What arrives together is told together: here a little later than there.
    await slow.add_init_script(
        "{ const wait = setTimeout; setTimeout = (then, delay) => wait(then, 2 * delay); }"
    )
    for page in (quick, slow):
        await page.goto(f"{site.url}/extras/")
        await is_live(page)
        await hide(page)
    await site.tell(ada, *(f"Message {number}" for number in range(5)))
    await all_have([quick, slow], 5)
    is_held.set()
    await site.tell(ada, "One more")
    await knows_of(quick, 6)
    await quick.clock.run_for(300)
    await comes_to_be([quick, slow], ("6 new notifications", ""))
    await quick.clock.run_for(300)
    await comes_to_be([quick, slow], ("5 new notifications", ""))
    for one in held:
        lagging[0].send(one)
    await knows_of(slow, 6)
    await quick.clock.run_for(600)
    await comes_to_be([quick, slow], ("6 new notifications", ""))


async def test_many_that_come_by_a_list_are_all_counted(
    site: Site, context: BrowserContext
) -> None:
    """Without a broker what another process sends comes with the next comparison, in one list of twenty."""
    ada = somebody("ada")
    pages = await hidden_tabs(site, context, ada, 2)
    await site.tell(ada, "First", "Second")
    await comes_to_be(pages, ("1 new notification", "First"), ("1 new notification", "Second"))
    send_from_a_shell(site, ada, *(f"Storm {number}" for number in range(60)))
    await comes_to_be(pages, ("62 new notifications", ""))


async def test_it_opens_a_bell_that_is_to_be_seen(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    [page] = await hidden_tabs(site, context, ada, 1)
    # A page with one for telephones.
    await page.evaluate(
        """() => {
          const bell = document.querySelector("notification-bell");
          const other = bell.cloneNode(true);
          bell.after(other);
          other.style.display = "none";
        }"""
    )
    await becomes(page, "document.querySelectorAll('notification-bell')[1].client?.loaded")
    await site.tell(ada, "No link")
    await becomes(page, "made.length === 1")
    await page.evaluate("made[0].dispatchEvent(new Event('click'))")
    await expect(Bell(page).panel).to_be_visible()


async def test_what_is_read_elsewhere_goes(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    pages = await hidden_tabs(site, context, ada, 2)
    await site.tell(ada, "One", "Two")
    await comes_to_be(pages, ("1 new notification", "One"), ("1 new notification", "Two"))
    phone = await context.browser.new_context()  # type: ignore[union-attr]
    bell = await site.sign_in(await phone.new_page(), ada)
    await bell.open()
    await bell.tick("One").click()
    await comes_to_be(pages, ("1 new notification", "Two"))
    await phone.close()
    # Nor does anything of it stay for the next one who signs in.
    await site.sign_in(pages[0], somebody("ben"))
    await comes_to_be(pages[1:])


async def test_a_click_leads_there(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    [page] = await hidden_tabs(site, context, ada, 1)
    await site.tell(ada, "No link", "Look there", url=None)
    await becomes(page, "made.length === 2")
    await page.evaluate("made[0].dispatchEvent(new Event('click'))")
    bell = Bell(page)
    await expect(bell.panel).to_be_visible()
    await comes_to_be([page], ("1 new notification", "Look there"))
    await page.keyboard.press("Escape")

    await site.tell(ada, "Follow", url="/plain/")
    await becomes(page, "made.length === 3")
    async with page.expect_navigation(url=f"{site.url}/plain/"):
        await page.evaluate("made[2].dispatchEvent(new Event('click'))")
    await site.comes_to_hold(ada, "Look there", "No link")


async def test_the_bells_page_may_go_elsewhere_by_itself(
    site: Site, context: BrowserContext
) -> None:
    """A site with a router of its own takes over, as from the panel."""
    ada = somebody("ada")
    [page] = await hidden_tabs(site, context, ada, 1)
    await page.evaluate(
        """document.addEventListener("inbox:before-follow", (event) => {
          event.preventDefault();
          history.pushState(null, "", event.detail.messages[0].url);
        })"""
    )
    await site.tell(ada, "Follow", url="/plain/", level=STORED_INFO)
    await becomes(page, "made.length === 1")
    await page.evaluate("made[0].dispatchEvent(new Event('click'))")
    await expect(page).to_have_url(f"{site.url}/plain/")
    await site.comes_to_hold(ada)
    assert await page.evaluate("made.length") == 1


async def undecided(site: Site, new_context: NewContext, **options: Any) -> tuple[Bell, Page]:
    page = await (await new_context(**options)).new_page()
    await leave_undecided(page)
    await site.sign_in(page, somebody("ada"))
    await page.goto(f"{site.url}/extras/")
    await is_live(page)
    bell = Bell(page)
    await bell.open()
    return bell, page


async def test_it_asks_by_a_click_alone(site: Site, new_context: NewContext) -> None:
    bell, page = await undecided(site, new_context)
    question = bell.panel.get_by_text("Show notifications on the desktop?")
    await expect(question).to_be_visible()
    assert await page.evaluate("asked") == 0
    # The question was closed without an answer.
    await page.evaluate("answer = 'default'")
    turn_on = bell.panel.get_by_role("button", name="Turn on")
    await turn_on.click()
    await becomes(page, "asked === 1")
    await expect(turn_on).to_be_focused()
    await page.evaluate("answer = 'granted'")
    await page.keyboard.press("Enter")
    await expect(question).to_be_hidden()
    await expect(bell.panel).to_be_focused()
    assert await page.evaluate("document.querySelector('notification-bell').client.background")
    await page.reload()
    await bell.open()
    await expect(bell.panel).to_contain_text("All caught up")
    await expect(question).to_be_hidden()


async def test_the_question_waits_for_the_list(site: Site, page: Page) -> None:
    """The count of the last page is painted before there is one, and the panel can be opened."""
    ada = somebody("ada")
    await site.tell(ada, "One")
    await leave_undecided(page)
    bell = await site.sign_in(page, ada)
    await bell.counts(1)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    await be_patient(page)
    await page.route("**/messages/inbox/?*", hold)
    await page.goto(f"{site.url}/extras/")
    await bell.open()
    await becomes(page, "document.querySelector('notification-bell').client.status === 'live'")
    question = bell.panel.get_by_text("Show notifications on the desktop?")
    await expect(question).to_be_hidden()
    for route in held:
        await route.continue_()
    await expect(question).to_be_visible()


async def test_no_is_an_answer(site: Site, new_context: NewContext) -> None:
    bell, page = await undecided(site, new_context)
    no = bell.panel.get_by_role("button", name="No, thanks")
    await no.click()
    await expect(no).to_be_hidden()
    await expect(bell.panel).to_be_focused()
    await page.reload()
    await bell.open()
    await expect(bell.panel).to_contain_text("All caught up")
    await expect(no).to_be_hidden()
    assert await page.evaluate("asked") == 0


async def test_where_they_are_refused_nobody_is_asked(site: Site, page: Page) -> None:
    """Nor on Android, whose browsers throw: a page has no notifications of its own there."""
    ada = somebody("ada")
    await page.context.clear_permissions()
    await site.sign_in(page, ada)
    for script in (
        "static permission = 'denied'",
        "static permission = 'default'; constructor() { throw new TypeError('Illegal constructor') }",
        "static permission = 'granted'; constructor() { throw new TypeError('Illegal constructor') }",
    ):
        other = await page.context.new_page()
        await other.add_init_script(f"globalThis.Notification = class {{ {script} }};")
        await other.goto(f"{site.url}/extras/")
        await is_live(other)
        await hide(other)
        await site.tell(ada, "News")
        await becomes(other, "document.querySelector('notification-bell').client.unread")
        await show(other)
        bell = Bell(other)
        await bell.open()
        await expect(bell.rows.first).to_contain_text("News")
        await expect(bell.panel.get_by_role("button", name="No, thanks")).to_have_count(0)


async def test_under_the_strictest_policy(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    page = await context.new_page()
    await record_violations(page)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/strict/?extras")
    await is_live(page)
    await hide(page)
    await site.tell(ada, "News", data={"icon": "/favicon.ico"})
    await comes_to_be([page], ("1 new notification", "News"))
    assert await page.evaluate("violations") == []
