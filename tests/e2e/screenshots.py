"""Pictures of every state of the bell, to look at: `python -m tests.e2e.screenshots FOLDER [STATE...]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser

from tests.e2e.site import SETTINGS, Site
from tests.e2e.states import LOOKS, STATES
from tests.services.browser import launched
from tests.services.server import ROOT, Project, Server


async def _photograph(browser: Browser, site: Site, folder: Path, look: str, state: str) -> None:
    context = await browser.new_context(
        device_scale_factor=2, reduced_motion="reduce", **LOOKS[look]
    )
    page = await context.new_page()
    await STATES[state](site, page, "?direction=rtl" if look == "rtl" else "")
    await page.mouse.move(0, 600)
    await page.screenshot(path=folder / f"{state}-{look}.png")
    await context.close()


async def _photograph_all(site: Site, folder: Path, states: list[str]) -> None:
    async with launched() as browser:
        for state in states or STATES:
            await asyncio.gather(
                *(_photograph(browser, site, folder, look, state) for look in LOOKS)
            )
            sys.stdout.write(f"{state}\n")


def main(folder: str, *states: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        env = {"PROJECT_DATABASE": str(Path(directory) / "project.sqlite3")}
        project = Project(ROOT, SETTINGS, env=env)
        project.manage("migrate", "--verbosity=0")
        server = Server(project, "daphne", Path(directory) / "server.log")
        server.start()
        try:
            asyncio.run(_photograph_all(Site(server), Path(folder), list(states)))
        finally:
            server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
