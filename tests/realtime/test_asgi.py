"""The application that is ready to serve, at the root and below a sub-path."""

import importlib
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import HttpCommunicator
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

import realtime.asgi
from realtime.asgi import application
from realtime.routing import socket_stack, websocket_urlpatterns
from realtime.testing import InboxTab
from tests.services.waiting import CEILING


async def test_django_answers_http(transactional_db: None) -> None:
    communicator = HttpCommunicator(
        application, "GET", "/plain/", headers=[(b"host", b"testserver")]
    )
    response = await communicator.get_response(timeout=30)
    await communicator.wait(timeout=30)
    assert (response["status"], response["body"]) == (200, b"plain")


@pytest.mark.parametrize(
    ("path", "root_path", "script_name"),
    [
        ("/ws/inbox/", "", None),
        ("/app/ws/inbox/", "/app", None),
        ("/app/ws/inbox/", "/app/", None),
        # A proxy has taken the prefix off already.
        ("/ws/inbox/", "/app", None),
        ("/app/ws/inbox/", "", "/app"),
        ("/ws/inbox/", "", "/app"),
        ("/app/ws/inbox/", "/app", "/app"),
        # The server puts it before what the proxy has left in place.
        ("/app/app/ws/inbox/", "/app", "/app"),
    ],
)
async def test_the_socket_is_found_below_a_prefix(
    user: User, settings: Settings, path: str, root_path: str, script_name: str | None
) -> None:
    settings.FORCE_SCRIPT_NAME = script_name
    client = Client()
    await sync_to_async(client.force_login)(user)
    tab = InboxTab(client=client, path=path)
    tab.scope["root_path"] = root_path
    async with tab:
        assert tab.sync is not None


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/inbox/more/", "/apps/ws/inbox/", "/app"])
async def test_other_sockets_are_refused(transactional_db: None, path: str) -> None:
    tab = InboxTab(client=Client(), path=path)
    tab.scope["root_path"] = "/app"
    accepted, _ = await tab.connect(timeout=CEILING)
    assert not accepted
    await tab.wait(CEILING)


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[None]:
    settings.REALTIME = {**settings.REALTIME, "SOCKET_PATH": "live/mine/"}
    importlib.reload(realtime.asgi)
    yield
    settings.REALTIME = {}
    importlib.reload(realtime.asgi)


async def test_the_path_is_a_setting(user: User, elsewhere: None) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    async with InboxTab(client=client, application=realtime.asgi.application) as tab:
        assert tab.scope["path"] == "/live/mine/"


async def test_the_pieces_for_an_application_of_ones_own(user: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    mine = socket_stack(URLRouter([*websocket_urlpatterns]))
    async with InboxTab(client=client, application=mine) as tab:
        assert tab.sync is not None
