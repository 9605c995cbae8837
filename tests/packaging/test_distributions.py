"""Wheel, sdist and editable install: all have all the files."""

import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import stored_messages
from tests.packaging.building import (
    PACKAGES,
    Distributions,
    contents,
    files_below,
    pip_install,
    run,
)
from tests.services.server import ROOT

pytestmark = pytest.mark.xdist_group("packaging")


def test_the_wheel_has_every_file_of_the_packages(
    distributions: Distributions, checkout: Path
) -> None:
    expected = files_below(checkout)
    assert {
        "realtime/locale/ar/LC_MESSAGES/django.mo",
        "realtime/py.typed",
        "realtime/static/realtime/inbox-client.js",
        "realtime/static/realtime/inbox-tabs.js",
        "realtime/static/realtime/inbox-client.d.ts",
        "realtime/static/realtime/notification-bell.css",
        "realtime/static/realtime/notification-bell.js",
        "realtime/static/realtime/notification-desktop.js",
        "realtime/static/realtime/notification-extras.js",
        "realtime/static/realtime/notification-keys.js",
        "realtime/static/realtime/notification-sound.js",
        "realtime/static/realtime/notification-bell.d.ts",
        "stored_messages/locale/zh_Hans/LC_MESSAGES/django.mo",
        "stored_messages/migrations/0001_initial.py",
        "stored_messages/py.typed",
    } <= expected
    assert set(contents(distributions.wheel)) == expected


def test_the_sdist_builds_the_same_wheel(distributions: Distributions) -> None:
    assert contents(distributions.wheel_of_sdist) == contents(distributions.wheel)


def test_the_sdist_holds_no_links_and_no_tests(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() or member.isdir() for member in members)
    names = {member.name.partition("/")[2] for member in members}
    assert {"CHANGELOG.md", "LICENSE", "README.md", "setup.cfg", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests", "example_project"))]


def test_the_metadata_says_what_it_is(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as archive:
        names = archive.namelist()
        (path,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(path).decode()
    assert f"\nVersion: {stored_messages.__version__}\n" in metadata
    assert "\nLicense-Expression: BSD-3-Clause\n" in metadata
    assert (ROOT / "README.md").read_text().strip() in metadata
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_editable_install_has_them_too(
    checkout: Path, new_environment: Callable[[], Path], tmp_path: Path
) -> None:
    python = new_environment()
    pip_install(python, "--no-deps", "--editable", checkout)
    find = (
        "import importlib.util as u, json; print(json.dumps([u.find_spec(p).origin for p in %r]))"
    )
    origins = json.loads(run(python, "-c", find % (PACKAGES,), cwd=tmp_path))
    (root,) = {Path(origin).parents[1] for origin in origins}
    assert root == checkout
    assert "realtime/static/realtime/inbox-client.js" in files_below(root)
