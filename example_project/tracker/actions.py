"""What people do in the tracker, and who is told.

An action and the notifications about it are committed together or not at all. Nobody is told what
they did themselves, and everybody concerned is told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
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
    level: int,
    text: str,
    *,
    actor: User,
    issue: Issue,
    url: str = "",
    date: datetime | None = None,
) -> None:
    stored_messages.add_message_for(
        [person for person in people if person != actor],
        level,
        f"{display_name(actor)} {text}",
        url=url or issue.get_absolute_url(),
        date=date,
        data={"title": issue.title, "actor": display_name(actor)},
    )


@transaction.atomic
def open_issue(author: User, date: datetime | None = None, **fields: Any) -> Issue:
    """File an issue; whoever is to look after it or is mentioned in it is told."""
    issue = Issue.objects.create(author=author, created_at=date or timezone.now(), **fields)
    names = mentioned(issue.body)
    others = User.objects.filter(username__in=names).exclude(pk=issue.assignee_id)
    about = {"actor": author, "issue": issue, "date": date}
    if issue.assignee:
        text = f"opened #{issue.pk} and assigned it to you"
        tell([issue.assignee], stored_messages.STORED_INFO, text, **about)
    text = f"mentioned you in #{issue.pk}: {excerpt(issue.body)}"
    tell(others, stored_messages.STORED_INFO, text, **about)
    return issue


@transaction.atomic
def comment(issue: Issue, author: User, body: str, date: datetime | None = None) -> Comment:
    """Say something; who is mentioned in it is told so, the issue's other people hear of it."""
    said = issue.comments.create(author=author, body=body, created_at=date or timezone.now())
    names = mentioned(body)
    about = {"actor": author, "issue": issue, "url": said.get_absolute_url(), "date": date}
    tell(
        User.objects.filter(username__in=names),
        stored_messages.STORED_INFO,
        f"mentioned you in #{issue.pk}: {excerpt(body)}",
        **about,
    )
    tell(
        issue.people().exclude(username__in=names),
        stored_messages.STORED_INFO,
        f"commented on #{issue.pk}: {excerpt(body)}",
        **about,
    )
    return said


@transaction.atomic
def assign(issue: Issue, actor: User, assignee: User | None, date: datetime | None = None) -> None:
    """Hand an issue to somebody, or to nobody; both who gets it and who had it are told."""
    before = issue.assignee
    if assignee == before:
        return
    issue.assignee = assignee
    issue.save(update_fields=["assignee"])
    about = {"actor": actor, "issue": issue, "date": date}
    if assignee:
        tell([assignee], stored_messages.STORED_INFO, f"assigned #{issue.pk} to you", **about)
    if before:
        tell([before], stored_messages.STORED_INFO, f"took #{issue.pk} off your list", **about)


@transaction.atomic
def set_open(issue: Issue, actor: User, is_open: bool, date: datetime | None = None) -> None:
    """Close or reopen an issue; all its people are told."""
    if issue.is_open == is_open:
        return
    issue.is_open = is_open
    issue.save(update_fields=["is_open"])
    if is_open:
        level, text = stored_messages.STORED_WARNING, f"reopened #{issue.pk}"
    else:
        level, text = stored_messages.STORED_SUCCESS, f"closed #{issue.pk}"
    tell(issue.people(), level, text, actor=actor, issue=issue, date=date)


def announce(actor: User, level: int, text: str, url: str | None = None) -> None:
    """Tell everybody something, however many they are: it is stored once."""
    stored_messages.broadcast_message(
        level, text, url=url, data={"title": "Announcement", "actor": display_name(actor)}
    )
