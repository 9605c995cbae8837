"""Who is told what, and where the link leads."""

import pytest
from django.db import transaction
from django.urls import reverse
from tracker import actions
from tracker.models import Comment, Issue

import stored_messages


@pytest.fixture
def issue(ada):
    return Issue.objects.create(author=ada, title="Pins drift")


def texts(messages):
    return [str(message.message) for message in messages]


def test_a_comment_tells_the_author(browser, inbox, issue, ada, ben, mira):
    response = browser(ben).post(issue.get_absolute_url(), {"body": "Seen it too."})
    said = Comment.objects.get()
    [told] = inbox(ada)
    assert response.url == told.url == f"/issues/{issue.pk}/#comment-{said.pk}"
    assert str(told.message) == f"Commented on #{issue.pk}: “Seen it too.”"
    assert told.level == stored_messages.STORED_INFO
    assert told.data == {"title": "Pins drift", "actor": "Ben Test"}
    assert inbox(ben) == inbox(mira) == []


def test_the_link_leads_to_the_comment(browser, inbox, issue, ada, ben):
    actions.comment(issue, ben, "Here I am.")
    [told] = inbox(ada)
    path, anchor = told.url.split("#")
    assert f'id="{anchor}"' in browser(ada).get(path).content.decode()


def test_a_comment_tells_everybody_who_takes_part_once(inbox, issue, ada, ben, mira):
    issue.assignee = mira
    issue.save()
    actions.comment(issue, ben, "First.")
    actions.comment(issue, ben, "Second.")
    actions.comment(issue, mira, "Third.")
    assert len(inbox(ada)) == 3
    assert texts(inbox(ben)) == [f"Commented on #{issue.pk}: “Third.”"]
    assert len(inbox(mira)) == 2


def test_nobody_is_told_what_they_did_themselves(browser, inbox, issue, ada):
    browser(ada).post(issue.get_absolute_url(), {"body": "Talking to myself, @ada."})
    browser(ada).post(reverse("tracker:state", args=[issue.pk]), {"state": "closed"})
    assert inbox(ada) == []


def test_a_mention_calls_somebody_who_had_no_part(inbox, issue, ada, ben, mira):
    actions.comment(issue, ada, "@mira, and @Mira again: look at x@ben.example please")
    [told] = inbox(mira)
    assert str(told.message).startswith(f"Mentioned you in #{issue.pk}: “@mira, and")
    assert inbox(ben) == inbox(ada) == []


def test_who_is_mentioned_is_not_told_of_the_comment_as_well(inbox, issue, ada, ben):
    actions.comment(issue, ben, "@ada is this yours? @nobody knows.")
    assert texts(inbox(ada)) == [
        f"Mentioned you in #{issue.pk}: “@ada is this yours? @nobody knows.”"
    ]


def test_an_assignment_tells_who_gets_it_and_who_had_it(browser, inbox, issue, ada, ben, mira):
    url = reverse("tracker:assign", args=[issue.pk])
    browser(ada).post(url, {"assignee": ben.pk})
    browser(ada).post(url, {"assignee": ben.pk})
    assert texts(inbox(ben)) == [f"Assigned #{issue.pk} to you"]
    assert inbox(ben)[0].url == issue.get_absolute_url()
    browser(ada).post(url, {"assignee": mira.pk})
    assert texts(inbox(ben))[1:] == [f"Took #{issue.pk} off your list"]
    assert texts(inbox(mira)) == [f"Assigned #{issue.pk} to you"]
    assert inbox(ada) == []


def test_taking_an_issue_leaves_a_note_to_oneself(browser, inbox, issue, ben):
    browser(ben).post(reverse("tracker:assign", args=[issue.pk]), {"assignee": ben.pk})
    [note] = inbox(ben)
    assert (note.level, str(note.message)) == (
        stored_messages.STORED_SUCCESS,
        f"#{issue.pk} is yours now: Pins drift",
    )


def test_a_new_issue_tells_its_assignee_and_who_is_mentioned(browser, inbox, ada, ben, mira):
    fields = {"title": "Slow", "kind": "bug", "body": "@ben @mira", "assignee": ben.pk}
    response = browser(ada).post(reverse("tracker:new-issue"), fields)
    issue = Issue.objects.get()
    assert response.url == issue.get_absolute_url()
    assert texts(inbox(ben)) == [f"Opened #{issue.pk} and assigned it to you"]
    assert texts(inbox(mira)) == [f"Mentioned you in #{issue.pk}: “@ben @mira”"]
    assert inbox(ada) == []


def test_closing_and_reopening_tells_its_people(inbox, issue, ada, ben, mira):
    actions.comment(issue, ben, "Done?")
    actions.set_open(issue, ben, False)
    actions.set_open(issue, ben, False)
    actions.set_open(issue, ben, True)
    assert texts(inbox(ada))[1:] == [
        f"Closed #{issue.pk}",
        f"Reopened #{issue.pk}",
    ]
    assert inbox(ben) == inbox(mira) == []


def test_a_comment_that_is_rolled_back_tells_nobody(inbox, issue, ada, ben):
    with transaction.atomic():
        actions.comment(issue, ben, "Never said.")
        transaction.set_rollback(True)
    assert inbox(ada) == []
    assert not Comment.objects.exists()


def test_staff_tell_everybody(browser, inbox, ada, ben, mira):
    fields = {"level": stored_messages.STORED_WARNING, "text": "Cake at three"}
    response = browser(mira).post(reverse("tracker:announce"), fields)
    assert response.status_code == 302
    for who in (ada, ben, mira):
        [told] = inbox(who)
        assert told.broadcast
        assert str(told.message) == "Cake at three"


def test_nobody_else_does(browser, inbox, ada, ben):
    fields = {"level": stored_messages.STORED_WARNING, "text": "Cake at three"}
    assert browser(ada).post(reverse("tracker:announce"), fields).status_code == 403
    assert browser(ada).get(reverse("tracker:announce")).status_code == 403
    assert inbox(ben) == []
