"""Random histories of several users, against a model that is nothing but lists of what everybody should have."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import hypothesis
import hypothesis.strategies as st
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from stored_messages import MessageDoesNotExist
from tests.inbox.inboxes import draft, walk

INBOX_DAYS, MESSAGE_DAYS = 10, 20
USERS = 3

some_users = st.sets(st.integers(0, USERS - 1))
one_user = st.integers(0, USERS - 1)
#: Which of the messages sent so far, counted from the latest one.
one_message = st.integers(0, 7)
some_messages = st.lists(one_message, max_size=4)
age = st.sampled_from([0, 0, 0, INBOX_DAYS + 1, MESSAGE_DAYS + 1])


@dataclass
class Copy:
    """What one user should have of one message."""

    position: str
    stamp: int
    read: bool = False
    dismissed: bool = False


@dataclass
class Sent:
    """A message, and who should have what of it."""

    message: object
    age: int
    copies: dict[int, Copy] = field(default_factory=dict)


class Inboxes(RuleBasedStateMachine):
    backend = None

    @initialize()
    def begin(self):
        self.backend._flush()
        User.objects.all().delete()
        self.names, self.turns = count(), count()
        self.users = []
        self.sent = []
        for _ in range(USERS):
            self.join()

    def join(self):
        joined = timezone.now()
        self.users.append(
            User.objects.create(username=f"user{next(self.names)}", date_joined=joined)
        )

    # What happens.

    @rule(users=some_users, number=st.integers(1, 3), days=age, shown=st.booleans())
    def send(self, users, number, days, shown):
        drafts = [draft("Hello", date=timezone.now() - timedelta(days=days)) for _ in range(number)]
        if shown:
            drafts[0].read_at = drafts[0].sent_at
        for message in self.backend.send([self.users[i] for i in users], drafts):
            read = message.read_at is not None
            self.remember(message, days, users, read=read)

    @rule(days=age)
    def broadcast(self, days):
        message = self.backend.broadcast(draft(date=timezone.now() - timedelta(days=days)))
        self.remember(message, days, range(USERS))

    @rule(which=one_message, users=some_users, archive=st.booleans())
    def store_again(self, which, users, archive):
        for sent in self.named([which]):
            if sent.message.broadcast:
                continue
            store = self.backend.archive_store if archive else self.backend.inbox_store
            try:
                store([self.users[i] for i in users], sent.message)
            except MessageDoesNotExist:  # cleaned up, if anybody was to get it
                assert sent.age > MESSAGE_DAYS
                continue
            for i in users:
                copy = sent.copies.get(i)
                if copy is None or copy.dismissed or (copy.read and not archive):
                    self.arrive_now(sent, i, read=archive)

    @rule(user=one_user, which=some_messages)
    def mark_read(self, user, which):
        refs = self.backend.mark_read(self.users[user], self.ids(which))
        self.check_refs(refs, user, self.change(user, which, self.is_unread, read=True))

    @rule(user=one_user, which=some_messages)
    def mark_unread(self, user, which):
        refs = self.backend.mark_unread(self.users[user], self.ids(which))
        expected = self.change(user, which, self.can_be_unread, read=False)
        self.check_refs(refs, user, expected)

    @rule(user=one_user, which=some_messages)
    def dismiss(self, user, which):
        refs = self.backend.dismiss(self.users[user], self.ids(which))
        expected = self.change(user, which, self.is_kept, read=True, dismissed=True)
        self.check_refs(refs, user, expected)

    @rule(user=one_user, which=one_message)
    def mark_read_below(self, user, which):
        for sent in self.named([which]):
            position = sent.message.position
            self.backend.mark_read_below(self.users[user], position)
            for other in self.sent:
                if self.is_unread(other, user) and other.copies[user].position < position:
                    other.copies[user].read = True

    @rule(user=one_user)
    def purge(self, user):
        self.backend.inbox_purge(self.users[user])
        for sent in self.sent:
            if self.is_unread(sent, user):
                sent.copies[user].read = True

    @rule()
    def clean_up(self):
        self.backend.expired_messages_cleanup()

    @rule(user=one_user)
    def leave_and_be_replaced(self, user):
        """Somebody is deleted, and somebody new joins in their place."""
        self.users[user].delete()
        for sent in self.sent:
            sent.copies.pop(user, None)
        self.join()
        self.users[user] = self.users.pop()

    # What should be so at any time.

    @invariant()
    def lists_and_summaries_agree_with_the_model(self):
        summaries = self.backend.summaries(self.users)
        assert len(summaries) == USERS
        for i, user in enumerate(self.users):
            inbox = self.expected(i, self.is_unread)
            assert rows(self.backend.inbox_list(user)) == inbox
            assert rows(self.backend.archive_list(user)) == self.expected(i, self.is_kept)
            assert summaries[user.pk] == digest(inbox)

    @invariant()
    def pages_agree_with_the_model(self):
        """Of one user after the other, since this costs most."""
        turn = next(self.turns) % USERS
        user = self.users[turn]
        inbox = self.expected(turn, self.is_unread)
        assert self.backend.summary(user) == digest(inbox)
        for archive, condition in ((False, self.is_unread), (True, self.is_kept)):
            pages = walk(self.backend, user, limit=4, archive=archive)
            shown = rows(row for page in pages for row in page.messages)
            assert shown == self.expected(turn, condition)[::-1]
            assert {page.summary for page in pages} == {digest(inbox)}

    @invariant()
    def the_latest_message_is_found_by_those_who_have_it(self):
        for sent in self.sent[-1:]:
            for i, user in enumerate(self.users):
                for get, has in (
                    (self.backend.get, self.is_kept),
                    (self.backend.inbox_get, self.is_unread),
                ):
                    try:
                        found = get(user, sent.message.id).ref
                    except MessageDoesNotExist:
                        found = None
                    copy = sent.copies.get(i)
                    expected = (sent.message.id, copy.stamp, copy.position) if copy else None
                    assert found == (expected if has(sent, i) else None)

    # The model.

    def remember(self, message, days, users, *, read=False):
        copies = {i: Copy(message.position, message.stamp, read) for i in users}
        self.sent.append(Sent(message, days, copies))

    def arrive_now(self, sent, user, *, read):
        """The store chooses position and stamp: new ones, the position above all others."""
        before = sent.copies.get(user) or Copy(sent.message.position, sent.message.stamp)
        sent.copies[user] = Copy(before.position, before.stamp, read)
        if sent.age >= MESSAGE_DAYS:  # shown nowhere: its new ones cannot be seen
            return
        find = self.backend.get if sent.age or read else self.backend.inbox_get
        now = find(self.users[user], sent.message.id)
        highest = max(c.position for other in self.sent for c in other.copies.values())
        assert now.position >= highest
        assert now.position > before.position
        assert now.stamp != before.stamp
        sent.copies[user] = Copy(now.position, now.stamp, read)

    def named(self, which):
        return [self.sent[-1 - i] for i in dict.fromkeys(which) if i < len(self.sent)]

    def ids(self, which):
        return [*(sent.message.id for sent in self.named(which)), "unknown"]

    def change(self, user, which, condition, **values):
        changed = [sent for sent in self.named(which) if condition(sent, user)]
        for sent in changed:
            vars(sent.copies[user]).update(values)
        return changed

    def check_refs(self, refs, user, expected):
        copies = [(sent.message.id, sent.copies[user]) for sent in expected]
        assert sorted(refs) == sorted((id_, copy.stamp, copy.position) for id_, copy in copies)

    def is_kept(self, sent, user):
        copy = sent.copies.get(user)
        return copy is not None and not copy.dismissed and sent.age < MESSAGE_DAYS

    def is_unread(self, sent, user):
        young = sent.age < INBOX_DAYS
        return self.is_kept(sent, user) and young and not sent.copies[user].read

    def can_be_unread(self, sent, user):
        young = sent.age < INBOX_DAYS
        return self.is_kept(sent, user) and young and sent.copies[user].read

    def expected(self, user, condition):
        copies = [
            (sent.copies[user].position, sent.message.id, sent.copies[user].stamp)
            for sent in self.sent
            if condition(sent, user)
        ]
        return sorted(copies)


def rows(messages):
    return [(message.position, message.id, message.stamp) for message in messages]


def digest(rows):
    return len(rows), sum(stamp for _, _, stamp in rows)


@pytest.mark.parametrize("part", [1, 2])
def test_random_histories(backend, settings, part):
    """In two parts, for two workers. Each run has the same ones; other seeds have others."""
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": INBOX_DAYS,
        "MESSAGE_EXPIRE_DAYS": MESSAGE_DAYS,
    }
    inboxes = type("Inboxes", (Inboxes,), {"backend": backend})
    run(
        hypothesis.seed(int(os.environ.get("SEED", "0")) + part)(inboxes),
        settings=hypothesis.settings(
            # A cluster differs in where keys are, not in what happens to them.
            max_examples=4 if "cluster" in settings.STORED_MESSAGES.get("REDIS_URL", "") else 10,
            stateful_step_count=20,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
