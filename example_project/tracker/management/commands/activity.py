import itertools
import random
import time
from typing import Any

import stored_messages
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracker import actions
from tracker.demo import ACCOUNTS, ANNOUNCEMENTS, COMMENTS, NEW_ISSUES
from tracker.models import Issue

BUSY = 12  # comments after which an issue is closed, so that pages stay short


class Command(BaseCommand):
    help = "Lets the demo users work in the tracker until Ctrl-C. Watch your bell meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--interval", type=float, default=3.0, help="seconds between actions")
        parser.add_argument("--count", type=int, help="stop after so many actions")

    def handle(self, *, interval: float, count: int | None, **options: Any) -> None:
        people = list(User.objects.filter(username__in=[a["username"] for a in ACCOUNTS]))
        if len(people) < 2:
            raise CommandError("There is nobody to work: run `manage.py seed` first.")
        try:
            for done in itertools.count(1) if count is None else range(1, count + 1):
                self.stdout.write(self.act(people))
                if done != count:
                    time.sleep(interval)
        except KeyboardInterrupt:
            self.stdout.write("\nEverybody goes home.")

    def act(self, people: list[User]) -> str:
        """Let somebody do something, and say what it was."""
        actor, other = random.sample(people, 2)
        still_open = Issue.objects.filter(is_open=True).select_related("assignee")
        issues = list(still_open.order_by("-pk")[:8])
        dice = random.random()
        if len(issues) < 4 or dice < 0.04:
            kind, title = random.choice(NEW_ISSUES)
            issue = actions.open_issue(actor, kind=kind, title=title, assignee=other)
            return f"{actor} opened {issue} for {other}"
        if dice < 0.07 and any(person.is_staff for person in people):
            boss = next(person for person in people if person.is_staff)
            text = random.choice(ANNOUNCEMENTS)
            actions.announce(boss, stored_messages.STORED_WARNING, text)
            return f"{boss} announced: {text}"
        issue = random.choice(issues)
        if issue.comments.count() >= BUSY or dice < 0.11:
            actions.set_open(issue, actor, False)
            return f"{actor} closed {issue}"
        if dice < 0.15 and (closed := Issue.objects.filter(is_open=False).order_by("?").first()):
            actions.set_open(closed, actor, True)
            return f"{actor} reopened {closed}"
        if dice < 0.3:
            actions.assign(issue, actor, other)
            return f"{actor} assigned {issue} to {other}"
        text = random.choice(COMMENTS).format(mention=f"@{other.username}")
        actions.comment(issue, actor, text)
        return f"{actor} commented on {issue}"
