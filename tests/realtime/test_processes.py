"""A logout in one process closes the sockets of that session in another, at once."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import requests
from websockets.asyncio.client import ClientConnection, connect

from tests.services.server import Project, Serve, Server
from tests.services.waiting import CEILING

CASES: dict[str, dict[str, Any]] = {
    "db, in a transaction": {"SESSION_ENGINE": "django.contrib.sessions.backends.db"},
    "cache": {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"},
    "signed cookies": {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def servers(
    request: pytest.FixtureRequest, serve: Serve, project: Project, redis_url: str
) -> list[Server]:
    caches = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}
    }
    # Nothing is found by looking: an hour is longer than the test.
    rare = {"RECONCILE_INTERVAL": 1800, "SESSION_INTERVAL": 7200}
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": project.env["PROJECT_DATABASE"],
        "OPTIONS": {"timeout": 30},
        "ATOMIC_REQUESTS": "db" in request.param["SESSION_ENGINE"],
    }
    settings = {"REALTIME": rare, "CACHES": caches, "DATABASES": {"default": database}}
    project = replace(project, settings="tests.e2e.project.settings").with_env(
        CHANNEL_REDIS=redis_url, PROJECT_SETTINGS=json.dumps({**settings, **request.param})
    )
    return [serve("daphne", project=project), serve("uvicorn", project=project)]


async def test_a_logout_elsewhere(servers: list[Server]) -> None:
    first, second = servers
    leaving, staying = requests.Session(), requests.Session()
    for http in (leaving, staying):
        await get(http, f"{second.url}/sign-in/ada/")
    async with (
        tab(first, leaving) as one,
        tab(second, leaving) as two,
        tab(first, staying) as other,
    ):
        sockets = [one, two, other]
        await hears(second, sockets)
        page = await get(leaving, f"{second.url}/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        await asyncio.to_thread(
            leaving.post, f"{second.url}/logout/", data={"csrfmiddlewaretoken": token[1]}
        )
        for socket in (one, two):
            await asyncio.wait_for(socket.wait_closed(), CEILING)
            assert socket.close_code == 4401
        if "signed_cookies" in servers[0].project.env["PROJECT_SETTINGS"]:
            # Which sockets were that session's nobody can say: the others come back.
            await asyncio.wait_for(other.wait_closed(), CEILING)
            async with tab(first, staying):
                pass
        else:
            await hears(second, [other])
        async with tab(first, leaving, signed_in=False) as refused:
            await asyncio.wait_for(refused.wait_closed(), CEILING)
            assert refused.close_code == 4401


async def get(http: requests.Session, url: str) -> requests.Response:
    answer = await asyncio.to_thread(http.get, url)
    answer.raise_for_status()
    return answer


class tab:  # noqa: N801 - used as a function
    """A socket with the cookies of a browser, until the end of the block."""

    def __init__(self, server: Server, http: requests.Session, *, signed_in: bool = True) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        self._connecting = connect(
            server.socket_url,
            additional_headers={"Cookie": cookies},
            origin=server.url,
            open_timeout=CEILING,
            max_queue=None,  # what nobody reads is in the way of no close frame
        )
        self._signed_in = signed_in

    async def __aenter__(self) -> ClientConnection:
        socket = await self._connecting.__aenter__()
        if self._signed_in:
            assert "sync" in await socket.recv()
        return socket

    async def __aexit__(self, *exc_info: object) -> None:
        await self._connecting.__aexit__(*exc_info)


async def hears(server: Server, sockets: list[ClientConnection]) -> None:
    """Wait until all of these hear what is sent: their groups are joined in the background."""
    waiting = set(range(len(sockets)))
    while waiting:
        message = {"to": ["ada"], "texts": ["hello"], "level": 21, "url": None, "data": {}}
        await asyncio.to_thread(
            lambda message=message: requests.post(
                f"{server.url}/tell/", json={**message, "safe": False}
            ).raise_for_status()
        )
        for number in sorted(waiting):
            try:
                await asyncio.wait_for(sockets[number].recv(), 1)
            except asyncio.TimeoutError:
                continue
            waiting.discard(number)
