"""The services themselves: each starts, answers and comes back after a restart."""

import psycopg
from playwright.async_api import Page
from redis import Redis

from tests.services.postgresql import PostgreSQL
from tests.services.redis import RedisServer
from tests.services.server import Serve


def test_redis_restarts_empty(redis_server: RedisServer, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.set("key", "value")
        redis_server.restart()
        assert client.get("key") is None


def test_postgresql_gives_each_its_own_database(postgres: PostgreSQL) -> None:
    one, other = postgres.create_database(), postgres.create_database()
    with psycopg.connect(postgres.url(one)) as connection:
        connection.execute("CREATE TABLE things (id integer)")
    postgres.restart()
    with psycopg.connect(postgres.url(other)) as connection:
        assert connection.execute("SELECT to_regclass('things')").fetchone() == (None,)
    with psycopg.connect(postgres.url(one)) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)


async def test_a_browser_sees_the_same_site_on_every_server(serve: Serve, page: Page) -> None:
    for server in serve("daphne"), serve("uvicorn"), serve("wsgi"):
        server.restart()
        for site in server.url, server.other_url:
            answer = await page.goto(f"{site}/plain/")
            assert answer is not None
            assert answer.status == 200
            assert await page.locator("body").inner_text() == "plain"
