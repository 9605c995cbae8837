"""A project whose users are of another kind: `READERS` is the name of their model."""

import os

from tests.project.settings import *  # noqa: F403
from tests.project.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [
    *(app for app in INSTALLED_APPS if app != "django.contrib.admin"),
    "tests.redis.readers",
]
AUTH_USER_MODEL = f"readers.{os.environ['READERS']}"
# Of this process alone: several may run at a time.
DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}_{os.getpid()}"}
