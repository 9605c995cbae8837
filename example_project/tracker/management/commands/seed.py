from datetime import datetime, timedelta
from typing import Any

import stored_messages
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from tracker import actions
from tracker.demo import ACCOUNTS, LONG_AGO, RECENTLY, WELCOME
from tracker.models import Issue


class Command(BaseCommand):
    help = "Creates the demo accounts and a few conversations, unless they are there already."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        self.now = timezone.now()
        self.people = {}
        for account in ACCOUNTS:
            defaults = account | {"date_joined": self.ago(30 * 24)}
            name = account["username"]
            self.people[name], _ = User.objects.get_or_create(username=name, defaults=defaults)
        if Issue.objects.exists():
            self.stdout.write("The tracker has its people and issues already.")
            return
        for issue in LONG_AGO:
            self.replay(**issue)
        for person in self.people.values():
            stored_messages.mark_all_read(person)
        for issue in RECENTLY:
            self.replay(**issue)
        staff = next(person for person in self.people.values() if person.is_staff)
        actions.announce(staff, stored_messages.STORED_WARNING, WELCOME, self.ago(0.5))
        self.stdout.write(
            f"{len(self.people)} people and {Issue.objects.count()} issues are ready."
        )

    def ago(self, hours: float) -> datetime:
        return self.now - timedelta(hours=hours)

    def replay(
        self,
        who: tuple[str, int],
        assignee: str,
        comments: list[tuple[str, int, str]],
        closed: tuple[str, int] | None = None,
        **fields: Any,
    ) -> None:
        """Let an issue take its course again, at the times at which it did, and tell its people."""
        author, hours = who
        fields["assignee"] = self.people.get(assignee)
        issue = actions.open_issue(self.people[author], self.ago(hours), **fields)
        for author, hours, text in comments:
            actions.comment(issue, self.people[author], text, self.ago(hours))
        if closed:
            author, hours = closed
            actions.set_open(issue, self.people[author], False, self.ago(hours))
