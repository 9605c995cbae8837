#!/usr/bin/env python3
"""Firefox for Playwright, which drives it by WebDriver BiDi: started in place of Firefox, with its arguments.

It starts Firefox and hands the messages of the two to each other. Playwright emulates media features in every
profile, which Debian's Firefox does not know yet and Playwright does not do without: that it did nothing is
taken for a yes. With a Firefox that knows them, nothing is changed here.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_ADDRESS = re.compile(rb"(?<=WebDriver BiDi listening on )ws://\S+")
_EMULATION = "emulation.setMediaFeaturesOverride"
_LARGEST_LINE = 1_000_000


def as_it_is(message: str | bytes) -> str | bytes:
    return message


def without_refusal(message: str | bytes) -> str | bytes:
    if '"unknown command"' in str(message) and _EMULATION in str(message):
        return json.dumps({"type": "success", "id": json.loads(message)["id"], "result": {}})
    return message


async def hand_on(
    giver: ClientConnection | ServerConnection,
    taker: ClientConnection | ServerConnection,
    change: Callable[[str | bytes], str | bytes],
) -> None:
    with suppress(ConnectionClosed):
        async for message in giver:
            await taker.send(change(message))
    await taker.close()


async def run(firefox: str, *arguments: str) -> int:
    # A page that crashes fails its own test, not all that come after it.
    os.environ.pop("MOZ_CRASHREPORTER_SHUTDOWN", None)
    process = await asyncio.create_subprocess_exec(
        firefox, *arguments, stderr=asyncio.subprocess.PIPE, limit=_LARGEST_LINE
    )
    assert process.stderr is not None
    address = ""

    async def introduce(playwright: ServerConnection) -> None:
        async with connect(f"{address}/session", max_size=None, ping_interval=None) as browser:
            await asyncio.gather(
                hand_on(playwright, browser, as_it_is),
                hand_on(browser, playwright, without_refusal),
            )

    async with serve(introduce, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        async for line in process.stderr:
            if found := _ADDRESS.search(line):
                address = found[0].decode()
            sys.stderr.buffer.write(_ADDRESS.sub(b"ws://127.0.0.1:%d" % port, line))
            sys.stderr.flush()
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(os.environ["FIREFOX"], *sys.argv[1:])))
