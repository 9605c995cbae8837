"""Projects that are set up in other ways: the bell works in all of them."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.conftest import StartSite
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, becomes, is_live, record_violations
from tests.services.waiting import eventually

TOKENS_ONLY = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
}


@pytest.mark.parametrize(
    "settings",
    [
        {
            "CSRF_COOKIE_HTTPONLY": True,
            "CSRF_COOKIE_NAME": "token",
            "CSRF_HEADER_NAME": "HTTP_X_XSRF_TOKEN",
        },
        {"CSRF_USE_SESSIONS": True, "REST_FRAMEWORK": TOKENS_ONLY},
    ],
    ids=["an http-only cookie, another header", "a token in the session, an API for tokens only"],
)
async def test_marking_read_from_a_page_without_a_form(
    settings: dict[str, Any], start_site: StartSite, page: Page
) -> None:
    site = start_site(**settings)
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    # No page that renders a token was ever opened in this browser.
    await site.switch_cookie(page.context, ada)
    traffic = Traffic(page)
    await page.goto(f"{site.url}/bare/")
    bell = Bell(page)
    await bell.counts(3)
    await is_live(page)
    await bell.open()
    await bell.tick("Two").click()
    await bell.lists("Three", "One")
    await eventually(lambda: _unread(site, ada, 2), "one is marked read")
    await bell.mark_all.click()
    await expect(bell.panel).to_contain_text("All caught up")
    await eventually(lambda: _unread(site, ada, 0), "all are marked read")
    await traffic.settle()
    assert not traffic.complaints
    assert len(traffic.actions) == 2


@pytest.mark.main_path
@pytest.mark.parametrize("language", ["en", "nl"])
async def test_under_the_strictest_policy(language: str, site: Site, page: Page) -> None:
    ada = somebody("ada")
    await record_violations(page)
    await site.tell(ada, *(f"Message {number}" for number in range(25)), url="/plain/")
    await site.sign_in(page, ada)
    await is_live(page)
    traffic = Traffic(page)
    await page.goto(f"{site.url}/strict/?language={language}")
    bell = Bell(page)
    await bell.counts(25)
    await is_live(page)
    await bell.open()
    await bell.scroll_to_end()
    await expect(bell.rows).to_have_count(25)
    await site.tell(ada, "News", data={"title": "Title", "actor": "Ben", "icon": "/favicon.ico"})
    await bell.counts(26)
    await bell.newer.click()
    picture = page.locator("notification-bell [part=level] img")
    await expect(picture).to_have_js_property("naturalWidth", 9)
    # It is placed and dressed, although no inline style is allowed.
    box = await bell.panel.bounding_box()
    assert box is not None
    assert 300 < box["width"] <= 400
    await bell.tick("Title").click()
    await bell.counts(25)
    await bell.mark_all.click()
    await bell.counts(0)
    await traffic.settle()
    assert await page.evaluate("globalThis.violations") == []
    assert not traffic.complaints

    # The policy is in force, and what records violations does.
    refused = "try { document.body.innerHTML = '<b>'; false } catch { true }"
    assert await page.evaluate(refused) is True
    await page.evaluate("document.body.append(document.createElement('style'))")
    await page.evaluate("document.querySelector('style').textContent = 'body { color: red }'")
    await becomes(page, "globalThis.violations.length >= 2")


async def _unread(site: Site, username: str, count: int) -> bool:
    return len(await site.unread(username)) == count
