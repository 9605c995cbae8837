"""Many people, few browsers, two servers that take turns, and a shared cache in between: to each their own."""

import asyncio
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests

from tests.isolation.cache import shared_cache
from tests.isolation.people import Browser, Record
from tests.services.server import Project, Serve, Server
from tests.services.waiting import eventually

PEOPLE = [f"person-{number}" for number in range(8)]
BROWSERS, TURNS = 5, 4


@pytest.fixture
def servers(serve: Serve, project: Project, redis_url: str) -> list[Server]:
    settings = json.dumps({"REALTIME": {"RECONCILE_INTERVAL": 1}})
    project = replace(project, settings="tests.e2e.project.settings").with_env(
        CHANNEL_REDIS=redis_url, PROJECT_SETTINGS=settings
    )
    return [serve("daphne", project=project), serve("uvicorn", project=project)]


def tell(server: Server, *people: str) -> None:
    for person in people:
        message = {"to": [person], "texts": [f"for {person}"], "level": 21}
        message |= {"url": None, "data": {}, "safe": False}
        requests.post(f"{server.url}/tell/", json=message, timeout=60).raise_for_status()


@contextmanager
def senders(servers: list[Server], seed: int) -> Iterator[list[int]]:
    """Two that send to anybody, until the end of the block; the list has how often."""
    sent = [0]
    over = False

    def send(number: int) -> None:
        generator = random.Random(seed + number)
        while not over:
            tell(servers[number], generator.choice(PEOPLE))
            sent[0] += 1

    loop = asyncio.get_running_loop()
    tasks = [loop.run_in_executor(None, send, number) for number in range(2)]
    try:
        yield sent
    finally:
        over = True
        del tasks


async def test_nobody_is_shown_what_is_not_theirs(servers: list[Server]) -> None:
    seed = int(os.environ.get("SEED", "1"))  # another one takes other turns
    record = Record()
    await asyncio.to_thread(tell, servers[0], *PEOPLE)
    with shared_cache(*(server.port for server in servers)) as cache:
        browsers = [Browser(cache.url, PEOPLE, record, seed + number) for number in range(BROWSERS)]
        with senders(servers, seed) as sent:
            try:
                await asyncio.gather(*(browser.turns(TURNS) for browser in browsers))
                # Chance may have had them look and leave, before anything came to an open tab.
                await asyncio.gather(*(browser.open() for browser in browsers))
                await eventually(lambda: record.frames > BROWSERS, "frames at open tabs")
            finally:
                for browser in browsers:
                    await browser.close()
        assert not record.wrong, record.wrong
        assert len(set(record.keys.values())) == len(record.keys) > 1
        assert sent[0] > 0
        assert record.rows > BROWSERS
        await asyncio.to_thread(cache.keeps, "/static/realtime/inbox-client.js")


async def test_a_cache_that_does_not_obey_is_noticed(servers: list[Server]) -> None:
    """What the test above would say."""
    record = Record()
    await asyncio.to_thread(tell, servers[0], *PEOPLE)
    with shared_cache(*(server.port for server in servers), obeys=False) as cache:
        first, second = (Browser(cache.url, [], record, 0) for _ in range(2))
        await first.sign_in(PEOPLE[0])
        await second.sign_in(PEOPLE[1])
        for browser in (first, second):
            try:
                await browser.look()
            except AssertionError:  # the token of somebody else
                assert browser is second
            await browser.close()
    assert any("person-1 was shown 'for person-0'" in one for one in record.wrong)


def test_a_list_is_asked_for_anew_by_each(servers: list[Server]) -> None:
    """Conditional requests pass the cache too, and a tag of one person is none of another's."""
    tell(servers[0], *PEOPLE[:2])
    with shared_cache(servers[0].port) as cache:
        tags = {}
        for person in PEOPLE[:2]:
            with requests.Session() as http:
                http.get(f"{cache.url}/sign-in/{person}/", timeout=60)
                url = f"{cache.url}/messages/inbox/"
                answer = http.get(url, timeout=60)
                assert [one["text"] for one in answer.json()] == [f"for {person}"]
                tags[person] = answer.headers["ETag"]
                again = http.get(url, headers={"If-None-Match": tags[person]}, timeout=60)
                assert again.status_code == 304
                foreign = http.get(url, headers={"If-None-Match": tags[PEOPLE[0]]}, timeout=60)
                assert foreign.status_code == (304 if person == PEOPLE[0] else 200)
        assert len(set(tags.values())) == 2
