"""A running site with the pages of `tests.e2e.project`, and what its own process can be asked for."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

from playwright.async_api import BrowserContext, Page

from stored_messages.constants import STORED_INFO
from tests.e2e.bell import Bell
from tests.services.server import Server
from tests.services.waiting import eventually

SETTINGS = "tests.e2e.project.settings"
_TIMEOUT = 120.0


def somebody(name: str) -> str:
    """The name of a user whom no other test knows: tests share their server."""
    return f"{name}-{uuid4().hex[:10]}"


def send_from_a_shell(site: "Site", username: str, *texts: str) -> None:
    """Runs `manage.py shell`, as somebody at a terminal would, and sends all in one transaction."""
    site.server.project.shell(
        "import stored_messages\n"
        "from django.contrib.auth import get_user_model\n"
        "from django.db import transaction\n"
        f"user = get_user_model().objects.get(username={username!r})\n"
        "with transaction.atomic():\n"
        f"    for text in {texts!r}:\n"
        "        stored_messages.add_message_for([user], stored_messages.STORED_INFO, text)\n"
    )


def _request(url: str, body: bytes | None) -> bytes:
    with urlopen(Request(url, data=body), timeout=_TIMEOUT) as answer:
        content: bytes = answer.read()
        return content


class Site:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.other_url = server.other_url

    async def tell(
        self,
        to: str | Sequence[str],
        *texts: str,
        level: int = STORED_INFO,
        url: str | None = None,
        data: dict[str, Any] | None = None,
        safe: bool = False,
    ) -> None:
        """Sends each text as a message, from the server's process. Unknown users are created."""
        message = {
            "to": [to] if isinstance(to, str) else to,
            "texts": texts,
            "level": level,
            "url": url,
            "data": data or {},
            "safe": safe,
        }
        body = json.dumps(message).encode()
        await asyncio.to_thread(_request, f"{self.url}/tell/", body)

    async def unread(self, username: str) -> list[str]:
        """The texts that this user's inbox holds on the server."""
        answer = await asyncio.to_thread(_request, f"{self.url}/unread/{username}/", None)
        texts: list[str] = json.loads(answer)
        return texts

    async def comes_to_hold(self, username: str, *texts: str) -> None:
        """Waits until the server knows: the bell shows what is done before that."""

        async def does() -> bool:
            return await self.unread(username) == list(texts)

        await eventually(does, f"the inbox holds {texts}")

    async def sign_in(self, page: Page, username: str, *, at: str | None = None) -> Bell:
        """Signs in on this page, which then shows the site's first one."""
        await page.goto(f"{at or self.url}/sign-in/{username}/")
        return Bell(page)

    async def tab(self, context: BrowserContext, path: str = "/") -> Bell:
        """Opens another tab."""
        page = await context.new_page()
        await page.goto(f"{self.url}{path}")
        return Bell(page)

    async def switch_cookie(self, context: BrowserContext, username: str) -> None:
        """Signs in with this browser's cookies while no page of it looks on."""
        await context.request.get(f"{self.url}/sign-in/{username}/")
