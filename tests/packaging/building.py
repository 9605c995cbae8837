"""How distributions are built and looked into."""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("stored_messages", "realtime")

#: An index of packages may be slow, or away for a moment.
PATIENT = ("--retries", "5", "--timeout", "60")


@dataclass(frozen=True)
class Distributions:
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Runs a program and returns what it prints; fails with all of it."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def files_below(directory: Path) -> set[str]:
    """Every file of the packages in `directory`, by its path; links are followed."""
    return {
        file.relative_to(directory).as_posix()
        for package in PACKAGES
        # A glob does not follow links to directories before Python 3.13.
        for root in (directory / package, directory / package / "static")
        for file in root.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def build(source: Path, kind: str, target: Path) -> Path:
    run(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", target, source)
    (built,) = target.iterdir()
    return built


def pip_install(python: Path, *arguments: str | Path) -> None:
    run(python, "-m", "pip", "install", "--quiet", *PATIENT, *arguments)


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, without what describes it."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}
