"""What limits the REST API: nothing, unless the project says so."""

import pytest
from django.core.cache import cache
from django.core.checks import Error
from django.test import Client
from rest_framework.throttling import BaseThrottle, UserRateThrottle

from stored_messages.checks import check_throttles
from tests.inbox.inboxes import send, unread


class OncePerDay(UserRateThrottle):
    rate = "1/day"


class Misspelt(UserRateThrottle):
    rate = "often"


class WithoutRate(UserRateThrottle):
    scope = "nobody"


class Closed(BaseThrottle):
    def allow_request(self, request, view):
        return False


@pytest.fixture
def throttle(settings):
    """Choose the throttle classes, with counters that begin at nothing."""
    cache.clear()

    def choose(classes):
        settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "THROTTLE_CLASSES": classes}

    yield choose
    cache.clear()


@pytest.mark.parametrize("as_path", [True, False])
def test_the_project_s_choice(tab, throttle, as_path):
    throttle([f"{__name__}.OncePerDay"] if as_path else (OncePerDay,))

    assert tab.get("/messages/inbox/").status_code == 200
    response = tab.get("/messages/archive/")

    assert response.status_code == 429
    assert "throttled" in response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_each_of_them_holds(tab, backend, ada, throttle):
    message = send(backend, [ada], "Hello")
    token = tab.list().headers["X-CSRFToken"]
    throttle([OncePerDay, Closed])

    for method, path in (("POST", f"inbox/{message.id}/read/"), ("DELETE", "archive/0/")):
        response = tab.generic(method, f"/messages/{path}", headers={"X-CSRFToken": token})
        assert response.status_code == 429
    assert unread(backend, ada) == ["Hello"]


def test_each_user_for_themselves(tab, ben, throttle):
    throttle([OncePerDay])

    assert tab.get("/messages/inbox/").status_code == 200
    tab.force_login(ben)
    assert tab.get("/messages/inbox/").status_code == 200


def test_who_is_not_signed_in_uses_nothing_up(backend, throttle):
    throttle([OncePerDay])

    assert {Client().get("/messages/inbox/").status_code for _ in range(3)} == {403}


@pytest.mark.parametrize(
    "right", [(), [], [OncePerDay], ["rest_framework.throttling.AnonRateThrottle"]]
)
def test_right_choices(throttle, right):
    throttle(right)

    assert check_throttles(None) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (None, " = None is no list of classes or dotted paths."),
        ("a.Throttle", " = 'a.Throttle' is no list of classes or dotted paths."),
        ([1], ": 1 is no throttle class."),
        ([Closed()], None),
        ([int], ": <class 'int'> is no throttle class."),
        (
            ["nowhere.Throttle"],
            ": 'nowhere.Throttle' cannot be imported: No module named 'nowhere'",
        ),
    ],
)
def test_wrong_choices(throttle, wrong, why):
    throttle(wrong)
    why = f": {wrong[0]!r} is no throttle class." if why is None else why

    assert check_throttles(None) == [
        Error(
            f"STORED_MESSAGES['THROTTLE_CLASSES']{why}",
            hint="Use a list of REST framework's throttles or of their dotted paths, or leave the key out.",
            id="stored_messages.E022",
        )
    ]


@pytest.mark.parametrize("unusable", [Misspelt, WithoutRate])
def test_throttles_without_a_rate(throttle, unusable):
    throttle([unusable])

    [error] = check_throttles(None)
    assert error.id == "stored_messages.E023"
    assert unusable.__name__ in error.msg
    assert "rate" in error.hint
