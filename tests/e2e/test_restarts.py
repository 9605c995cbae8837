"""Servers that go and come back, and what other processes send: the bells show the truth."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import StartSite
from tests.e2e.site import Site, send_from_a_shell, somebody
from tests.e2e.watching import Traffic, is_live
from tests.services.browser import NewContext
from tests.services.waiting import eventually


@pytest.mark.main_path
async def test_the_server_restarts_while_pages_are_open(
    start_site: StartSite, page: Page, new_context: NewContext
) -> None:
    site = start_site(REALTIME={"RECONCILE_INTERVAL": 2})
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell([ada, ben], "Before")
    adas = await site.sign_in(page, ada)
    bens = await site.sign_in(await (await new_context()).new_page(), ben)
    for bell in (adas, bens):
        await bell.counts(1)
        await is_live(bell.page)
    # Two that keep what is read while no server answers.
    await page.goto(f"{site.url}/bare/?tabs")
    await is_live(page)
    other = await site.tab(page.context, "/bare/?tabs")
    await is_live(other.page)
    await adas.open()

    site.server.stop()
    send_from_a_shell(site, ada, "While it was down")
    await adas.lists("Before")
    # What is read now is kept, and done when there is a server again; taken back, it is not.
    client = "document.querySelector('notification-bell').client"
    before: str = await page.evaluate(f"{client}.items[0].id")
    for _ in range(2):
        await adas.tick("Before").click()
        await adas.counts(0)
        await other.counts(0)
        await page.evaluate(f"(id) => {{ {client}.markUnread(id) }}", before)
        await adas.counts(1)
        await other.counts(1)
    await adas.tick("Before").click()
    await other.counts(0)
    site.server.start()

    for bell in (adas, bens):
        await is_live(bell.page)
    await adas.lists("While it was down")
    for bell in (adas, other, bens):
        await bell.counts(1)
    await site.tell(ada, "Afterwards")
    await adas.lists("Afterwards", "While it was down")
    await site.comes_to_hold(ada, "Afterwards", "While it was down")


@pytest.mark.main_path
async def test_another_process_sends_while_pages_are_connected(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await bell.counts(0)
    # Its in-memory channel layer reaches nobody here: the summaries tell.
    send_from_a_shell(site, ada, "From a terminal")
    await bell.counts(1)
    await bell.open()
    await bell.lists("From a terminal")


async def test_two_processes_on_one_channel_layer(
    start_site: StartSite, redis_url: str, page: Page, new_context: NewContext
) -> None:
    # Nothing is reconciled within this test: what arrives came through Redis.
    settings: dict[str, Any] = {
        "REALTIME": {"RECONCILE_INTERVAL": 3600},
        "CHANNEL_LAYERS": {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [redis_url]},
            }
        },
    }
    one, other = start_site("daphne", **settings), start_site("daphne", **settings)
    ada = somebody("ada")
    first = await one.sign_in(page, ada)
    await is_live(page)

    async def arrived() -> bool:
        await other.tell(ada, "Is anybody there?")
        return await first.badge.is_visible()

    # Sockets do not wait for the layer: the process may still be joining the user's group.
    await eventually(arrived, "the processes hear each other")
    bell = await one.tab(page.context)
    await is_live(bell.page)
    await bell.open()
    await expect(bell.row("Is anybody there?")).not_to_have_count(0)

    traffic = Traffic(bell.page)
    await other.tell(ada, "Across")
    await expect(bell.row("Across")).to_be_visible()
    # What is done at one is seen at the other.
    there = await other.sign_in(await (await new_context()).new_page(), ada)
    await there.open()
    await there.tick("Across").click()
    await expect(bell.row("Across")).to_have_count(0)
    await traffic.settle()
    assert not traffic.lists
