"""The code blocks of the README, so that what it tells users is what the tests do."""

import re
from dataclasses import dataclass

from tests.services.server import ROOT

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(##+ .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Steps:
    """What one section tells the reader to write, by where it goes."""

    shell: str
    settings: str
    urls: str
    template: str


def steps(heading: str) -> Steps:
    """The blocks below a heading, up to the next one."""
    parts = _HEADING.split((ROOT / "README.md").read_text())
    section = parts[parts.index(heading) + 1]
    found: dict[str, str] = {}
    for block in _BLOCK.finditer(section):
        language, code = block["language"], block["code"]
        place = code.partition("\n")[0].removeprefix("# ") if language == "python" else language
        assert place not in found, f"two blocks for {place} below {heading}"
        found[place] = code
    known = {name: found.pop(name, "") for name in ("sh", "settings.py", "urls.py", "html")}
    assert not found, f"blocks that no test follows: {list(found)}"
    return Steps(*known.values())
