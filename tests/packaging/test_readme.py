"""The wheel in an empty environment, and a new project with the README's lines: a working bell."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.packaging.building import Distributions, pip_install, run
from tests.packaging.readme import steps
from tests.services.server import Kind, Project, Serve

PASSWORD = "correct horse battery staple"

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
    assert goes_live.settings
    assert not goes_live.urls + goes_live.template + goes_live.shell
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
    project.manage("createsuperuser", "--no-input", "--username=ann", "--email=ann@example.com")
    return project


@pytest.mark.parametrize(
    ("kind", "root_path"),
    [("daphne", ""), ("daphne", "/below"), ("wsgi", ""), ("wsgi", "/below")],
)
async def test_a_new_project_has_a_working_bell(
    kind: Kind, root_path: str, python: Path, tmp_path: Path, serve: Serve, page: Page
) -> None:
    directory = tmp_path / "site"
    directory.mkdir()
    project = _new_project(directory, python, live=kind == "daphne")
    server = serve(kind, project=project, root_path=root_path)
    bell = page.locator("notification-bell").get_by_role("button").first

    await page.goto(f"{server.url}/admin/login/?next={root_path}/")
    await page.fill("[name=username]", "ann")
    await page.fill("[name=password]", PASSWORD)
    await page.click("[type=submit]")
    await expect(bell).to_have_accessible_name("Notifications")

    await page.fill("[name=text]", "Your export is ready.")
    await page.click("main button")
    # What was said to the next page is said there, what is kept is in the bell alone.
    await expect(page.locator(".messages li")).to_have_text(["Done."])
    await expect(bell).to_have_accessible_name(re.compile(r"\b1\b"))
    for _ in range(2):
        await page.reload()
        await expect(bell).to_have_accessible_name(re.compile(r"\b1\b"))
        await expect(page.locator(".messages li")).to_have_count(0)

    await bell.click()
    await expect(page.locator("notification-bell")).to_contain_text("Your export is ready.")
