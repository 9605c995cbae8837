"""What the sources ask to be translated, and what the catalogs say: read without the programs of gettext."""

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

from tests.services.server import ROOT

PACKAGES = ("stored_messages", "realtime")
LANGUAGES = ("ar", "de", "es", "fr", "it", "zh_Hans")

# By which arguments a function is known: the context, the text, and the text for many.
_FUNCTIONS = {"gettext": " i", "ngettext": " ip", "pgettext": "ci", "npgettext": "cip"}
_STRING = r"u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\""
_CALL_IN_TEMPLATE = re.compile(rf"\b(n?p?gettext)\((?:{_STRING}|[^'\"()])*\)")


class Text(NamedTuple):
    """As it stands in the code."""

    context: str
    singular: str
    plural: str


@dataclass
class Entry:
    """As it stands in a catalog."""

    text: Text
    forms: list[str]
    is_fuzzy: bool = False


@dataclass
class Catalog:
    headers: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


def texts_of(package: str) -> set[Text]:
    """All texts that the package wants translated."""
    directory = ROOT / package
    found: set[Text] = set()
    for path in directory.rglob("*.py"):
        if "migrations" not in path.parts:
            found.update(_texts_in(path.read_text()))
    for path in directory.rglob("*.html"):
        calls = _CALL_IN_TEMPLATE.finditer(templatize(path.read_text()))
        for call in calls:
            found.update(_texts_in(call.group()))
    return found


def _texts_in(code: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = "gettext" if node.func.id == "_" else node.func.id.removesuffix("_lazy")
        if name in _FUNCTIONS:
            order = _FUNCTIONS[name].strip()
            # Anything but a literal would not be found by gettext either, and never translated.
            literals = [ast.literal_eval(one) for one in node.args[: len(order)]]
            by_meaning = dict(zip(order, literals, strict=True))
            yield Text(*(by_meaning.get(meaning, "") for meaning in "cip"))


def source_of(package: str, language: str) -> Path:
    return ROOT / package / "locale" / language / "LC_MESSAGES" / "django.po"


def read_source(path: Path) -> Catalog:
    """A `.po` file."""
    catalog = Catalog()
    for block in path.read_text().split("\n\n"):
        parts: dict[str, str] = {}
        part = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            keyword, _, quoted = line.rpartition(' "') if line[0] != '"' else ("", "", line[1:])
            part = keyword or part
            parts[part] = parts.get(part, "") + ast.literal_eval(f'"{quoted}')
        forms = [text for keyword, text in parts.items() if keyword.startswith("msgstr")]
        text = Text(parts.get("msgctxt", ""), parts["msgid"], parts.get("msgid_plural", ""))
        if text.singular:
            catalog.entries.append(Entry(text, forms, is_fuzzy="#, fuzzy" in block))
        else:
            lines = forms[0].splitlines()
            catalog.headers = {name: value for name, _, value in (x.partition(": ") for x in lines)}
    return catalog


def read_compiled(path: Path) -> gettext.GNUTranslations:
    """A `.mo` file."""
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)
