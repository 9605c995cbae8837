"""The real bell in a real browser, compared with the truth."""

import re

from playwright.async_api import Page

from tests.e2e.bell import Bell
from tests.faults.run import Truth

#: Texts of a page as the bell lists them; each names its number.
_NUMBER = re.compile(r"for [^:]*: (\S+)")


class Watcher:
    """A person who looks at an open bell."""

    def __init__(self, page: Page) -> None:
        self._bell = Bell(page)
        self._name = ""

    async def visit(self, url: str, name: str) -> None:
        self._name = name
        await self._bell.page.goto(f"{url}/sign-in/{name}/")
        await self._bell.open()

    async def what_is_wrong(self, truth: Truth) -> str | None:
        """Badge and list against this user's unread messages; ``None`` when they agree."""
        wanted = [_NUMBER.findall(text)[0] for _, text in truth[self._name]]
        is_shown = await self._bell.badge.is_visible()
        badge = await self._bell.badge.inner_text() if is_shown else ""
        expected = "99+" if len(wanted) > 99 else str(len(wanted) or "")
        if badge != expected:
            return f"the badge shows {badge!r}, not {expected!r}"
        rows = [_NUMBER.findall(text)[0] for text in await self._bell.rows.all_inner_texts()]
        if rows != wanted[: len(rows)] or len(rows) < min(20, len(wanted)):
            return f"the panel lists {rows}, not {wanted}"
        return None
