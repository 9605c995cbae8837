"""The test project's settings; `PROJECT_SETTINGS`, a JSON object, replaces any of them."""

import json
import os

from tests.project.settings import *  # noqa: F403
from tests.project.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.e2e.project"]
ROOT_URLCONF = "tests.e2e.project.urls"

globals().update(json.loads(os.environ.get("PROJECT_SETTINGS", "{}")))
