"""The documentation of the live part says what is there."""

import re
from ast import literal_eval
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from realtime import metrics, sockets
from realtime.conf import DEFAULTS
from realtime.events import read_all_frame, refs_frame, sync_frame
from realtime.sessions import INTERNAL_ERROR
from stored_messages.stored import Ref, Summary
from tests.realtime.documents import blocks
from tests.services.server import ROOT


def read(document: str) -> str:
    return (ROOT / "docs" / document).read_text()


def section(document: str, heading: str) -> str:
    return read(document).partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def test_all_settings() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `([^`]+)` \|", section("live.md", "## Settings"), re.MULTILINE
    )
    assert {name: literal_eval(value) for name, value in rows} == DEFAULTS


def test_all_close_codes() -> None:
    documented = set(re.findall(r"\b[14]\d{3}\b", read("protocol.md").partition("| code |")[2]))
    codes = {
        value for name, value in vars(sockets).items() if name.isupper() and isinstance(value, int)
    } | {INTERNAL_ERROR}
    by_daphne = {code + 3000 for code in codes if code < 3000}
    assert documented == {str(code) for code in codes | by_daphne}


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("sync", sync_frame("key", Summary(1, 2), 10)),
        ("read", refs_frame("read", [Ref("1", 2, "3")])),
        ("read_all", read_all_frame("3")),
    ],
)
def test_the_fields_of_frames(kind: str, frame: str) -> None:
    [example] = re.findall(rf'^{{"type": "{kind}",.*}}$', read("protocol.md"), re.MULTILINE)
    assert shape(literal_eval(example)) == shape(literal_eval(frame))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value)


def test_the_views_of_operations() -> None:
    namespace: dict[str, Any] = {}
    exec(blocks("operations.md")["views.py"], namespace)
    answer: HttpResponse = namespace["metrics"](HttpRequest())
    text = answer.content.decode()
    for metric in metrics.collect():
        assert f"# TYPE realtime_{metric.name} {metric.kind}\n" in text
        assert re.search(rf"^realtime_{metric.name} [\d.e+-]+$", text, re.MULTILINE)
    ready: HttpResponse = namespace["ready"](HttpRequest())
    assert (ready.status_code, ready.content) == (200, b'{"ok": true, "problems": []}')


def test_links_lead_somewhere() -> None:
    for document in ("live.md", "operations.md", "protocol.md", "testing.md"):
        for target in re.findall(r"\]\(([^)#]+)", read(document)):
            assert target.startswith("https://") or (ROOT / "docs" / target).exists(), (
                document,
                target,
            )
