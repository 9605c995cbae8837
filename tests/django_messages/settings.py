"""The project in which Django's own tests run. Which store is behind it, the environment says."""

import os
import sys

from tests.project.settings import *  # noqa: F403
from tests.project.settings import DATABASES, INSTALLED_APPS

sys.path.append(os.environ["DJANGO_TESTS"])

INSTALLED_APPS = [*INSTALLED_APPS, "messages_tests"]
DATABASES["default"]["TEST"] = {"NAME": os.environ["TEST_DATABASE"]}

STORED_MESSAGES = {}
if "REDIS_URL" in os.environ:
    STORED_MESSAGES = {
        "STORAGE_BACKEND": "stored_messages.backends.RedisBackend",
        "REDIS_URL": os.environ["REDIS_URL"],
    }
