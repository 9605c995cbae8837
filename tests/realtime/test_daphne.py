"""What a real Daphne does that a communicator does not: it refuses to send some close codes."""

import pytest
from websockets.asyncio.client import connect

from tests.services.server import Project, Serve
from tests.services.waiting import CEILING

SIGN_IN_ADA = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
user = User.objects.create_user("ada")
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


@pytest.mark.parametrize("frame", ["x", b"x"], ids=["text", "binary"])
async def test_a_frame_from_the_client_closes_its_socket(
    serve: Serve, project: Project, frame: str | bytes
) -> None:
    session_key = project.shell(SIGN_IN_ADA).split()[-1]
    daphne = serve("daphne", project=project)
    headers = {"Cookie": f"sessionid={session_key}"}
    async with connect(
        daphne.socket_url, additional_headers=headers, origin=daphne.url, open_timeout=CEILING
    ) as socket:
        assert "sync" in await socket.recv()
        await socket.send(frame)
        await socket.wait_closed()
    assert socket.close_code == 4008
