"""What the inbox costs in statements: part of the contract of the database backend."""

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path

from stored_messages import (
    STORED_ERROR,
    STORED_INFO,
    add_message_for,
    broadcast_message,
    get_backend,
    mark_all_read,
    mark_read,
    summaries,
    summary,
)
from tests.inbox.inboxes import draft

TRANSACTION_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def add_several(request):
    messages.info(request, "not stored")
    for number in range(int(request.GET["number"])):
        messages.add_message(request, (STORED_INFO, STORED_ERROR)[number % 2], str(number))
    return HttpResponse("added")


def touches_nothing(request):
    return HttpResponse("plain")


def with_messages(request):
    return render(request, "messages.html")


urlpatterns = [
    path("several/", add_several),
    path("plain/", touches_nothing),
    path("page/", with_messages),
]


@pytest.fixture
def statements():
    """Run something and return its statements, transaction control aside."""

    def statements(run, *arguments):
        with CaptureQueriesContext(connection) as captured:
            run(*arguments)
        sql = [query["sql"] for query in captured.captured_queries]
        return [one for one in sql if not one.startswith(TRANSACTION_CONTROL)]

    return statements


def of_the_inbox(sql):
    return [statement for statement in sql if "stored_messages" in statement]


@pytest.fixture
def pages(client, ada, settings, tmp_path):
    """A site whose every page iterates the messages, in 'skip' mode as the README has it."""
    (tmp_path / "messages.html").write_text("{% for m in messages %}{{ m }}{% endfor %}")
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    client.force_login(ada)
    return client


@pytest.mark.parametrize("number", [1, 2, 25])
def test_the_messages_of_a_request_cost_two_statements(pages, ada, statements, number):
    sql = statements(pages.get, "/several/", {"number": number})

    assert len(of_the_inbox(sql)) == 2
    assert summary(ada).unread == number


def test_a_page_that_does_not_touch_messages_costs_none(pages, statements):
    assert statements(pages.get, "/plain/") == []


def test_iterating_costs_the_inbox_nothing_in_skip_mode(pages, ada, statements):
    add_message_for([ada], STORED_INFO, "in the bell")

    assert of_the_inbox(statements(pages.get, "/page/")) == []


@override_settings(STORED_MESSAGES={"ITERATE": "read"})
def test_what_iterating_costs_in_read_mode_does_not_depend_on_the_number(pages, ada, statements):
    costs = []
    for number in (1, 30):
        get_backend().send([ada], [draft(str(i)) for i in range(number)])
        broadcast_message(STORED_INFO, "Everybody")
        costs.append(len(of_the_inbox(statements(pages.get, "/page/"))))
        assert summary(ada).unread == 0

    assert costs[0] == costs[1] <= 6


def test_a_message_for_one_user_costs_two(ada, statements):
    assert len(statements(add_message_for, [ada], STORED_INFO, "Hello")) == 2
    assert len(statements(add_message_for, ada.pk, STORED_INFO, "Hello")) == 2


def test_a_broadcast_costs_one_whatever_the_number_of_users(crowd, statements):
    crowd(50)

    assert len(statements(broadcast_message, STORED_INFO, "Hello")) == 1


@pytest.mark.parametrize("as_queryset", [False, True], ids=["list", "queryset"])
def test_recipients_cost_one_a_thousand(crowd, statements, as_queryset):
    crowd(3000)
    costs = {}
    for number in (1000, 2000, 3000):
        users = User.objects.filter(pk__lte=User.objects.order_by("pk")[number - 1].pk)
        sql = statements(
            add_message_for, users if as_queryset else list(users), STORED_INFO, "Hello"
        )
        costs[number] = len([one for one in sql if one.startswith("INSERT")])
        # The users: one query, if they are one. A cursor of the server's is no statement of the log.
        assert len(sql) - costs[number] <= int(as_queryset)

    # Ten thousand take 11, on every database.
    assert costs == {1000: 2, 2000: 3, 3000: 4}


def test_in_a_transaction_that_is_all_but_a_savepoint(crowd):
    crowd(3000)
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        add_message_for(User.objects.all(), STORED_INFO, "Hello")

    control = [one["sql"] for one in captured if one["sql"].startswith(TRANSACTION_CONTROL)]
    assert [sql.split()[0] for sql in control] == ["SAVEPOINT", "RELEASE"]


@pytest.mark.parametrize("number", [1, 40])
def test_summaries_of_keys_cost_one_more(crowd, statements, number):
    keys = [user.pk for user in crowd(number)] + list(range(10**6, 10**6 + number))
    broadcast_message(STORED_INFO, "Everybody")

    assert len(statements(summaries, keys)) <= 4


@pytest.mark.parametrize("number", [1, 40])
def test_summaries_cost_two_for_one_and_three_for_many(crowd, statements, number):
    users = crowd(40)
    for _ in range(number):
        message = broadcast_message(STORED_INFO, "Everybody")
        add_message_for(users[::2], STORED_INFO, "for half of them")
    mark_read(users[0], message)

    assert len(statements(summary, users[0])) <= 2
    assert len(statements(summaries, users)) <= 3
    assert len(statements(summaries, users[:1])) <= 3
    assert len(statements(summaries, [])) == 0


@pytest.mark.parametrize("number", [1, 40])
def test_a_page_of_the_inbox_costs_four(ada, statements, number):
    for _ in range(number):
        broadcast_message(STORED_INFO, "Everybody")
        add_message_for([ada], STORED_INFO, "Hello")
    backend = get_backend()
    cursor = backend.page(ada, limit=1).cursor

    assert len(statements(backend.page, ada)) <= 4
    assert len(statements(lambda: backend.page(ada, before=cursor, limit=5))) <= 4


@pytest.mark.parametrize("number", [1, 40])
def test_marking_all_read_does_not_depend_on_the_number(ada, statements, number):
    for _ in range(number):
        broadcast_message(STORED_INFO, "Everybody")
        add_message_for([ada], STORED_INFO, "Hello")

    assert len(statements(mark_all_read, ada)) <= 4
    assert summary(ada).unread == 0
