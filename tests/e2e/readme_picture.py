"""The pictures of the README: the example with its bell open. `python -m tests.e2e.readme_picture FOLDER`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.e2e.example import Example, sign_in
from tests.e2e.watching import is_live
from tests.services.browser import launched


async def photograph(browser: Browser, example: Example, folder: Path, scheme: str) -> None:
    context = await browser.new_context(
        viewport={"width": 1120, "height": 700},
        device_scale_factor=2,
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = await context.new_page()
    bell = await sign_in(page, example.urls[0], "Ben Okafor")
    await is_live(page)
    await bell.open()
    await expect(bell.rows.first).to_be_visible()
    await page.mouse.move(10, 690)
    await page.screenshot(path=folder / f"bell-{scheme}.png")
    await context.close()


async def photograph_all(example: Example, folder: Path) -> None:
    async with launched() as browser:
        for scheme in ("light", "dark"):
            await photograph(browser, example, folder, scheme)


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        example = Example(Path(directory))
        example.start()
        try:
            asyncio.run(photograph_all(example, Path(folder)))
        finally:
            example.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
