"""A project whose users are of another kind: `READERS` is the name of their model, `INBOX` the store as JSON."""

import json
import os

from tests.project.settings import *  # noqa: F403
from tests.project.settings import DATABASES, INSTALLED_APPS, STORED_MESSAGES

INSTALLED_APPS = [
    *(app for app in INSTALLED_APPS if app != "django.contrib.admin"),
    "tests.redis.readers",
]
AUTH_USER_MODEL = f"readers.{os.environ['READERS']}"
# Of this process alone: several may run at a time.
DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}_{os.getpid()}"}
STORED_MESSAGES = {**STORED_MESSAGES, **json.loads(os.environ["INBOX"])}
