"""Settings of the example. What the bell needs is marked; the rest is what any project has."""

import os
from pathlib import Path

import django

BASE_DIR = Path(__file__).resolve().parent

DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SECRET_KEY = "an example, never served to strangers"
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "tracker:issues"
LANGUAGE_CODE = "en"
# Of the bell and its page: what the packages are translated to.
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "español"),
    ("fr", "français"),
    ("it", "italiano"),
    ("zh-hans", "简体中文"),
    ("ar", "العربيّة"),
]
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "daphne",  # the bell: first, so that runserver serves ASGI
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "tracker",  # before the next one, to give its page the tracker's look
    "stored_messages",  # the bell
    "realtime",  # the bell
]

# The bell. The fourth line is in urls.py, the fifth in tracker/templates/tracker/base.html.
MESSAGE_STORAGE = "stored_messages.storage.PersistentStorage"
STORED_MESSAGES = {"ITERATE": "skip"}
ASGI_APPLICATION = "realtime.asgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tracker.middleware.content_security_policy",
    "tracker.middleware.language_of_notifications",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tracker.preferences.context",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        "OPTIONS": {"timeout": 20},
    }
}
if django.VERSION >= (5, 1):
    # The server and `manage.py activity` write side by side: wait for each other, never fail.
    DATABASES["default"]["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL",
    }

# More than one server process, or a bigger database: settings, and no other line.
if "EXAMPLE_POSTGRES" in os.environ:  # a database's name; libpq knows PGHOST, PGUSER and so on
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["EXAMPLE_POSTGRES"],
    }
if "EXAMPLE_REDIS" in os.environ:  # a URL
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["EXAMPLE_REDIS"]]},
        }
    }
