"""The code in the documentation, so that tests run what readers copy."""

import re

from tests.services.server import ROOT

_BLOCK = re.compile(
    r"^```python\n# (?P<name>\S+\.py)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(document: str) -> dict[str, str]:
    """The Python files that a document shows, by name; those of one name are one file."""
    found: dict[str, str] = {}
    for block in _BLOCK.finditer((ROOT / "docs" / document).read_text()):
        found[block["name"]] = found.get(block["name"], "") + block["code"]
    assert found, f"no code in {document}"
    return found
