"""Django's own tests of its messages. They ship in its source distribution only, and are fetched from there."""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django

PACKAGE = "messages_tests"


def fetch(cache: Path) -> Path:
    """Returns the directory with Django's package of tests in it; fetches the installed version's once."""
    version = django.get_version()
    kept = cache / version
    if not (kept / PACKAGE).is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as name:
            directory = Path(name)
            _unpack(_download(version, directory), directory / "tests")
            try:
                (directory / "tests").rename(kept)
            except OSError:  # another worker was quicker
                assert (kept / PACKAGE).is_dir()
    return kept


def _download(version: str, directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--retries", "5", "--timeout", "60"]
    command += ["--no-deps", "--no-binary", ":all:", "--dest", str(directory), f"django=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = list(directory.glob("*.tar.gz"))
    if done.returncode or not found:
        raise RuntimeError(
            f"Django's tests are in its source distribution, and pip could not fetch that of {version}. "
            f"They are kept once fetched; until then this needs the network.\n{done.stdout}{done.stderr}"
        )
    return found[0]


def _unpack(sdist: Path, target: Path) -> None:
    with tarfile.open(sdist) as archive:
        for member in archive:
            _, _, path = member.name.partition("/")
            if member.isfile() and path.startswith(f"tests/{PACKAGE}/"):
                content = archive.extractfile(member)
                assert content is not None
                file = target / path.removeprefix("tests/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
