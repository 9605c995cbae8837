"""The OpenAPI schema, as drf-spectacular makes and validates it."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from stored_messages.representation import represent
from stored_messages.stored import StoredMessage
from tests.rest_schema.routes import METHODS, routes
from tests.services.server import ROOT

OPERATIONS = {
    "stored_messages_inbox_list": ("get", "inbox/", {200, 304, 400, 403, 406}),
    "stored_messages_inbox_retrieve": ("get", "inbox/{id}/", {200, 403, 404, 406}),
    "stored_messages_inbox_read": ("post", "inbox/{id}/read/", {200, 403, 404, 406, 409}),
    "stored_messages_inbox_unread": ("post", "inbox/{id}/unread/", {200, 403, 404, 406, 409}),
    "stored_messages_archive_list": ("get", "archive/", {200, 400, 403, 406}),
    "stored_messages_archive_retrieve": ("get", "archive/{id}/", {200, 403, 404, 406}),
    "stored_messages_archive_dismiss": ("delete", "archive/{id}/", {204, 403, 404, 406, 409}),
    "stored_messages_mark_all_read": (
        "post",
        "mark_all_read/",
        {200, 400, 403, 406, 409, 415},
    ),
}
LIST_HEADERS = {
    "X-Inbox-User": True,
    "X-Unread-Count": True,
    "X-Unread-Digest": True,
    "X-Poll-Interval": True,
    "X-CSRFToken": False,
}


@pytest.fixture
def operations(openapi):
    """Each operation by its id."""
    return {
        operation["operationId"]: operation
        for methods in openapi["paths"].values()
        for operation in methods.values()
        if operation["operationId"].startswith("stored_messages_")
    }


def parameters(operation):
    return {(one["in"], one["name"]): one for one in operation.get("parameters", [])}


def test_every_route_is_in_it(openapi):
    described = {
        (method.upper(), path.removeprefix("/messages/"))
        for path, methods in openapi["paths"].items()
        for method in methods
        if path.startswith("/messages/")
    }

    assert described == routes()
    assert described == {(method.upper(), path) for method, path, _ in OPERATIONS.values()}


def test_names_and_answers_are_stable(openapi):
    found = {
        operation["operationId"]: (
            method,
            path.removeprefix("/messages/"),
            {int(status) for status in operation["responses"]},
        )
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and path.startswith("/messages/")
    }

    assert found == OPERATIONS


def test_everything_is_described(operations):
    for operation in operations.values():
        assert operation["summary"]
        assert operation["description"]
        assert all(one["description"] for one in operation.get("parameters", []))
        assert all(one["description"] for one in operation["responses"].values())


def test_a_message_is_what_is_sent(openapi):
    schema = openapi["components"]["schemas"]["StoredMessage"]
    represented = represent(StoredMessage.draft(21, "Hello"))

    assert set(schema["properties"]) == set(schema["required"]) == set(represented)
    nullable = {name for name, one in schema["properties"].items() if one.get("nullable")}
    assert nullable == {"url", "read_at"} == {k for k, v in represented.items() if v is None}
    dates = {name for name, one in schema["properties"].items() if one.get("format") == "date-time"}
    assert dates == {"date", "read_at"}
    data = schema["properties"]["data"]
    assert (data["type"], data["additionalProperties"]) == ("object", {})
    assert all(one["description"] for one in schema["properties"].values())


@pytest.mark.parametrize(
    ("name", "status", "more"),
    [
        ("inbox_list", "200", {"ETag": True, "Link": False}),
        ("inbox_list", "304", {"ETag": True}),
        ("archive_list", "200", {"Link": False}),
    ],
)
def test_the_headers_of_lists(operations, name, status, more):
    response = operations[f"stored_messages_{name}"]["responses"][status]

    headers = {key: one.get("required", False) for key, one in response["headers"].items()}
    assert headers == {**LIST_HEADERS, **more}
    assert ("content" in response) == (status == "200")


def test_what_a_client_may_send(operations):
    for name, operation in operations.items():
        sent = set(parameters(operation))
        assert (("path", "id") in sent) == ("{id}" in OPERATIONS[name][1])
        is_list = name.endswith("_list")
        assert ({("query", "limit"), ("query", "cursor")} <= sent) == is_list
        assert (("header", "If-None-Match") in sent) == (name == "stored_messages_inbox_list")
        is_action = OPERATIONS[name][0] != "get"
        assert ({("header", "X-Inbox-User"), ("header", "X-CSRFToken")} <= sent) == is_action

    limit = parameters(operations["stored_messages_inbox_list"])["query", "limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 20)


def test_the_bodies_of_mark_all_read(openapi, operations):
    body = operations["stored_messages_mark_all_read"]["requestBody"]

    assert not body.get("required")
    assert set(body["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }
    seen = openapi["components"]["schemas"]["StoredMessagesSeen"]
    assert set(seen["properties"]) == {"ids", "before"}
    assert seen["properties"]["ids"]["maxItems"] == 5000
    assert seen["properties"]["before"]["nullable"] is True
    assert seen["additionalProperties"] is False
    others = {name for name, one in operations.items() if "requestBody" in one}
    assert others == {"stored_messages_mark_all_read"}


def test_who_may_ask(openapi, operations):
    schemes = openapi["components"]["securitySchemes"]

    assert set(schemes) == {"cookieAuth", "basicAuth", "tokenAuth"}
    for operation in operations.values():
        assert operation["security"] == [{"cookieAuth": []}, {"basicAuth": []}, {"tokenAuth": []}]


def test_the_project_s_own_settings_are_in_it(schema_project):
    project = replace(schema_project, settings="tests.rest_schema.project.other_settings")
    printed = project.manage("spectacular", "--fail-on-warn", "--format", "openapi-json")

    paths = json.loads(printed)["paths"]
    dismiss = paths["/messages/archive/{pk}/"]["delete"]
    assert {("path", "pk"), ("header", "X-Xsrf-Token")} <= set(parameters(dismiss))
    assert all(
        "429" in operation["responses"]
        for path, methods in paths.items()
        if path.startswith("/messages/")
        for operation in methods.values()
    )


def test_nobody_else_needs_the_package():
    program = """
import sys
sys.modules["drf_spectacular"] = None
import django
django.setup()
from django.urls import reverse
print(reverse("stored_messages:inbox-list"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.project.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "/messages/inbox/", done.stderr
