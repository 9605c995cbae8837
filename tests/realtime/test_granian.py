"""What a real granian does that other servers do not: a close is lost while somebody waits for the client."""

import asyncio
from contextlib import AsyncExitStack
from http.client import HTTPConnection

from websockets.asyncio.client import connect

from tests.services.processes import HOST
from tests.services.server import Project, Serve
from tests.services.waiting import CEILING

SIGN_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user("ada"))
print(client.session.session_key)
"""


async def test_a_close_that_the_server_begins_arrives(serve: Serve, project: Project) -> None:
    cookie = f"sessionid={project.shell(SIGN_IN).split()[-1]}"
    granian = serve("granian", project=project)

    def sign_in_as_somebody_else() -> None:
        connection = HTTPConnection(HOST, granian.port, timeout=60)
        connection.request("GET", "/sign-in/ben/", headers={"Cookie": cookie})
        assert connection.getresponse().status == 302
        connection.close()

    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                connect(
                    granian.socket_url,
                    additional_headers={"Cookie": cookie},
                    origin=granian.url,
                    open_timeout=CEILING,
                )
            )
            for _ in range(5)
        ]
        for socket in sockets:
            assert "sync" in await socket.recv()
        await sockets[0].send("x")
        await asyncio.wait_for(sockets[0].wait_closed(), CEILING)
        assert sockets[0].close_code == 1008
        await asyncio.to_thread(sign_in_as_somebody_else)
        for socket in sockets[1:]:
            await asyncio.wait_for(socket.wait_closed(), CEILING)
            assert socket.close_code == 4401
    assert "Traceback" not in granian.log
