"""Whose pages may open a socket."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from realtime.origin import is_allowed
from realtime.testing import InboxTab
from tests.services.waiting import CEILING


def scope(host: str, scheme: str | None = "ws", **headers: str) -> dict[str, Any]:
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    made: dict[str, Any] = {
        "type": "websocket",
        "path": "/ws/inbox/",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    return {**made, "scheme": scheme} if scheme else made


@pytest.mark.parametrize(
    ("origin", "asked", "allowed"),
    [
        ("http://testserver", scope("testserver"), True),
        ("http://testserver:80", scope("testserver"), True),
        ("http://TESTSERVER", scope("testserver"), True),
        ("http://localhost:8000", scope("localhost:8000"), True),
        ("https://testserver", scope("testserver", "wss"), True),
        ("https://testserver:443", scope("testserver", "wss"), True),
        # Another scheme, port or host.
        ("https://testserver", scope("testserver"), False),
        ("http://testserver", scope("testserver", "wss"), False),
        ("http://localhost:8000", scope("localhost:8001"), False),
        ("http://evil.example", scope("testserver"), False),
        ("http://testserver.evil.example", scope("testserver"), False),
        ("http://evil.testserver", scope("testserver"), False),
        # A host that is not this site's, whatever the origin says.
        ("http://evil.example", scope("evil.example"), False),
        # What is no origin.
        ("null", scope("testserver"), False),
        ("", scope("testserver"), False),
        ("testserver", scope("testserver"), False),
        ("file://testserver", scope("testserver"), False),
        ("http://[testserver", scope("testserver"), False),
        ("http://testserver:nonsense", scope("testserver"), False),
        # Daphne does not say whether the socket came by TLS.
        ("http://testserver", scope("testserver", None), True),
        ("https://testserver", scope("testserver", None), True),
        ("https://evil.example", scope("testserver", None), False),
    ],
)
def test_this_sites_own(origin: str, asked: dict[str, Any], allowed: bool) -> None:
    assert is_allowed(origin, asked) is allowed


def test_a_site_that_sends_everybody_to_https_where_the_server_does_not_say(
    settings: Settings,
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert is_allowed("https://testserver", scope("testserver", None))
    assert not is_allowed("http://testserver", scope("testserver", None))


@pytest.mark.parametrize("scheme", ["ws", None])
def test_behind_a_proxy_that_speaks_tls(settings: Settings, scheme: str | None) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    asked = scope("testserver", scheme, x_forwarded_proto="https")
    assert is_allowed("https://testserver", asked)
    assert not is_allowed("http://testserver", asked)
    asked = scope("testserver", scheme, x_forwarded_proto="http")
    assert not is_allowed("https://testserver", asked)


def test_behind_a_proxy_that_names_the_host(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["site.example"]
    asked = scope("10.0.0.7:8000", x_forwarded_host="site.example")
    assert not is_allowed("http://site.example", asked)
    settings.USE_X_FORWARDED_HOST = True
    assert is_allowed("http://site.example", asked)


def test_trusted_origins(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.team.example"]
    asked = scope("testserver")
    assert is_allowed("https://app.example", asked)
    assert is_allowed("https://one.team.example", asked)
    assert is_allowed("https://a.b.team.example", asked)
    assert not is_allowed("http://app.example", asked)
    assert not is_allowed("https://app.example:8443", asked)
    assert not is_allowed("http://one.team.example", asked)
    assert not is_allowed("https://evilteam.example", asked)
    assert not is_allowed("https://team.example.evil.example", asked)


async def test_a_foreign_page_is_refused_during_the_handshake(
    user: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    tab = InboxTab(client=client, headers={"Origin": "http://evil.example"})
    accepted, _ = await tab.connect(timeout=CEILING)
    assert not accepted
    # Not asyncio's, of what another test left, when that is collected.
    said = [record.getMessage() for record in caplog.records if record.name == "realtime"]
    assert said == ["A socket was refused: its origin 'http://evil.example' is not allowed."]


async def without_origin(client: Client, **headers: str) -> InboxTab:
    tab = InboxTab(client=client, headers=headers)
    tab.scope["headers"] = [pair for pair in tab.scope["headers"] if pair[0] != b"origin"]
    return tab


async def test_no_origin_needs_credentials_of_its_own(user: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    tab = await without_origin(client)
    accepted, _ = await tab.connect(timeout=CEILING)
    assert not accepted


async def test_no_origin_and_an_authorization_header_and_cookies_are_ignored(user: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(user)
    tab = await without_origin(client, Authorization="Token 123")
    assert await tab.connect(timeout=CEILING) == (True, None)
    # The token means nothing to this project, and the session nothing to the socket.
    assert await tab.closed() == 4401
    await tab.leave()
