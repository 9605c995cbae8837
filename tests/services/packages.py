"""npm packages that tests use in the browser."""

import pytest

from tests.services.server import ROOT


def npm_package(name: str, path: str = "package.json") -> str:
    """The text of a file of a package of `package.json`. Fails where it is not installed."""
    file = ROOT / "node_modules" / name / path
    if not file.is_file():
        pytest.fail(f"The npm package {name} is not installed: run `make node_modules/.installed`")
    return file.read_text()
