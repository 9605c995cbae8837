"""What people do in the tracker, and who is told.

An action and the notifications about it are committed together or not at all. Nobody is told what
they did themselves, and everybody concerned is told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

import stored_messages
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator

from .mentions import mentioned
from .models import Comment, Issue, display_name


def excerpt(body: str) -> str:
    return "“{}”".format(Truncator(" ".join(body.split())).chars(120))


def tell(
    people: Iterable[User],
    text: str,
    *,
    actor: User,
    issue: Issue,
    level: int = stored_messages.STORED_INFO,
    url: str = "",
    date: datetime | None = None,
) -> None:
    stored_messages.add_message_for(
        [person for person in people if person != actor],
        level,
        text,
        url=url or issue.get_absolute_url(),
        date=date,
        data={"title": issue.title, "actor": display_name(actor)},
    )


@transaction.atomic
def open_issue(author: User, date: datetime | None = None, **fields: Any) -> Issue:
    """File an issue; whoever is to look after it or is mentioned in it is told."""
    issue = Issue.objects.create(author=author, created_at=date or timezone.now(), **fields)
    names = mentioned(issue.body)
    told = partial(tell, actor=author, issue=issue, date=date)
    if issue.assignee:
        names.discard(issue.assignee.username)
        told([issue.assignee], f"Opened #{issue.pk} and assigned it to you")
    called = User.objects.filter(username__in=names)
    told(called, f"Mentioned you in #{issue.pk}: {excerpt(issue.body)}")
    return issue


@transaction.atomic
def comment(issue: Issue, author: User, body: str, date: datetime | None = None) -> Comment:
    """Say something; who is mentioned in it is told so, the issue's other people hear of it."""
    said = issue.comments.create(author=author, body=body, created_at=date or timezone.now())
    names = mentioned(body)
    called = User.objects.filter(username__in=names)
    others = issue.people().exclude(username__in=names)
    told = partial(tell, actor=author, issue=issue, url=said.get_absolute_url(), date=date)
    told(called, f"Mentioned you in #{issue.pk}: {excerpt(body)}")
    told(others, f"Commented on #{issue.pk}: {excerpt(body)}")
    return said


@transaction.atomic
def assign(issue: Issue, actor: User, assignee: User | None, date: datetime | None = None) -> None:
    """Hand an issue to somebody, or to nobody; both who gets it and who had it are told."""
    before = issue.assignee
    if assignee == before:
        return
    issue.assignee = assignee
    issue.save(update_fields=["assignee"])
    told = partial(tell, actor=actor, issue=issue, date=date)
    if assignee:
        told([assignee], f"Assigned #{issue.pk} to you")
    if before:
        told([before], f"Took #{issue.pk} off your list")


@transaction.atomic
def set_open(issue: Issue, actor: User, is_open: bool, date: datetime | None = None) -> None:
    """Close or reopen an issue; all its people are told."""
    if issue.is_open == is_open:
        return
    issue.is_open = is_open
    issue.save(update_fields=["is_open"])
    if is_open:
        level, text = stored_messages.STORED_WARNING, f"Reopened #{issue.pk}"
    else:
        level, text = stored_messages.STORED_SUCCESS, f"Closed #{issue.pk}"
    tell(issue.people(), text, actor=actor, issue=issue, level=level, date=date)


def announce(actor: User, level: int, text: str, date: datetime | None = None) -> None:
    """Tell everybody something, however many they are: it is stored once."""
    about = {"title": "Announcement", "actor": display_name(actor)}
    stored_messages.broadcast_message(level, text, date=date, data=about)
