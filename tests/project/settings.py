"""A minimal project around the two apps: what the README tells a user to write, and little else.

Processes that tests start are steered by environment variables: they cannot see the settings
that a test overrides in its own process.
"""

import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent

SECRET_KEY = "for tests only, neither random nor long, but at least fifty characters"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "stored_messages",
    "realtime",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "tests.project.urls"
ASGI_APPLICATION = "realtime.asgi.application"
WSGI_APPLICATION = "tests.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A file even for the tests' own database, so that threads and event loops see each other's rows.
# The process id keeps parallel runs apart.
_file = os.environ.get("PROJECT_DATABASE") or str(
    Path(tempfile.gettempdir()) / f"stored-messages-{os.getpid()}.sqlite3"
)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _file,
        "OPTIONS": {"timeout": 30},
        "TEST": {"NAME": f"{_file}.test"},
    }
}
# The same tests on PostgreSQL and MariaDB: see tests/services/postgresql.py and mariadb.py.
if "TEST_DATABASE_URL" in os.environ:
    _url = urlsplit(os.environ["TEST_DATABASE_URL"])
    if _url.scheme == "mysql":
        # The driver without a compiler, under the name that Django looks for.
        import_module("pymysql").install_as_MySQLdb()
    DATABASES["default"] = {
        "ENGINE": f"django.db.backends.{_url.scheme}",
        "HOST": _url.hostname,
        "PORT": _url.port,
        "USER": _url.username,
        "NAME": _url.path.lstrip("/"),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Where a test has one process, the layer of that process will do.
SILENCED_SYSTEM_CHECKS = ["realtime.W009"]

# One channel layer for several processes, as in production; without it each has its own.
if "CHANNEL_REDIS" in os.environ:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["CHANNEL_REDIS"]]},
        }
    }

MESSAGE_STORAGE = "stored_messages.storage.PersistentStorage"
STORED_MESSAGES = {"ITERATE": "skip"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
