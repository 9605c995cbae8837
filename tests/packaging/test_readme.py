"""The wheel in an empty environment, and a new project with the README's lines: a working bell."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocket, expect

from tests.packaging.building import Distributions, pip_install, run
from tests.packaging.readme import Steps, steps
from tests.services.server import Project, Serve, Server
from tests.services.waiting import eventually

pytestmark = pytest.mark.xdist_group("packaging")

PASSWORD = "correct horse battery staple"

ONE_UNREAD = re.compile(r"\b1\b")

# What the project itself has: a page that shows messages as most do, a way to send one, and files
# with hashed names. None of it knows of the bell.
PROJECT_SETTINGS = """
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
SILENCED_SYSTEM_CHECKS = ["realtime.W009"]  # there is one process
ROOT_URLCONF = "mysite.urls"
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
STATIC_ROOT = BASE_DIR / "collected"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    },
}
"""
PROJECT_URLS = """
from django.urls import path, re_path
from django.views.static import serve
from django.conf import settings
from mysite import views

urlpatterns += [
    path("", views.home),
    path("send/", views.send, name="send"),
    re_path(r"^static/(?P<path>.*)$", serve, {"document_root": settings.STATIC_ROOT}),
]
"""
PROJECT_VIEWS = """
from django.contrib import messages
from django.shortcuts import redirect, render
import stored_messages

def home(request):
    return render(request, "home.html")

def send(request):
    messages.add_message(request, messages.INFO, "Done.")
    messages.add_message(request, stored_messages.STORED_INFO, request.POST["text"])
    return redirect(home)
"""
BASE_TEMPLATE = """<!doctype html>
<html lang="en">
<title>My site</title>
<header>BELL</header>
{% if messages %}
<ul class="messages">
  {% for message in messages %}
  <li{% if message.tags %} class="{{ message.tags }}"{% endif %}>{{ message }}</li>
  {% endfor %}
</ul>
{% endif %}
<main>{% block content %}{% endblock %}</main>
</html>
"""
HOME_TEMPLATE = """{% extends "base.html" %}
{% block content %}
<form action="{% url 'send' %}" method="post">
  {% csrf_token %}<input name="text"><button>Send</button>
</form>
{% endblock %}
"""


@pytest.fixture(scope="session")
def python(distributions: Distributions, new_environment: Callable[[], Path]) -> Path:
    """An environment in which the README's line was typed, with the wheel in place of the name."""
    command = shlex.split(steps("## Add it to a project").shell)
    assert command[:2] == ["pip", "install"]
    (requirement,) = command[2:]
    name, extras = requirement.split("[")
    assert name == "django-stored-messages"
    python = new_environment()
    pip_install(python, f"{distributions.wheel}[{extras}")
    return python


def _append(file: Path, *texts: str) -> None:
    file.write_text("\n".join([file.read_text(), *texts]))


def _new_project(directory: Path, python: Path, *, live: bool) -> Project:
    run(python, "-m", "django", "startproject", "mysite", directory)
    polls, goes_live = steps("## Add it to a project"), steps("### Make it live")
    assert goes_live == Steps("", goes_live.settings, "", "")
    site, templates = directory / "mysite", directory / "templates"
    _append(
        site / "settings.py",
        PROJECT_SETTINGS,
        polls.settings,
        goes_live.settings if live else "",
    )
    _append(site / "urls.py", PROJECT_URLS, polls.urls)
    (site / "views.py").write_text(PROJECT_VIEWS)
    templates.mkdir()
    (templates / "base.html").write_text(BASE_TEMPLATE.replace("BELL", polls.template))
    (templates / "home.html").write_text(HOME_TEMPLATE)
    project = Project(
        directory,
        "mysite.settings",
        wsgi="mysite.wsgi",
        python=str(python),
        env={"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
    )
    project.manage("migrate", "--verbosity=0")
    project.manage("collectstatic", "--no-input", "--verbosity=0")
    project.manage("check", "--fail-level=WARNING")
    return project


@pytest.fixture(scope="session")
def polling_project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The first part of what the README says."""
    return _new_project(tmp_path_factory.mktemp("polling"), python, live=False)


@pytest.fixture(scope="session")
def live_project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All of what the README says."""
    return _new_project(tmp_path_factory.mktemp("live"), python, live=True)


async def _sign_in(project: Project, server: Server, page: Page) -> None:
    """Signs a new person in, at the admin's door; the page is the site's first then."""
    name = f"user-{server.port}"
    project.manage("createsuperuser", "--no-input", f"--username={name}", "--email=a@example.com")
    await page.goto(f"{server.url}/admin/login/?next={server.root_path}/")
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", PASSWORD)
    await page.click("[type=submit]")


async def _the_bell_keeps_what_is_sent(page: Page) -> None:
    bell = page.locator("notification-bell").get_by_role("button").first
    said = page.locator(".messages li")
    await expect(bell).to_have_accessible_name("Notifications")
    await page.fill("[name=text]", "Your export is ready.")
    await page.click("main button")
    # What was said to the next page is said there, what is kept is in the bell alone.
    await expect(said).to_have_text(["Done."])
    await expect(bell).to_have_accessible_name(ONE_UNREAD)
    for _ in range(2):
        await page.reload()
        await expect(bell).to_have_accessible_name(ONE_UNREAD)
        await expect(said).to_have_count(0)
    await bell.click()
    await expect(page.locator("notification-bell")).to_contain_text("Your export is ready.")


def _frames_by_socket(page: Page) -> dict[str, list[str]]:
    """The sockets that the page opens from now on, and what each receives."""
    sockets: dict[str, list[str]] = {}

    def opened(socket: WebSocket) -> None:
        frames = sockets.setdefault(socket.url, [])
        socket.on("framereceived", lambda frame: frames.append(str(frame)))

    page.on("websocket", opened)
    return sockets


@pytest.mark.parametrize("root_path", ["", "/below"])
async def test_a_new_project_has_a_bell(
    root_path: str, polling_project: Project, serve: Serve, page: Page
) -> None:
    sockets = _frames_by_socket(page)
    server = serve("wsgi", project=polling_project, root_path=root_path)
    await _sign_in(polling_project, server, page)
    await _the_bell_keeps_what_is_sent(page)
    assert sockets == {}


@pytest.mark.parametrize("root_path", ["", "/below"])
async def test_two_more_lines_make_it_live(
    root_path: str, live_project: Project, serve: Serve, page: Page
) -> None:
    sockets = _frames_by_socket(page)
    server = serve("daphne", project=live_project, root_path=root_path)
    await _sign_in(live_project, server, page)
    await eventually(lambda: any(sockets.values()), "the server speaks on a socket")
    assert sockets.keys() == {server.socket_url}
    assert json.loads(sockets[server.socket_url][0])["type"] == "sync"
    await _the_bell_keeps_what_is_sent(page)
