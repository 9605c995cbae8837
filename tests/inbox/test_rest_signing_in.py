"""Who may use the REST API, and that it works whatever a project has set up for its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.settings import api_settings

from stored_messages import owner_key
from tests.inbox.inboxes import send, unread
from tests.inbox.tabs import Tab

ROUTES = (
    ("GET", "inbox/"),
    ("GET", "inbox/1/"),
    ("POST", "inbox/1/read/"),
    ("POST", "inbox/1/unread/"),
    ("GET", "archive/"),
    ("GET", "archive/1/"),
    ("DELETE", "archive/1/"),
    ("POST", "mark_all_read/"),
)

CSRF_SETTINGS = {
    "Django's defaults": {},
    "cookie hidden from scripts": {"CSRF_COOKIE_HTTPONLY": True},
    "token in the session": {"CSRF_USE_SESSIONS": True},
    "another header": {"CSRF_HEADER_NAME": "HTTP_X_XSRF_TOKEN"},
    "another cookie": {"CSRF_COOKIE_NAME": "xsrf"},
    "all at once": {
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_USE_SESSIONS": True,
        "CSRF_HEADER_NAME": "HTTP_X_XSRF_TOKEN",
    },
}

# A project whose REST framework is set up for something else. Its settings are read when the views are
# imported, so they have to be there from the beginning.
PROGRAM = """
import django
from django.conf import settings

settings.REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tests.inbox.test_rest_signing_in.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.AdminRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FileUploadParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tests.inbox.test_rest_signing_in.NoNegotiation",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "0/day", "user": "0/day"},
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": "1",
    "ALLOWED_VERSIONS": ["2"],
    "PAGE_SIZE": 1,
    "DATETIME_FORMAT": "%Y",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
settings.LOGGING_CONFIG = None
django.setup()

from django.core.management import call_command
from django.contrib.auth.models import User
from stored_messages import STORED_INFO, add_message_for, owner_key
from stored_messages.representation import represent
from tests.inbox.tabs import Tab

call_command("migrate", verbosity=0)
ada = User.objects.create(username="ada")
sent = [add_message_for([ada], STORED_INFO, text) for text in "12"]

tab = Tab(enforce_csrf_checks=True)
print(tab.get("/messages/inbox/").status_code)
tab.force_login(ada)
response = tab.list()
print(response.json() == [represent(message) for message in reversed(sent)])
print(response.headers["X-Inbox-User"] == owner_key(ada))
print(tab.get("/messages/inbox/", headers={"Accept": "text/html, */*; version=3"}).status_code)
print(tab.get("/messages/inbox/?page=7&version=9").status_code)
print(tab.act(f"inbox/{sent[0].id}/read/").status_code)
print(tab.act("mark_all_read/", {"ids": [sent[1].id]}).status_code)
print(len(tab.list().json()))

from django.test import Client
print(Client().get("/messages/inbox/", headers={"Authorization": "Token ada"}).status_code)
"""


class TokenAuthentication(BaseAuthentication):
    """The user's name is the token."""

    def authenticate(self, request):
        kind, _, name = request.headers.get("Authorization", "").partition(" ")
        if kind != "Token":
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise AuthenticationFailed
        return user, name

    def authenticate_header(self, request):
        return "Token"


class NoNegotiation(BaseContentNegotiation):
    def select_parser(self, request, parsers):
        raise ParseError

    def select_renderer(self, request, renderers, format_suffix=None):
        raise ParseError


@pytest.fixture
def tokens_only(settings):
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.TokenAuthentication"]
    }
    yield
    api_settings.reload()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_anything(backend, ada, method, path):
    send(backend, [ada], "Hello")

    response = Client().generic(method, f"/messages/{path}")

    assert response.status_code in (401, 403)
    assert set(response.json()) == {"detail"}
    assert unread(backend, ada) == ["Hello"]


def test_a_user_who_was_deactivated_gets_nothing(tab, ada):
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert tab.get("/messages/inbox/").status_code in (401, 403)


@pytest.mark.parametrize("changed", CSRF_SETTINGS.values(), ids=CSRF_SETTINGS)
def test_the_token_of_the_list_works_with_every_csrf_setting(backend, ada, settings, changed):
    for name, value in changed.items():
        setattr(settings, name, value)
    tab = Tab(enforce_csrf_checks=True)
    tab.token_header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    tab.force_login(ada)
    first, _ = send(backend, [ada], "1", "2")

    assert tab.act(f"inbox/{first.id}/read/").status_code == 200
    assert unread(backend, ada) == ["2"]
    assert tab.act("mark_all_read/").status_code == 200
    assert unread(backend, ada) == []


@pytest.mark.parametrize("changed", CSRF_SETTINGS.values(), ids=CSRF_SETTINGS)
@pytest.mark.parametrize("token", [None, "x" * 64, ""], ids=["none", "wrong", "empty"])
def test_without_the_token_nothing_is_done(backend, ada, settings, changed, token):
    for name, value in changed.items():
        setattr(settings, name, value)
    tab = Tab(enforce_csrf_checks=True)
    tab.force_login(ada)
    message = send(backend, [ada], "Hello")
    tab.list()
    header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    headers = {} if token is None else {header: token}

    for method, path in ROUTES:
        if method != "GET":
            own = path.replace("1", message.id)
            response = tab.generic(method, f"/messages/{own}", headers=headers)
            assert response.status_code == 403
            assert "CSRF" in response.json()["detail"]
    assert unread(backend, ada) == ["Hello"]


@pytest.mark.usefixtures("tokens_only")
class TestTokensOnly:
    """A project whose default is tokens: both they and the bell's session work."""

    def test_the_session_works_and_needs_its_csrf_token(self, tab, backend, ada):
        message = send(backend, [ada], "Hello")

        assert tab.post(f"/messages/inbox/{message.id}/read/").status_code == 403
        assert tab.act(f"inbox/{message.id}/read/").status_code == 200

    def test_the_token_works_and_needs_no_csrf_token(self, backend, ada, ben):
        message = send(backend, [ada], "Hello")
        client = Client(enforce_csrf_checks=True, headers={"Authorization": "Token ada"})

        response = client.get("/messages/inbox/")
        assert [item["id"] for item in response.json()] == [message.id]
        assert response.headers["X-Inbox-User"] == owner_key(ada)
        assert "X-CSRFToken" not in response.headers
        assert not response.cookies
        assert client.post(f"/messages/inbox/{message.id}/read/").status_code == 200
        assert client.post("/messages/mark_all_read/").json() == {"message": "All messages read"}
        assert unread(backend, ada) == []

    def test_a_wrong_token_gets_nothing(self, backend):
        client = Client(headers={"Authorization": "Token nobody"})

        assert client.get("/messages/inbox/").status_code in (401, 403)


def test_the_project_s_other_defaults_do_not_matter():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.project.settings",
            "PROJECT_DATABASE": ":memory:",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    expected = ["403", "True", "True", "200", "200", "200", "200", "0", "200"]
    assert done.stdout.split() == expected, done.stderr


@pytest.mark.parametrize("lost", ["session", "password"])
@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_an_old_session_leaves_the_cookie_of_a_new_one_alone(ada, lost, method, route):
    """The answer to what was asked before a login may come after the login's own."""
    client = Client()
    client.force_login(ada)
    if lost == "session":
        client.session.delete()
    else:
        ada.set_password("another")
        ada.save()
    answer = client.generic(method, f"/messages/{route}")
    assert answer.status_code == 403
    assert "sessionid" not in answer.cookies
