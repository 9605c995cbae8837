"""Links that are none: whatever a row or an answer holds, the browser is not given a script."""

from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.site import Site, somebody

SCRIPT = "javascript:document.title='owned'"


async def test_a_script_in_the_database_is_never_a_link(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Good", url="/plain/")
    await site.tell(ada, "Bad", url="/plain/")
    site.server.project.shell(
        "from stored_messages.models import Message\n"
        f"Message.objects.filter(message='Bad', deliveries__user__username={ada!r})"
        f".update(url={SCRIPT!r})"
    )
    bell = await site.sign_in(page, ada)
    title = await page.title()
    await bell.open()
    await bell.lists("Bad", "Good")
    await expect(bell.row("Good").get_by_role("link")).to_have_count(1)
    await expect(bell.row("Bad").get_by_role("link")).to_have_count(0)
    await bell.row("Bad").click()
    assert await page.title() == title


@pytest.mark.parametrize(
    "url", [SCRIPT, " \tjava\nscript:alert(1)", "data:text/html,owned", "vbscript:x", "http://["]
)
async def test_nor_is_one_that_the_server_lets_through(url: str, site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "Bad", url="/plain/")

    async def answer(route: Route) -> None:
        response = await route.fetch()
        items: list[dict[str, Any]] = await response.json()
        await route.fulfill(response=response, json=[{**item, "url": url} for item in items])

    await page.route("**/messages/inbox/*", answer)
    bell = await site.sign_in(page, ada)
    await bell.open()
    await bell.lists("Bad")
    await expect(bell.rows.get_by_role("link")).to_have_count(0)
    await expect(bell.tick("Bad")).to_be_visible()
