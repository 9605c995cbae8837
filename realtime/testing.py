"""For the tests of projects: a tab that listens.

::

    @pytest.mark.django_db(transaction=True)
    async def test_a_mention_arrives(user):
        async with InboxTab(user=user) as tab:
            await amention(user)
            frame = await tab.frame("stored")
        assert frame["message"]["text"] == "..."

The database must be committed to (``TransactionTestCase``, or ``transaction=True``): what is sent in a transaction that
never ends is never told.
"""

import asyncio
import json
from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from typing_extensions import Self

from realtime.asgi_types import Application
from realtime.conf import app_settings
from realtime.consumers import InboxConsumer

#: Seconds to wait for what should come in milliseconds.
TIMEOUT = 10.0
HOST = "testserver"


class InboxTab(WebsocketCommunicator):  # type: ignore[misc]
    """A socket of the inbox, open within ``async with``.

    Either of a ``user`` who needs no session, or of a signed-in test ``client``, whose cookies it sends to the whole
    of ``realtime.asgi.application``. ``application``, ``path`` and ``headers`` replace the usual ones.
    """

    def __init__(
        self,
        user: Any = None,
        client: Client | None = None,
        *,
        application: Application | None = None,
        path: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        sent = {"Host": HOST, "Origin": f"http://{HOST}", **(headers or {})}
        if client is not None and (morsel := client.cookies.get(settings.SESSION_COOKIE_NAME)):
            sent["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={morsel.value}"
        super().__init__(
            application or _application(direct=user is not None),
            path or f"/{app_settings.SOCKET_PATH.lstrip('/')}",
            headers=[(name.lower().encode(), value.encode()) for name, value in sent.items()],
        )
        if user is not None:
            self.scope["user"] = user
        self.sync: dict[str, Any] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and wait for the first sync, which is kept in ``sync``."""
        accepted, code = await self.connect(timeout=TIMEOUT)
        if not accepted:
            raise ConnectionRefusedError(f"The socket was refused during the handshake ({code}).")
        self.sync = await self.frame("sync")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.leave()

    async def frame(self, kind: str | None = None, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return the next frame, or the next of this type, passing over others.

        Raises ``TimeoutError`` when none comes, and ``ConnectionError`` when the socket is closed instead.
        """

        async def wait() -> dict[str, Any]:
            while True:
                output = await self.output_queue.get()
                if output["type"] == "websocket.close":
                    raise ConnectionError(f"The socket was closed with {output.get('code')}.")
                frame: dict[str, Any] = json.loads(output["text"])
                if kind is None or frame["type"] == kind:
                    return frame

        return await asyncio.wait_for(wait(), timeout)

    async def closed(self, timeout: float = TIMEOUT) -> int:
        """Wait until the server closes the socket and return the code, passing over frames."""

        async def wait() -> int:
            while True:
                output = await self.output_queue.get()
                if output["type"] == "websocket.close":
                    return int(output.get("code", 1000))

        return await asyncio.wait_for(wait(), timeout)

    async def leave(self) -> None:
        """Close the tab."""
        await self.disconnect(timeout=TIMEOUT)


def _application(*, direct: bool) -> Application:
    if direct:
        return InboxConsumer.as_asgi()  # type: ignore[no-any-return]
    from realtime.asgi import application

    return application  # type: ignore[no-any-return]
