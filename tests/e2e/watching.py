"""What a page does on the network and says in the console."""

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebSocket,
    WebSocketRoute,
)

from tests.services.waiting import CEILING, eventually

# Who lost the server waits up to half a minute between two attempts.
_LONG_CEILING = 120.0

_BELL = "document.querySelector('notification-bell')"

# Close codes are not among what the browser's driver tells: the page's own events are.
_RECORD_SOCKETS = """
globalThis.sockets = [];
globalThis.closeCodes = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    globalThis.sockets.push(this);
    this.addEventListener("close", ({ code }) => globalThis.closeCodes.push(code));
  }
};
"""

# Every violation of the page's policy, from its first moment on.
_RECORD_VIOLATIONS = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""

# A browser whose user has not decided yet, and what is answered when asked.
_UNDECIDED = """
globalThis.asked = 0;
globalThis.Notification = class extends EventTarget {
  static get permission() { return localStorage.getItem("permission") ?? "default"; }
  static async requestPermission() {
    asked += 1;
    if (!navigator.userActivation.isActive) throw new Error("not by a click");
    localStorage.setItem("permission", globalThis.answer);
  }
  close() {}
};
"""


# What is shorter belongs to how things look.
_PATIENCE = """
{
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (callback, delay, ...rest) =>
    setTimeout(callback, delay >= 500 ? 20 * delay : delay, ...rest);
}
"""


class Traffic:
    """Everything that a page asks for and says, from now on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.requests: list[Request] = []
        self.sockets: list[WebSocket] = []
        self.console: list[ConsoleMessage] = []
        page.on("request", self._asked)
        page.on("websocket", self._opened)
        page.on("console", self._said)

    # The driver wants handlers that can carry an attribute: the lists' own `append` cannot.
    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(message)

    def clear(self) -> None:
        self.requests.clear()
        self.sockets.clear()
        self.console.clear()

    @property
    def lists(self) -> list[Request]:
        return [one for one in self.requests if urlsplit(one.url).path == "/messages/inbox/"]

    @property
    def actions(self) -> list[Request]:
        return [one for one in self.requests if one.method == "POST"]

    @property
    def information(self) -> list[str]:
        return [one.text for one in self.console if one.type == "info"]

    @property
    def complaints(self) -> list[str]:
        """Warnings and errors, without those that the browser itself writes about a socket."""
        return [
            one.text
            for one in self.console
            if one.type in {"error", "warning"} and not one.text.startswith("WebSocket connection")
        ]

    async def settle(self) -> None:
        """Everything that the page has asked for and said so far is known when this returns."""
        await self._page.evaluate("fetch('/plain/').then((answer) => answer.text())")


async def silence_sockets(page: Page) -> None:
    """From the next page on sockets open, and nothing comes."""

    def hold(socket: WebSocketRoute) -> None:
        """Not connected to the server."""

    await page.route_web_socket("**/ws/inbox/", hold)


async def record_sockets(where: Page | BrowserContext) -> None:
    """From the next page on the following two can be asked."""
    await where.add_init_script(_RECORD_SOCKETS)


async def record_violations(page: Page) -> None:
    """From the next page on `globalThis.violations` has what its policy forbade."""
    await page.add_init_script(_RECORD_VIOLATIONS)


async def hide(page: Page) -> None:
    """As if another tab came before this one: to Playwright's browser every page is in view."""
    await _turn(page, "hidden")


async def show(page: Page) -> None:
    """As if this tab came to the front."""
    await _turn(page, "visible")


async def _turn(page: Page, state: str) -> None:
    await page.evaluate(
        """(state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          Object.defineProperty(document, "hidden", { value: state === "hidden", configurable: true });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }""",
        state,
    )


async def leave_undecided(page: Page) -> None:
    """From the next page on nobody has said whether the site may show notifications; `globalThis.answer` is what
    they will say, and `asked` how often they were asked."""
    await page.add_init_script(_UNDECIDED)


async def be_patient(where: Page | BrowserContext) -> None:
    """From the next page on it waits for everything twenty times as long: an undo and a toast are still there when a
    busy machine comes to click on them, and what is held back is not given up."""
    await where.add_init_script(_PATIENCE)


async def stop_the_clock(page: Page) -> None:
    """From the next page on time passes in this browser only when `page.clock` is told so, however long things take.

    Until then nothing is painted either; what a page knows by then can be asked of `knows_of`.
    """
    await page.clock.install()
    await page.clock.pause_at(datetime.now(timezone.utc) + timedelta(hours=1))


async def open_sockets(page: Page) -> int:
    """How many sockets the page has open, or is about to."""
    count: int = await page.evaluate("sockets.filter((one) => one.readyState <= 1).length")
    return count


async def becomes(page: Page, expression: str, arg: Any = None, *, timeout: float = CEILING) -> Any:
    """Waits until JavaScript has a true value in the page, and returns it.

    The driver's own way, `wait_for_function`, evaluates text from within the page, which a strict policy forbids.
    """

    async def value() -> Any:
        try:
            return await page.evaluate(expression, arg)
        except Error as error:
            if "context was destroyed" in error.message:  # the page is being left
                return None
            raise

    return await eventually(value, expression, timeout=timeout)


async def closed_with(page: Page, code: int) -> None:
    """Waits until a socket of the page was closed with this code."""
    await becomes(page, "(code) => globalThis.closeCodes.includes(code)", code)


async def is_live(page: Page) -> None:
    """Waits until the page's bell hears the server on its socket, and has its list: what comes now is an arrival."""
    await _has_status(page, "live")
    await has_listed(page)


async def has_listed(page: Page) -> None:
    """Waits for the first list. What it brings was there before, and is no arrival."""
    await becomes(page, f"{_BELL}?.client?.loaded", timeout=_LONG_CEILING)


async def knows_of(page: Page, unread: int) -> None:
    """Waits until the page's bell knows of so many, whether they are painted or not."""
    await becomes(page, f"(count) => {_BELL}.client.unread === count", unread)


async def is_polling(page: Page) -> None:
    """Waits until the page's bell has given up on sockets."""
    await _has_status(page, "polling")


async def _has_status(page: Page, status: str) -> None:
    await becomes(
        page, f"(status) => {_BELL}?.client?.status === status", status, timeout=_LONG_CEILING
    )
