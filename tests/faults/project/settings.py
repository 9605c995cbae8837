"""The test project, with an address for each thing that a run does inside a server's process."""

import json
import os

from tests.project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.faults.project.urls"

globals().update(json.loads(os.environ.get("PROJECT_SETTINGS", "{}")))
