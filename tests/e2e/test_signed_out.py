"""Sessions that end, or get another key, while a page is open."""

from playwright.async_api import Page

from tests.e2e.bell import Bell
from tests.e2e.conftest import StartSite
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, closed_with, is_live, record_sockets
from tests.services.browser import NewContext

QUICK = {"RECONCILE_INTERVAL": 1, "SESSION_INTERVAL": 2}


async def live(site: Site, page: Page, username: str) -> Bell:
    await record_sockets(page)
    bell = await site.sign_in(page, username)
    await is_live(page)
    await page.evaluate("globalThis.isTheSamePage = true")
    return bell


async def test_a_changed_password_signs_out_all_browsers_but_the_one(
    start_site: StartSite, new_context: NewContext
) -> None:
    site, ada = start_site(REALTIME=QUICK), somebody("ada")
    await site.tell(ada, "Secret")
    here = await (await new_context()).new_page()
    there = await (await new_context()).new_page()
    mine, elsewhere = await live(site, here, ada), await live(site, there, ada)
    traffic = Traffic(here)

    await here.context.request.get(f"{site.url}/new-password/")
    await closed_with(there, 4401)
    await elsewhere.is_signed_out()

    # The session of this browser has another key: the socket of the old one goes, and the bell stays.
    await closed_with(here, 4401)
    await is_live(here)
    await mine.counts(1)
    await site.tell(ada, "News")
    await mine.open()
    await mine.lists("News", "Secret")
    assert await here.evaluate("globalThis.isTheSamePage")
    await traffic.settle()
    assert len(traffic.lists) <= 2
    assert not traffic.complaints


async def test_a_deactivated_user_is_cut_off(start_site: StartSite, page: Page) -> None:
    site, ada = start_site(REALTIME=QUICK), somebody("ada")
    await site.tell(ada, "Secret")
    bell = await live(site, page, ada)
    site.server.project.shell(
        "from django.contrib.auth.models import User; "
        f"User.objects.filter(username={ada!r}).update(is_active=False)"
    )
    await closed_with(page, 4401)
    await bell.is_signed_out()
    await bell.counts(0)
