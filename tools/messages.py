"""Brings the translations in step with the code: `tools/messages.py [LANGUAGE...]`.

Texts that are new or changed are added to each `django.po`, then the catalogs are compiled. Languages named are
begun. Needs the programs of GNU gettext; nothing else does: the compiled catalogs are part of the repository.
"""

import os
import sys
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("stored_messages", "realtime")


def update(package: Path, languages: list[str]) -> None:
    (package / "locale").mkdir(exist_ok=True)
    known = [path.name for path in package.glob("locale/*/")]
    os.chdir(package)
    call_command(
        "makemessages",
        locale=sorted({*known, *languages}),
        extensions=["html", "py"],
        add_location="file",
        no_wrap=True,
        no_obsolete=True,
        verbosity=0,
    )
    for catalog in package.glob("locale/*/LC_MESSAGES/django.po"):
        # When they were extracted is nobody's concern, and would change with every run.
        lines = catalog.read_text().splitlines(keepends=True)
        catalog.write_text("".join(line for line in lines if "POT-Creation-Date" not in line))
    call_command("compilemessages", verbosity=0)


if __name__ == "__main__":
    for name in PACKAGES:
        update(ROOT / name, sys.argv[1:])
