"""A tab that listens, for tests that are coroutines."""

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
from realtime.testing.hearing import hears
from realtime.testing.reasons import why_nothing_came

#: Seconds to wait for what should come in milliseconds, and may take long on a busy machine.
TIMEOUT = 30.0
HOST = "testserver"


class InboxTab(WebsocketCommunicator):  # type: ignore[misc]
    """A socket of the inbox, open within ``async with``.

    Either of a ``user`` who needs no session, or of a signed-in test ``client``, whose cookies it sends to the whole
    of ``realtime.asgi.application``. ``application``, ``path`` and ``headers`` replace the usual ones. It is open once
    it hears what its user is told; with ``live=False`` once it has its first sync, whatever the channel layer does.

    ::

        @pytest.mark.django_db(transaction=True)
        async def test_a_mention_arrives(ada):
            async with InboxTab(user=ada) as tab:
                await amention(ada)
                await tab.received("Ann mentioned you")

    The database must be committed to: what is sent in a transaction that never ends is never told.
    """

    def __init__(
        self,
        user: Any = None,
        client: Client | None = None,
        *,
        application: Application | None = None,
        path: str | None = None,
        headers: dict[str, str] | None = None,
        live: bool = True,
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
        self._live = live

    async def __aenter__(self) -> Self:
        """Connect, and wait for the first sync, which is kept in ``sync``, and until news arrive."""
        accepted, code = await self.connect(timeout=TIMEOUT)
        if not accepted:
            raise ConnectionRefusedError(f"The socket was refused during the handshake ({code}).")
        self.sync = await self.frame("sync")
        if self._live:
            await hears(self.sync["user"], TIMEOUT)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.leave()

    async def frame(self, kind: str | None = None, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return the next frame, or the next of this type, passing over others.

        Raises ``asyncio.TimeoutError`` when none comes, saying why if that is known, and ``ConnectionError`` when the
        socket is closed instead.
        """

        async def wait() -> dict[str, Any]:
            while True:
                output = await self.output_queue.get()
                if output["type"] == "websocket.close":
                    raise ConnectionError(f"The socket was closed with {output.get('code')}.")
                frame: dict[str, Any] = json.loads(output["text"])
                if kind is None or frame["type"] == kind:
                    return frame

        try:
            return await asyncio.wait_for(wait(), timeout)
        except asyncio.TimeoutError as error:
            wanted = f"{kind!r} frame" if kind else "frame"
            reason = await why_nothing_came()
            raise asyncio.TimeoutError(f"No {wanted} within {timeout:g} s.{reason}") from error

    async def received(self, text: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Wait for a message with this text, passing over everything else, and return it.

        Raises ``AssertionError`` when it does not come, and says what came instead.
        """
        others: list[str] = []
        syncs: list[dict[str, Any]] = []

        async def wait() -> dict[str, Any]:
            while True:
                frame = await self.frame(timeout=timeout * 2)
                if frame["type"] == "sync":
                    syncs.append(frame)
                elif frame["type"] == "stored":
                    message: dict[str, Any] = frame["message"]
                    if message["text"] == text:
                        return message
                    others.append(message["text"])

        try:
            return await asyncio.wait_for(wait(), timeout)
        except asyncio.TimeoutError as error:
            came = f" There came {', '.join(map(repr, others))}." if others else ""
            reason = await why_nothing_came()
            if not others and any(one["digest"] != (self.sync or one)["digest"] for one in syncs):
                reason += (
                    " The inbox has changed, but nothing was told over the channel layer: it lost that, or whoever "
                    "sent it uses another one."
                )
            raise AssertionError(
                f"{text!r} did not come within {timeout:g} s.{came}{reason}"
            ) from error

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
