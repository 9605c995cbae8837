"""A tracker that looks alive: once filled by `seed`, and for as long as `activity` runs."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from tracker.models import Comment, Issue

import stored_messages
from stored_messages.models import Message

pytestmark = pytest.mark.django_db


def run(*args, **options):
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def everything():
    return [
        list(model.objects.order_by("pk").values_list("pk"))
        for model in (User, Issue, Comment, Message)
    ]


def test_seed_changes_nothing_the_second_time():
    run("seed")
    before = everything()
    assert all(before)
    run("seed")
    assert everything() == before


def test_seed_leaves_everybody_something_to_read(client):
    run("seed")
    for person in User.objects.all():
        assert 2 <= stored_messages.summary(person).unread <= 10
        client.force_login(person)
        for message in stored_messages.get_backend().inbox_list(person):
            assert message.broadcast or client.get(message.url).status_code == 200


def test_activity_does_as_much_as_it_is_told():
    run("seed")
    before = sum(stored_messages.summary(person).unread for person in User.objects.all())
    assert len(run("activity", count=40, interval=0).splitlines()) == 40
    after = sum(stored_messages.summary(person).unread for person in User.objects.all())
    assert after > before


def test_activity_keeps_pages_short():
    run("seed")
    run("activity", count=200, interval=0)
    assert max(issue.comments.count() for issue in Issue.objects.all()) <= 12


def test_activity_ends_cleanly(monkeypatch):
    run("seed")

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    assert len(run("activity").split("\n\n")) == 2


def test_activity_needs_people():
    with pytest.raises(CommandError, match="seed"):
        run("activity", count=1)
