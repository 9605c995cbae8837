"""The bell as a person knows it: by its roles, names and texts."""

import re

from playwright.async_api import Locator, Page, expect


class Bell:
    """A bell of a page, the first one as a rule, whatever the page shows by now."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self._element = page.locator("notification-bell").nth(index)
        self.button = self._element.get_by_role("button", name=re.compile("^Notifications"))
        self.badge = self._element.locator("[part=badge]")
        self.panel = self._element.get_by_role("dialog", name="Notifications")
        self.rows = self.panel.get_by_role("listitem")
        self.mark_all = self.panel.get_by_role("button", name="Mark all as read")
        self.load_more = self.panel.get_by_role("button", name="Load more")
        self.body = self.panel.locator("[part=body]")
        self.newer = self.panel.locator("[part=newer]")
        self.undo = self.panel.get_by_role("button", name="Undo")
        self.tab_unread = self.panel.get_by_role("tab", name="Unread")
        self.tab_all = self.panel.get_by_role("tab", name="All")
        self.toasts = self._element.locator("[part=toast]")
        self.link_of_panel = self.panel.locator("[part~=all]")

    async def open(self) -> None:
        # Browsers take their time to paint what nobody looks at.
        await self.page.bring_to_front()
        await self.button.click()
        await expect(self.panel).to_be_visible()

    def row(self, text: str | re.Pattern[str]) -> Locator:
        return self.rows.filter(has_text=text)

    def tick(self, text: str) -> Locator:
        return self.panel.get_by_role("button", name=f"Mark as read: {text}", exact=True)

    def untick(self, text: str) -> Locator:
        return self.panel.get_by_role("button", name=f"Mark as unread: {text}", exact=True)

    def dismiss(self, text: str) -> Locator:
        return self.panel.get_by_role("button", name=f"Dismiss: {text}", exact=True)

    async def scroll_to_end(self) -> None:
        await self.body.evaluate("(body) => body.scrollTo(0, body.scrollHeight)")

    async def scroll_position(self) -> float:
        position: float = await self.body.evaluate("(body) => body.scrollTop")
        return position

    async def counts(self, unread: int) -> None:
        """Expects this number, to the eye and to the ear."""
        if unread:
            await expect(self.badge).to_have_text(str(unread))
            await expect(self.badge).to_be_visible()
            await expect(self.button).to_have_accessible_name(f"Notifications, {unread} unread")
        else:
            await expect(self.badge).to_be_hidden()
            await expect(self.button).to_have_accessible_name("Notifications")

    async def lists(self, *texts: str) -> None:
        """Expects exactly these rows in the open panel, from top to bottom."""
        await expect(self.rows).to_contain_text(list(texts))
        await expect(self.rows).to_have_count(len(texts))

    async def is_signed_out(self) -> None:
        await expect(self.badge).to_be_hidden()
        if not await self.panel.is_visible():
            await self.open()
        await expect(self.panel).to_contain_text("You are signed out")
        await expect(self.rows).to_have_count(0)
