"""The distributions, built once a worker."""

import shutil
import tarfile
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.building import PACKAGES, Distributions, build
from tests.services.server import ROOT

_SOURCES = (*PACKAGES, "static", "setup.cfg", "pyproject.toml", "MANIFEST.in")
_DOCUMENTS = ("README.md", "CHANGELOG.md", "LICENSE")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the sources, so that nothing built earlier leaks into a distribution."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in (*_SOURCES, *_DOCUMENTS):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.fixture(scope="session")
def distributions(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    sdist = build(checkout, "sdist", tmp_path_factory.mktemp("sdist"))
    wheel = build(checkout, "wheel", tmp_path_factory.mktemp("wheel"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked)
    (source,) = unpacked.iterdir()
    of_sdist = build(source, "wheel", tmp_path_factory.mktemp("wheel-of-sdist"))
    return Distributions(sdist, wheel, of_sdist)


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Creates an empty virtual environment and returns its Python."""

    def create() -> Path:
        directory = tmp_path_factory.mktemp("environment")
        venv.create(directory, with_pip=True)
        return directory / "bin" / "python"

    return create
