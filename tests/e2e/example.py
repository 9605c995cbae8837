"""The example project as `manage.py runserver` serves it, and how somebody comes in."""

import os
import shutil
import sys
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.services.processes import HOST, ListeningProcess, free_port
from tests.services.server import ROOT, Project


class Example(ListeningProcess):
    """A copy of the example, so that its database is its own."""

    def __init__(self, directory: Path) -> None:
        source = ROOT / "example_project"
        copy = directory / source.name
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*.sqlite3*", "__pycache__"))
        path = os.pathsep.join([str(copy), str(ROOT)])
        self.project = Project(copy, "settings", env={"PYTHONPATH": path})
        port = free_port()
        # Two addresses of the same server: separate cookies, so one browser can be two people.
        self.urls = f"http://{HOST}:{port}", f"http://localhost:{port}"
        super().__init__(
            "the example",
            [sys.executable, "manage.py", "runserver", "--noreload", f"{HOST}:{port}"],
            port=port,
            log=directory / "example.log",
            env=self.project.environment,
            cwd=copy,
        )

    def start(self) -> None:
        self.project.shell(
            "from django.core.management import call_command\n"
            "call_command('migrate', verbosity=0)\n"
            "call_command('seed')\n"
        )
        super().start()


async def sign_in(page: Page, url: str, name: str) -> Bell:
    await page.goto(url)
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_role("button", name=f"{name}: menu")).to_be_visible()
    return Bell(page)
