"""`docs/rest.md` says what is there, and its examples work."""

import json
import re

import pytest
from django.urls import Resolver404, resolve

from stored_messages import urls
from stored_messages.representation import represent
from stored_messages.stored import StoredMessage
from tests.rest_schema.inboxes import fill
from tests.rest_schema.routes import routes
from tests.services.server import ROOT

DOCS = (ROOT / "docs" / "rest.md").read_text()


def section(heading):
    return re.split(r"^##+ ", DOCS.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]


def rows(heading):
    """The cells of the table below a heading."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names(cell):
    return re.findall(r"`([^`\n]+)`", cell)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL)


def test_the_routes(openapi):
    listed = {
        (names(method)[0], names(path)[0]): answers for method, path, answers, _ in rows("Routes")
    }

    assert set(listed) == routes()
    for (method, path), answers in listed.items():
        responses = openapi["paths"][f"/messages/{path}"][method.lower()]["responses"]
        assert {*answers.split(", ")} == {status for status in responses if status < "400"}


def test_the_names_of_routes_and_operations(openapi):
    named = set(names(section("Routes").partition("the names are")[2]))
    assert {pattern.name for pattern in urls.urlpatterns} - {"inbox"} <= named

    operations = {
        operation["operationId"]
        for path, methods in openapi["paths"].items()
        for operation in methods.values()
        if path.startswith("/messages/")
    }
    assert operations == {
        name for name in names(section("OpenAPI")) if name.startswith("stored_messages_")
    }


def test_the_headers_and_the_query_of_lists(openapi):
    listed = {name for cells in rows("Lists") for name in names(cells[0])}

    operation = openapi["paths"]["/messages/inbox/"]["get"]
    query = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    assert listed == query | set(operation["responses"]["200"]["headers"])


def test_the_fields_of_a_message():
    represented = set(represent(StoredMessage.draft(21, "Hello")))

    assert {name for cells in rows("A message") for name in names(cells[0])} == represented
    assert set(json.loads(blocks("json")[0])) == represented


def test_the_errors(openapi):
    listed = set(re.findall(r"^\| (\d+) \|", section("Errors"), flags=re.MULTILINE))

    described = {
        status
        for path, methods in openapi["paths"].items()
        if path.startswith("/messages/")
        for operation in methods.values()
        for status in operation["responses"]
        if status >= "400"
    }
    assert listed == described | {"405", "429"}


def test_the_calls_of_curl_lead_somewhere():
    [commands] = blocks("sh")
    calls = re.findall(r"^curl (?:-X )?(\S+) https://example.com(\S+)", commands, re.MULTILINE)
    assert len(calls) == commands.count("https://")

    for option, path in calls:
        method = "GET" if option == "-i" else option
        try:
            match = resolve(path)
        except Resolver404:
            pytest.fail(f"{path} leads nowhere")
        assert hasattr(match.func.cls, method.lower())


@pytest.mark.parametrize("heading", re.findall(r"\]\(#([\w-]+)\)", DOCS))
def test_links_within_the_page(heading):
    headings = re.findall(r"^##+ (.*)$", DOCS, flags=re.MULTILINE)

    assert heading in {text.lower().replace(" ", "-") for text in headings}


def test_the_client_in_python(project, serve):
    ada, _ = fill(project)
    [program] = [code for code in blocks("python") if code.startswith("# inbox.py")]
    namespace = {}
    exec(program, namespace)
    inbox = namespace["Inbox"](f"{serve('uvicorn', project=project).url}/messages/", ada.token)

    with inbox.http:
        messages, wait = inbox.ask()
        assert (len(messages), wait) == (24, 15)
        assert {message["id"] for message in messages} < set(ada.ids)
        assert inbox.ask() == (None, 15)
        inbox.mark_read(messages[0])
        again, _ = inbox.ask()

    assert again == messages[1:]
