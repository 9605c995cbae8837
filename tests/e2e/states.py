"""Every state that a bell can be in, for those who look at all of them: axe, and people.

A state is arranged on the site's showcase page, for a user of its own, and ends with the panel
open, save for those that are about the closed bell.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page, Route, expect

from stored_messages.constants import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
)
from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import be_patient, is_live, is_polling, leave_undecided, silence_sockets

_SIZE = {"width": 560, "height": 640}
# What a browser profile is like, for those who look.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": _SIZE},
    "dark": {"color_scheme": "dark", "viewport": _SIZE},
    "forced": {"color_scheme": "dark", "forced_colors": "active", "viewport": _SIZE},
    "rtl": {"color_scheme": "light", "viewport": _SIZE},
    "narrow": {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
    "zoomed": {"viewport": {"width": 640, "height": 360}},
}

Arrange = Callable[[Site, Page, str], Awaitable[None]]

LISTS = "**/messages/inbox/?*"
LONG = (
    "The supplier wrote that the carbon forks are delayed until the end of the month, because the "
    "ship that carries them waits outside the harbour. Please tell the three customers who asked for "
    "them, and offer the steel ones instead, which are in stock in every size that we sell."
)


async def _open(site: Site, page: Page, query: str) -> Bell:
    await page.goto(f"{site.url}/showcase/{query}")
    bell = Bell(page)
    await bell.open()
    return bell


async def _arrived(site: Site, username: str) -> None:
    await site.tell(
        username, "A text alone, without a title, a sender or a link.", level=STORED_DEBUG
    )
    await site.tell(
        username,
        LONG,
        level=STORED_ERROR,
        url="/plain/",
        data={"title": "Forks are late", "actor": "Mira Santos"},
    )
    await site.tell(
        username,
        "Release 4.13 goes out tonight at 22:00.",
        level=STORED_WARNING,
        data={"title": "Announcement", "actor": "Mira Santos"},
    )
    await site.tell(
        username,
        "Ready to be picked up.",
        level=STORED_SUCCESS,
        url="/plain/",
        data={"title": "Order 1042", "actor": "Ben Okafor"},
    )
    await site.tell(
        username,
        "Happy birthday from all of us!",
        level=STORED_INFO,
        data={"title": "Today", "icon": "★"},
    )
    await site.tell(
        username,
        "Mentioned you: “Could you look at this before noon?”",
        level=STORED_INFO,
        url="/plain/",
        data={"title": "A wheel that does not turn", "actor": "Ben Okafor"},
    )


async def list_of_unread(site: Site, page: Page, query: str) -> None:
    ada = somebody("ada")
    await _arrived(site, ada)
    await site.sign_in(page, ada)
    bell = await _open(site, page, query)
    await expect(bell.rows).to_have_count(6)


async def list_of_all(site: Site, page: Page, query: str) -> None:
    await list_of_unread(site, page, query)
    bell = Bell(page)
    await bell.tick("Today").click()
    await bell.tick("Forks are late").click()
    await bell.counts(4)
    await bell.tab_all.click()
    await expect(bell.rows).to_have_count(6)


async def held_back(site: Site, page: Page, query: str) -> None:
    """Somebody reads further down while news arrive."""
    ada = somebody("ada")
    await _arrived(site, ada)
    await _arrived(site, ada)
    await site.sign_in(page, ada)
    bell = await _open(site, page, query)
    await is_live(page)
    await expect(bell.rows).to_have_count(12)
    await bell.body.evaluate("(body) => body.scrollTo(0, 150)")
    await site.tell(ada, "One more", "And another")
    await expect(bell.newer).to_be_visible()


async def empty(site: Site, page: Page, query: str) -> None:
    await site.sign_in(page, somebody("ada"))
    bell = await _open(site, page, query)
    await expect(bell.panel).to_contain_text("All caught up")


async def empty_all(site: Site, page: Page, query: str) -> None:
    await empty(site, page, query)
    bell = Bell(page)
    await bell.tab_all.click()
    await expect(bell.panel).to_contain_text("Nothing here yet")


async def loading(site: Site, page: Page, query: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    await site.sign_in(page, somebody("ada"))
    await silence_sockets(page)
    await page.route(LISTS, hold)
    bell = await _open(site, page, query)
    await expect(bell.panel).to_contain_text("Loading")


async def error(site: Site, page: Page, query: str) -> None:
    await site.sign_in(page, somebody("ada"))
    await silence_sockets(page)
    await page.route(LISTS, lambda route: route.fulfill(status=500))
    bell = await _open(site, page, query)
    await expect(bell.panel).to_contain_text("could not be loaded")


async def signed_out(site: Site, page: Page, query: str) -> None:
    bell = await _open(site, page, query)
    await expect(bell.panel).to_contain_text("You are signed out")


async def polling(site: Site, page: Page, query: str) -> None:
    ada = somebody("ada")
    await _arrived(site, ada)
    await site.sign_in(page, ada)
    await page.clock.install()
    await page.route_web_socket("**/ws/inbox/", lambda socket: socket.close(code=4000))
    bell = await _open(site, page, query)
    await page.clock.run_for("01:00")
    await is_polling(page)
    await expect(bell.panel).to_contain_text("Not live")


async def offline(site: Site, page: Page, query: str) -> None:
    await polling(site, page, query)
    await page.route(LISTS, lambda route: route.abort())
    await page.clock.run_for("01:00")
    await expect(Bell(page).panel).to_contain_text("No connection")


async def refused(site: Site, page: Page, query: str) -> None:
    await list_of_unread(site, page, query)
    await page.route("**/read/", lambda route: route.fulfill(status=500))
    bell = Bell(page)
    await bell.tick("Today").click()
    await expect(bell.panel).to_contain_text("That did not work")


async def dismissed(site: Site, page: Page, query: str) -> None:
    await list_of_unread(site, page, query)
    bell = Bell(page)
    await bell.row("Order 1042").hover()
    await bell.dismiss("Order 1042").click()
    await expect(bell.rows).to_have_count(5)


async def toasts(site: Site, page: Page, query: str) -> None:
    ada = somebody("ada")
    await be_patient(page)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/extras/{query}")
    await is_live(page)
    for text, title in (
        ("Ready to be picked up.", "Order 1042"),
        ("Until the end of the month.", "Forks are late"),
    ):
        await site.tell(ada, text, level=STORED_SUCCESS, url="/plain/", data={"title": title})
        await expect(Bell(page).toasts.first).to_contain_text(text)
    await Bell(page).toasts.first.hover()


async def question(site: Site, page: Page, query: str) -> None:
    """Whether to show notifications on the desktop."""
    ada = somebody("ada")
    await _arrived(site, ada)
    await site.sign_in(page, ada)
    await leave_undecided(page)
    await page.goto(f"{site.url}/extras/{query}")
    bell = Bell(page)
    await bell.counts(6)
    await bell.open()
    await expect(bell.panel).to_contain_text("Show notifications on the desktop?")


async def shortcuts(site: Site, page: Page, query: str) -> None:
    """What each key does."""
    ada = somebody("ada")
    await _arrived(site, ada)
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/extras/{query}")
    bell = Bell(page)
    await bell.counts(6)
    await bell.open()
    await expect(bell.rows).to_have_count(6)
    await page.keyboard.press("j")
    await page.keyboard.press("?")
    await expect(bell.panel).to_contain_text("Next, previous")


async def closed(site: Site, page: Page, query: str) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/showcase/{query}")
    await Bell(page).counts(3)


async def closed_with_many(site: Site, page: Page, query: str) -> None:
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(120)))
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/showcase/{query}")
    await expect(Bell(page).badge).to_have_text("99+")


STATES: dict[str, Arrange] = {
    arrange.__name__: arrange
    for arrange in (
        closed,
        closed_with_many,
        list_of_unread,
        list_of_all,
        held_back,
        empty,
        empty_all,
        loading,
        error,
        signed_out,
        polling,
        offline,
        refused,
        dismissed,
        toasts,
        question,
        shortcuts,
    )
}
