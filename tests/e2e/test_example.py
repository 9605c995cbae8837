"""The example project as `manage.py runserver` serves it: people who notify each other."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bell import Bell
from tests.e2e.watching import is_live
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


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    process = Example(tmp_path_factory.mktemp("example"))
    process.start()
    yield process
    process.stop()


async def sign_in(page: Page, url: str, name: str) -> Bell:
    await page.goto(url)
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_role("button", name=f"{name}: menu")).to_be_visible()
    bell = Bell(page)
    await is_live(page)
    await expect(bell.button).to_be_visible()
    return bell


async def read_all(bell: Bell) -> None:
    await bell.open()
    await expect(bell.panel).to_contain_text("See all notifications")
    await bell.mark_all.click()
    await expect(bell.panel).to_contain_text("All caught up")
    await bell.page.keyboard.press("Escape")
    await bell.counts(0)


async def test_a_comment_mention_assignment_and_announcement(example: Example, page: Page) -> None:
    here, there = example.urls
    ben = await sign_in(page, here, "Ben Okafor")
    mira = await sign_in(await page.context.new_page(), there, "Mira Santos")
    await read_all(ben)
    await read_all(mira)

    # Staff file an issue for Ben, who hears of it without doing anything.
    await mira.page.get_by_role("link", name="New issue").click()
    await mira.page.get_by_label("Title").fill("Bells <b>ring</b> twice")
    await mira.page.get_by_label("Assign").select_option(label="Ben Okafor")
    await mira.page.get_by_role("button", name="Open issue").click()
    await expect(mira.page.get_by_text("Issue opened.")).to_be_visible()
    issue = mira.page.url
    await ben.counts(1)

    await mira.page.get_by_label("Add a comment").fill("Seen it again, @ben.")
    await mira.page.get_by_role("button", name="Comment").click()
    await expect(mira.page.get_by_text("Comment added.")).to_be_visible()
    comment = mira.page.url
    assert comment.startswith(f"{issue}#comment-")
    await ben.counts(2)
    await mira.counts(0)

    await mira.page.get_by_role("link", name="Issues").click()
    await mira.page.get_by_role("link", name="Announce").click()
    await mira.page.get_by_role("textbox").first.fill("Cake at three")
    await mira.page.get_by_role("button", name="Announce").click()
    await expect(mira.page.get_by_text("Everybody has been told.")).to_be_visible()
    await ben.counts(3)
    await mira.counts(1)

    await ben.open()
    await ben.lists("Cake at three", "Seen it again, @ben.", "assigned it to you")
    mention = ben.row("Seen it again")
    await expect(mention).to_contain_text("Bells <b>ring</b> twice")
    await expect(mention).to_contain_text("Mira Santos")
    await mention.get_by_role("link").click()
    await expect(page).to_have_url(comment.replace(there, here))
    await ben.counts(2)
    await read_all(ben)
    await mira.counts(1)
