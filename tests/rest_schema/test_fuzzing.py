"""Whatever a client sends: the answers are what the schema says, and of nobody else's messages."""

import pytest
import requests

from tests.rest_schema.fuzzing import fuzz
from tests.rest_schema.inboxes import fill
from tests.services.waiting import CEILING

GOOD = {
    ("GET /messages/inbox/", 200),
    ("GET /messages/inbox/{id}/", 200),
    ("POST /messages/inbox/{id}/read/", 200),
    ("POST /messages/inbox/{id}/unread/", 200),
    ("GET /messages/archive/", 200),
    ("GET /messages/archive/{id}/", 200),
    ("DELETE /messages/archive/{id}/", 204),
    ("POST /messages/mark_all_read/", 200),
}


@pytest.fixture(params=["DefaultBackend", "RedisBackend"])
def site(request, project, serve):
    """A server with two people's messages, on each backend."""
    if request.param == "RedisBackend":
        project = project.with_env(INBOX_REDIS=request.getfixturevalue("redis_url"))
    people = fill(project)
    # Daphne answers some broken forms by itself, and no schema says how.
    return serve("uvicorn", project=project).url, *people


def by_token(person):
    return {"Authorization": f"Token {person.token}"}


def by_session(url, person):
    """The headers of a browser whose scripts send the token that a list gave them."""
    with requests.Session() as browser:
        browser.get(f"{url}/sign-in/{person.name}/", timeout=CEILING)
        token = browser.get(f"{url}/messages/inbox/", timeout=CEILING).headers["X-CSRFToken"]
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {"Cookie": cookies, "X-CSRFToken": token}


def possessions(url, person):
    """All that somebody has, as their own client sees it."""
    return [
        requests.get(
            f"{url}/messages/{path}/", {"limit": 100}, headers=by_token(person), timeout=CEILING
        ).json()
        for path in ("inbox", "archive")
    ]


def check(findings, other):
    assert not findings.failures, "\n\n".join(findings.failures)
    assert findings.answers >= GOOD
    assert not [content for content in findings.contents if other.secret.encode() in content]


def test_every_answer_is_what_the_schema_says(site):
    url, ada, ben = site
    ids = [*ada.ids, *ben.ids]
    of_ada, of_ben = possessions(url, ada), possessions(url, ben)
    assert all(person.secret in str(has) for person, has in ((ada, of_ada), (ben, of_ben)))

    check(fuzz(url, by_token(ada), ids), other=ben)
    assert possessions(url, ben) == of_ben

    of_ada = possessions(url, ada)
    own_key = {"header.X-Inbox-User": ben.key}
    check(fuzz(url, by_session(url, ben), ids, own_key), other=ada)
    assert possessions(url, ada) == of_ada
