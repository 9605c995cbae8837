"""A bell-less project needs none of the extras: they are imported only where they are used."""

import subprocess
import sys

from tests.services.server import ROOT

# As if the extras were not installed; `daphne` and REST framework are what most tests stand on, so
# this is a process of its own.
WITHOUT_EXTRAS = """
import sys

for name in ("channels_redis", "daphne", "redis", "rest_framework", "twisted"):
    sys.modules[name] = None

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for this test only",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "stored_messages",
        "realtime",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MESSAGE_STORAGE="stored_messages.storage.PersistentStorage",
    STORED_MESSAGES={"ITERATE": "skip"},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": ["django.contrib.messages.context_processors.messages"]
            },
        }
    ],
    STATIC_URL="static/",
    ALLOWED_HOSTS=["testserver"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command

import realtime.asgi
import stored_messages

call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
user = get_user_model().objects.create(username="ann")
stored_messages.add_message_for([user], stored_messages.STORED_INFO, "Hello")
print(stored_messages.get_backend().inbox_list(user))

from django.test import Client
from django.urls import include, path

# Of the urls there is what needs no extra: the page.
settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [path("m/", include("stored_messages.urls"))]})
client = Client()
client.force_login(user)
response = client.get("/m/")
assert (response.status_code, b"Hello" in response.content) == (200, True)
assert client.get("/m/inbox/").status_code == 404
"""


def test_messages_are_stored_without_any_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_EXTRAS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello" in done.stdout
