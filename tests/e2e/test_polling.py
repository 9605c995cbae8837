"""Where sockets do not work the bell asks, says so once, and still tells the truth."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.conftest import StartSite
from tests.e2e.proxy import running_proxy
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, is_live, is_polling
from tests.services.waiting import eventually

# The server asks for 15 seconds between two lists; the client varies them by a tenth.
POLL = 17_000
RETRY = 76_000

SAID = re.compile(r"^No WebSocket at ws://.+/ws/inbox/: asking every [\d.]+ seconds\.$")


async def arrives_by_polling(site: Site, bell: Bell, username: str) -> None:
    await bell.counts(0)
    await site.tell(username, "News")
    await bell.page.clock.fast_forward(POLL)
    await bell.counts(1)
    await bell.open()
    await bell.lists("News")
    # The clock must not run on while an answer is on its way: that would take too long.
    async with bell.page.expect_response("**/read/"):
        await bell.tick("News").click()
    await bell.counts(0)
    await site.comes_to_hold(username)


@pytest.mark.parametrize("is_asgi", [True, False], ids=["meant to be live", "set up to poll"])
async def test_a_plain_wsgi_server(is_asgi: bool, start_site: StartSite, page: Page) -> None:
    site = start_site("wsgi", **({} if is_asgi else {"ASGI_APPLICATION": None}))
    traffic = Traffic(page)
    await page.clock.install()
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_polling(page)
    await arrives_by_polling(site, bell, ada)
    note = bell.panel.get_by_text("Not live.")
    await traffic.settle()
    assert not traffic.complaints
    if is_asgi:
        assert [bool(SAID.match(text)) for text in traffic.information] == [True]
        await expect(note).to_be_visible()
    else:
        assert not traffic.console
        assert not traffic.sockets
        await expect(note).to_be_hidden()


async def test_tabs_without_sockets_tell_each_other(start_site: StartSite, page: Page) -> None:
    site = start_site("wsgi", ASGI_APPLICATION=None)
    ada = somebody("ada")
    await site.tell(ada, "One", "Two")
    one = await site.sign_in(page, ada)
    await one.counts(2)
    other = await site.tab(page.context)
    await other.open()
    await other.tick("One").click()
    await one.counts(1)


@pytest.mark.main_path
async def test_a_proxy_that_refuses_sockets(site: Site, page: Page) -> None:
    async with running_proxy(site.server.port) as (proxy, address):
        traffic = Traffic(page)
        await page.clock.install()
        ada = somebody("ada")
        bell = await site.sign_in(page, ada, at=address)
        await is_polling(page)
        assert proxy.refused == 3
        assert [bool(SAID.match(text)) for text in traffic.information] == [True]
        await arrives_by_polling(site, bell, ada)
        await traffic.settle()

        # It tries again now and then, without another word.
        await page.clock.fast_forward(RETRY)
        await eventually(lambda: proxy.refused > 3, "another attempt")
        await traffic.settle()
        assert len(traffic.information) == 1
        assert not traffic.complaints

        # And is live when sockets work again.
        proxy.refuses_sockets = False
        await page.clock.fast_forward(RETRY)
        await is_live(page)
        await site.tell(ada, "Live again")
        await bell.counts(1)


@pytest.mark.chromium("another driver tells of no sockets")
async def test_a_page_of_another_site_gets_no_socket(site: Site, page: Page) -> None:
    ada = somebody("ada")
    # In this browser Ada is signed in at both addresses; each is a site of its own.
    await site.switch_cookie(page.context, ada)
    await site.sign_in(page, ada, at=site.other_url)
    await is_live(page)
    traffic = Traffic(page)
    await page.clock.install()
    await page.goto(f"{site.other_url}/embedding/?socket={site.server.socket_url}")
    await is_polling(page)
    assert {socket.url for socket in traffic.sockets} == {site.server.socket_url}
    assert len(traffic.sockets) == 3
    assert f"its origin '{site.other_url}' is not allowed" in site.server.log
    assert [bool(SAID.match(text)) for text in traffic.information] == [True]
    await arrives_by_polling(site, Bell(page), ada)
    await traffic.settle()
    assert not traffic.complaints


async def test_the_same_page_gets_its_own_sites_socket(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.sign_in(page, ada)
    await page.goto(f"{site.url}/embedding/?socket={site.server.socket_url}")
    await is_live(page)
    await site.tell(ada, "News")
    await Bell(page).counts(1)
