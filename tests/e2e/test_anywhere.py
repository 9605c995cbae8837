"""Pages of every kind: cached, hashed, below a path, with several bells, swapped, loaded twice."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from stored_messages.constants import STORED_WARNING
from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.test_tabs import freeze
from tests.e2e.watching import (
    Traffic,
    be_patient,
    becomes,
    has_listed,
    is_live,
    is_polling,
    open_sockets,
    record_sockets,
)
from tests.project.settings import MIDDLEWARE
from tests.services.browser import NewContext
from tests.services.packages import npm_package
from tests.services.server import ROOT, Project, Serve
from tests.services.waiting import eventually

SWAPS = 100

WHITENOISE = {
    "MIDDLEWARE": ["whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    },
    "WHITENOISE_KEEP_ONLY_HASHED_FILES": True,
}

_RECORD_SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    shifts.push([value, ...sources.map(({ node }) => node?.nodeName)]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


async def test_a_cached_page_is_everybodys(site: Site, page: Page, new_context: NewContext) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    await site.tell(ada, "One", "Two")
    await site.tell(ben, "Three")
    await site.sign_in(page, ada)
    other = await (await new_context()).new_page()
    await site.sign_in(other, ben)
    answers = [await one.goto(f"{site.url}/cached/") for one in (page, other)]
    bodies = {await answer.text() for answer in answers if answer}
    assert len(bodies) == 1
    await Bell(page).counts(2)
    await Bell(other).counts(1)
    # Marking read needs a token that no cached page can hold.
    bell = Bell(page)
    await bell.open()
    await bell.tick("One").click()
    await site.comes_to_hold(ada, "Two")


@pytest.mark.main_path
async def test_minified_files_do_the_same(site: Site, page: Page, tmp_path: Path) -> None:
    npm_package("terser")
    minify = ["node", ROOT / "tools/minify.mjs", tmp_path]
    await asyncio.to_thread(subprocess.run, minify, check=True)
    served: set[str] = set()

    async def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        served.add(name)
        await route.fulfill(path=tmp_path / name, content_type="text/javascript")

    await page.context.route("**/static/realtime/*.js", serve)
    await be_patient(page.context)
    await record_sockets(page.context)
    ada = somebody("ada")
    await site.tell(ada, *(f"Message {number}" for number in range(25)))
    await site.switch_cookie(page.context, ada)
    bells = [await site.tab(page.context, "/strict/?tabs&extras") for _ in range(2)]
    traffic = Traffic(bells[1].page)
    for bell in bells:
        await is_live(bell.page)
        await has_listed(bell.page)
    assert sum([await open_sockets(bell.page) for bell in bells]) == 1
    first, second = bells
    await second.open()
    await second.scroll_to_end()
    await expect(second.rows).to_have_count(25)
    await site.tell(
        ada, "News", level=STORED_WARNING, data={"title": "Title", "icon": "\N{BICYCLE}"}
    )
    for bell in bells:
        await bell.counts(26)
    await second.newer.click()
    await second.dismiss("Title").focus()
    await second.page.keyboard.press("Enter")
    await second.counts(25)
    await first.counts(26)
    await second.undo.click()
    await second.counts(26)
    await second.tick("Title").click()
    await first.counts(25)
    await second.tab_all.click()
    await second.untick("Title").click()
    await first.counts(26)
    await second.mark_all.click()
    await first.counts(0)
    await site.comes_to_hold(ada)
    assert served == {
        "inbox-client.js",
        "inbox-tabs.js",
        "notification-bell.js",
        "notification-desktop.js",
        "notification-extras.js",
        "notification-keys.js",
        "notification-sound.js",
    }
    await traffic.settle()
    assert not traffic.complaints


async def test_hashed_files_alone_are_enough(
    project: Project, serve: Serve, page: Page, tmp_path: Any
) -> None:
    settings = {**WHITENOISE, "STATIC_ROOT": str(tmp_path / "static")}
    hashed = project.with_env(PROJECT_SETTINGS=json.dumps(settings))
    hashed.manage("collectstatic", "--noinput", "--verbosity=0")
    shipped = sorted(one.name for one in (tmp_path / "static/realtime").glob("*.js"))
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in shipped)
    site = Site(serve(project=hashed))
    ada = somebody("ada")
    await site.tell(ada, "One")
    traffic = Traffic(page)
    bell = await site.sign_in(page, ada)
    await bell.counts(1)
    await is_live(page)
    await bell.open()
    await bell.tick("One").click()
    await site.comes_to_hold(ada)
    await traffic.settle()
    scripts = [one.url for one in traffic.requests if one.resource_type == "script"]
    assert scripts
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", url) for url in scripts)
    assert not traffic.complaints


async def test_below_a_path(serve: Serve, page: Page) -> None:
    site = Site(serve(root_path="/site"))
    ada = somebody("ada")
    await site.tell(ada, "One", "Two")
    bell = await site.sign_in(page, ada)
    assert page.url == f"{site.url}/"
    await bell.counts(2)
    await is_live(page)
    await bell.open()
    await bell.tick("Two").click()
    await bell.lists("One")
    await bell.tab_all.click()
    await bell.lists("Two", "One")
    await site.comes_to_hold(ada, "One")
    link = await bell.link_of_panel.evaluate("(link) => link.href")
    assert link == f"{site.url}/messages/"


async def test_several_bells_share_everything(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "One", "Two")
    await record_sockets(page)
    await site.sign_in(page, ada)
    await is_live(page)
    traffic = Traffic(page)
    await page.goto(f"{site.url}/several/")
    bells = [Bell(page, index) for index in range(3)]
    for bell in bells:
        await bell.counts(2)
    await is_live(page)
    await bells[0].open()
    await bells[0].tab_all.click()
    await bells[0].lists("Two", "One")
    # One panel at a time.
    await bells[2].open()
    await expect(bells[0].panel).to_be_hidden()
    await bells[2].lists("Two", "One")
    await bells[2].tick("Two").click()
    for bell in bells:
        await bell.counts(1)
    await traffic.settle()
    assert len(traffic.lists) == 1
    assert await open_sockets(page) == 1


async def test_a_bell_that_becomes_live(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One")
    await record_sockets(page)
    bell = await site.sign_in(page, ada)
    await is_live(page)
    attribute = await page.evaluate(
        """() => {
          const bell = document.querySelector("notification-bell");
          const socket = bell.getAttribute("socket");
          bell.removeAttribute("socket");
          return socket;
        }"""
    )
    await is_polling(page)
    await bell.counts(1)

    # The next page of a site that swaps them has a live one.
    await page.evaluate(
        """(socket) => {
          const bell = document.querySelector("notification-bell");
          const next = bell.cloneNode(true);
          next.setAttribute("socket", socket);
          bell.replaceWith(next);
        }""",
        attribute,
    )
    await is_live(page)
    await site.tell(ada, "Two")
    await bell.counts(2)
    assert await open_sockets(page) == 1


async def test_turbo_goes_from_a_polling_page_to_a_live_one_and_back(
    site: Site, page: Page
) -> None:
    npm_package("@hotwired/turbo")
    ada = somebody("ada")
    await site.tell(ada, "One")
    await record_sockets(page)
    await site.sign_in(page, ada)
    query = "with=@hotwired/turbo/dist/turbo.es2017-umd.js"
    await page.goto(f"{site.url}/swapping/0/?{query}&polling")
    await page.evaluate("globalThis.isTheSamePage = true")
    bell = Bell(page)
    await is_polling(page)
    await bell.counts(1)
    assert await page.evaluate("sockets.length") == 0

    await page.evaluate("(url) => Turbo.visit(url)", f"/swapping/1/?{query}")
    await expect(page.locator("#main")).to_have_text("Page 1")
    await is_live(page)
    await site.tell(ada, "Two")
    await bell.counts(2)
    assert await open_sockets(page) == 1

    await page.evaluate("(url) => Turbo.visit(url)", f"/swapping/2/?{query}&polling")
    await expect(page.locator("#main")).to_have_text("Page 2")
    await is_polling(page)
    await bell.counts(2)
    await becomes(page, "sockets.every((one) => one.readyState === WebSocket.CLOSED)")
    assert await page.evaluate("isTheSamePage") is True


async def test_loading_the_scripts_twice_is_harmless(calm_site: Site, page: Page) -> None:
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "One")
    await record_sockets(page)
    bell = await site.sign_in(page, ada)
    await is_live(page)
    traffic = Traffic(page)
    # As after a deployment: the same files under other names.
    for name in ("inbox-client", "notification-bell"):
        await page.add_script_tag(url=f"/static/realtime/{name}.js?again", type="module")
    await page.evaluate(
        """() => {
          const one = document.querySelector("notification-bell");
          one.after(one.cloneNode(true));
        }"""
    )
    second = Bell(page, 1)
    await second.counts(1)
    await bell.counts(1)
    await traffic.settle()
    assert await open_sockets(page) == 1
    assert not traffic.lists
    assert not traffic.complaints


@pytest.mark.chromium("its developer tools count what is kept")
@pytest.mark.parametrize(
    ("package", "script", "visit"),
    [
        (
            "@hotwired/turbo",
            "dist/turbo.es2017-umd.js",
            """async (number) => {
              const loaded = new Promise((resolve) =>
                addEventListener("turbo:load", resolve, { once: true }));
              Turbo.visit(`/swapping/${number}/?with=${new URLSearchParams(location.search).get("with")}`);
              await loaded;
            }""",
        ),
        (
            "htmx.org",
            "dist/htmx.min.js",
            """(number) => htmx.ajax("GET", `/swapping/${number}/`,
              { target: "body", swap: "innerHTML", select: "body > *" })""",
        ),
    ],
    ids=["Turbo", "htmx"],
)
async def test_page_swaps_leave_nothing_behind(
    package: str, script: str, visit: str, calm_site: Site, page: Page
) -> None:
    npm_package(package)
    site, ada = calm_site, somebody("ada")
    await site.tell(ada, "One")
    await record_sockets(page)
    await site.sign_in(page, ada)
    await is_live(page)
    await page.goto(f"{site.url}/swapping/0/?with={package}/{script}")
    bell = Bell(page)
    await is_live(page)
    await page.evaluate("globalThis.isTheSamePage = true")
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")

    async def kept() -> dict[str, float]:
        await devtools.send("HeapProfiler.collectGarbage")
        answer = await devtools.send("Performance.getMetrics")
        return {one["name"]: one["value"] for one in answer["metrics"]}

    traffic = Traffic(page)
    first = None
    for number in range(1, SWAPS + 1):
        await page.evaluate(visit, number)
        if number == SWAPS // 5:
            await bell.counts(1)
            await bell.open()
            await bell.lists("One")
            first = await kept()
    await expect(page.locator("#main")).to_have_text(f"Page {SWAPS}")
    await bell.counts(1)
    await site.tell(ada, "Two")
    await bell.counts(2)
    await bell.open()
    await bell.lists("Two", "One")
    assert await page.evaluate("globalThis.isTheSamePage") is True
    assert await page.locator("notification-bell").count() == 1
    # The first one's all along.
    assert await page.evaluate("sockets.length") == 1
    assert await open_sockets(page) == 1
    assert not traffic.lists

    # What has gone is not always collected at the first time, nor what a timer still holds.
    async def is_no_more() -> bool:
        last = await kept()
        assert first is not None
        return all(last[one] <= first[one] * 1.5 for one in ("Nodes", "JSEventListeners"))

    await eventually(is_no_more, f"as little is kept as at first: {first}")


@pytest.mark.chromium("others do not tell of layout shifts")
async def test_the_page_does_not_jump(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await site.tell(ada, "One", "Two", "Three")
    bell = await site.sign_in(page, ada)
    await bell.counts(3)
    await page.add_init_script(_RECORD_SHIFTS)
    # The scripts come late: the page is painted without them, with what will become the bell.
    painted = "performance.getEntriesByName('first-contentful-paint').length"

    async def late(route: Any) -> None:
        await becomes(page, painted)
        await route.continue_()

    await page.route("**/*.js", late)
    await page.goto(f"{site.url}/showcase/", wait_until="commit")
    await bell.counts(3)
    await is_live(page)
    await bell.open()
    await bell.lists("Three", "Two", "One")
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert await page.evaluate("shifts") == []
    # What records them does.
    await page.evaluate("document.querySelector('main').style.marginTop = '200px'")
    await becomes(page, "shifts.length > 0")


async def test_nor_does_a_line_of_text(site: Site, page: Page) -> None:
    measure = """() => {
      const bell = document.querySelector("notification-bell");
      return JSON.stringify([bell, bell.closest("p")].map((one) => one.getBoundingClientRect()));
    }"""
    await site.sign_in(page, somebody("ada"))
    await page.route("**/*.js", lambda route: route.abort())
    await page.goto(f"{site.url}/showcase/?place=text")
    before = await page.evaluate(measure)
    await page.unroute("**/*.js")
    await page.reload()
    await is_live(page)
    assert await page.evaluate(measure) == before


@pytest.mark.chromium("its developer tools do it")
async def test_a_frozen_tab_catches_up(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    thaw = await freeze(page)
    await site.tell(ada, "While it was frozen")
    await thaw()
    await bell.counts(1)
    await site.tell(ada, "Afterwards")
    await bell.counts(2)
    await bell.open()
    await bell.lists("Afterwards", "While it was frozen")
