"""The bell under a storm: a thousand messages in about two seconds, in a real browser."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from benchmarks.report import Report
from tests.e2e.bell import Bell
from tests.e2e.site import SETTINGS, Site, somebody
from tests.e2e.watching import Traffic, becomes, has_listed, is_live
from tests.services.browser import launched
from tests.services.server import ROOT, Project, Server

_SENDERS = 4

_WATCH = """(all) => {
  const watch = (globalThis.watch = { tasks: [], renders: 0, frames: 0, first: 0, last: 0 });
  const root = document.querySelector("notification-bell").shadowRoot;
  new MutationObserver(() => (watch.renders += 1)).observe(root.querySelector("[part=badge]"), { childList: true });
  new PerformanceObserver((list) => watch.tasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask" });
  const count = () => {
    if (watch.first && !watch.last) watch.frames += 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  addEventListener("inbox:message", () => (watch.first ||= performance.now()));
  addEventListener("inbox:count", ({ detail }) => {
    if (detail.unread === all) watch.last = performance.now();
  });
}"""


async def _storm(site: Site, page: Page, count: int, *, is_open: bool) -> dict[str, Any]:
    ada = somebody("ada")
    bell = await site.sign_in(page, ada)
    await is_live(page)
    await has_listed(page)
    if is_open:
        await bell.open()
    await page.evaluate(_WATCH, count)
    traffic = Traffic(page)
    texts = [f"Message {number}" for number in range(count)]
    await asyncio.gather(*(site.tell(ada, *texts[start::_SENDERS]) for start in range(_SENDERS)))
    await becomes(page, "watch.last > 0", timeout=300.0)
    rows = await Bell(page).rows.count()
    watch: dict[str, Any] = await page.evaluate("watch")
    return {**watch, "lists": len(traffic.lists), "rows": rows}


async def _measure(site: Site, count: int) -> Report:
    report = Report("The bell under a storm")
    async with launched() as browser:
        for name, is_open in (("closed", False), ("open", True)):
            page = await (await browser.new_context()).new_page()
            seen = await _storm(site, page, count, is_open=is_open)
            seconds = (seen["last"] - seen["first"]) / 1000
            report.add(f"Panel {name}: messages in", f"{seconds:.1f} s", f"{count:,} messages")
            longest = max(seen["tasks"], default=0)
            known = f"{longest:.0f} ms" if longest else "below 50 ms"
            report.add(f"Panel {name}: longest task", known, f"{len(seen['tasks'])} above 50 ms")
            renders = f"in {seen['frames']} frames"
            report.add(f"Panel {name}: times rendered", str(seen["renders"]), renders)
            report.add(f"Panel {name}: lists asked for", str(seen["lists"]), "at most 3")
            report.add(f"Panel {name}: rows in the document", str(seen["rows"]), "at most 100")
    return report


def run(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        env = {"PROJECT_DATABASE": str(Path(directory) / "project.sqlite3")}
        project = Project(ROOT, SETTINGS, env=env)
        project.manage("migrate", "--verbosity=0")
        server = Server(project, "uvicorn", Path(directory) / "server.log")
        server.start()
        try:
            report = asyncio.run(_measure(Site(server), 100 if quick else 1000))
        finally:
            server.stop()
        if not quick:
            report.write({"browser": "Chromium"})
