"""The test project with drf-spectacular, and with REST framework's tokens beside the session.

The backend is chosen by environment variables: the servers are processes of their own.
"""

import os
from typing import Any

from tests.project.settings import *  # noqa: F403

INSTALLED_APPS += [  # noqa: F405
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
]

ROOT_URLCONF = "tests.rest_schema.project.urls"

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.BasicAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
}
SPECTACULAR_SETTINGS = {"TITLE": "Messages", "VERSION": "2"}

STORED_MESSAGES: dict[str, Any] = {"ITERATE": "skip"}
if "INBOX_REDIS" in os.environ:
    STORED_MESSAGES["STORAGE_BACKEND"] = "stored_messages.backends.RedisBackend"
    STORED_MESSAGES["REDIS_URL"] = os.environ["INBOX_REDIS"]
