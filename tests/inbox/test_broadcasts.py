"""A message to everybody who has joined so far."""

from datetime import timedelta

import pytest
from django.utils import timezone

from stored_messages import MessageDoesNotExist
from tests.inbox.inboxes import archive, check_agreement, draft, send, unread


@pytest.fixture
def everybody(backend):
    return backend.broadcast(draft("Everybody"))


@pytest.mark.usefixtures("everybody")
def test_everybody_has_it_in_its_place(backend, ada, ben):
    send(backend, [ada], "for Ada")
    backend.broadcast(draft("Again"))

    assert unread(backend, ada) == archive(backend, ada) == ["Everybody", "for Ada", "Again"]
    assert unread(backend, ben) == archive(backend, ben) == ["Everybody", "Again"]
    for user in (ada, ben):
        check_agreement(backend, user)


def test_it_is_returned_as_everybody_will_read_it(backend, ada, everybody):
    [row] = backend.inbox_list(ada)

    assert row.ref == everybody.ref
    assert row.broadcast is everybody.broadcast is True
    assert row.read_at is None


def test_who_joins_later_does_not_see_it(backend, ada, everybody, person):
    late = person("late", date_joined=timezone.now() + timedelta(seconds=1))

    assert unread(backend, late) == archive(backend, late) == []
    assert backend.mark_read(late, [everybody.id]) == []
    assert backend.dismiss(late, [everybody.id]) == []
    with pytest.raises(MessageDoesNotExist):
        backend.get(late, everybody.id)
    backend.inbox_purge(late)
    assert unread(backend, ada) == ["Everybody"]
    for user in (ada, late):
        check_agreement(backend, user)


def test_a_user_named_by_their_key_sees_what_they_see(backend, ada, person):
    backend.broadcast(draft("Before"))
    ben = person("ben", date_joined=timezone.now())
    broadcast = backend.broadcast(draft("After"))

    for user in (ben, ben.pk, str(ben.pk)):
        assert unread(backend, user) == archive(backend, user) == ["After"]
        assert backend.archive_count(user) == 1
        assert backend.summary(user) == backend.page(user).summary == (1, broadcast.stamp)
    assert backend.summaries([ada, ben.pk]) == {
        ada.pk: backend.summary(ada),
        ben.pk: (1, broadcast.stamp),
    }


def test_who_joined_at_that_very_moment_sees_it(backend, everybody, person):
    punctual = person("punctual", date_joined=everybody.sent_at)

    assert unread(backend, punctual) == ["Everybody"]
    check_agreement(backend, punctual)


@pytest.mark.parametrize("date", [None, timedelta(days=1), timedelta(days=-1)])
@pytest.mark.parametrize("steps", [["mark_read"], ["mark_read", "mark_unread"], ["dismiss"]])
def test_the_date_somebody_joined_may_be_moved_after_they_touched_it(backend, ada, steps, date):
    """As an administrator may, or an import."""
    dated = {} if date is None else {"date": timezone.now() + date}
    touched = backend.broadcast(draft("Touched", **dated))
    backend.broadcast(draft("Untouched"))
    for step in steps:
        getattr(backend, step)(ada, [touched.id])
    ada.date_joined = timezone.now()
    ada.save()
    later = backend.broadcast(draft("Later"))
    backend.broadcast(draft("Last"))
    backend.mark_read(ada, [later.id])

    assert unread(backend, ada) == (["Touched"] if "mark_unread" in steps else []) + ["Last"]
    check_agreement(backend, ada)


def test_the_sender_s_date_does_not_say_who_had_joined(backend, ada, person):
    backend.broadcast(draft("Back-dated", date=timezone.now() - timedelta(days=2)))
    backend.broadcast(draft("Post-dated", date=timezone.now() + timedelta(days=2)))
    late = person("late", date_joined=timezone.now() + timedelta(hours=1))

    assert unread(backend, ada) == ["Back-dated", "Post-dated"]
    assert unread(backend, late) == []
    check_agreement(backend, ada)


def test_each_reads_it_alone(backend, ada, ben, everybody):
    assert backend.mark_read(ada, [everybody.id]) == [everybody.ref]
    assert backend.mark_read(ada, [everybody.id]) == []

    assert unread(backend, ada) == []
    assert archive(backend, ada) == unread(backend, ben) == ["Everybody"]
    assert backend.get(ada, everybody.id).read_at is not None
    assert backend.get(ben, everybody.id).read_at is None
    for user in (ada, ben):
        check_agreement(backend, user)


def test_each_marks_it_unread_alone(backend, ada, ben, everybody):
    backend.mark_read(ada, [everybody.id])
    backend.mark_read(ben, [everybody.id])

    assert backend.mark_unread(ada, [everybody.id]) == [everybody.ref]

    assert unread(backend, ada) == ["Everybody"]
    assert unread(backend, ben) == []
    for user in (ada, ben):
        check_agreement(backend, user)
    assert backend.mark_read(ada, [everybody.id]) == [everybody.ref]


def test_each_dismisses_it_alone(backend, ada, ben, everybody):
    assert backend.dismiss(ada, [everybody.id]) == [everybody.ref]
    assert backend.dismiss(ada, [everybody.id]) == []

    assert unread(backend, ada) == archive(backend, ada) == []
    assert unread(backend, ben) == archive(backend, ben) == ["Everybody"]
    for user in (ada, ben):
        check_agreement(backend, user)


def test_it_can_be_dismissed_when_read(backend, ada, everybody):
    backend.mark_read(ada, [everybody.id])

    assert backend.dismiss(ada, [everybody.id]) == [everybody.ref]
    assert archive(backend, ada) == []


def test_purging_reads_it(backend, ada, ben, everybody):
    backend.inbox_purge(ada)
    later = backend.broadcast(draft("Later"))

    assert unread(backend, ada) == ["Later"]
    assert unread(backend, ben) == ["Everybody", "Later"]
    assert archive(backend, ada) == ["Everybody", "Later"]
    backend.mark_read_below(ben, later.position)
    assert unread(backend, ben) == ["Later"]
    assert backend.get(ada, everybody.id).read_at is not None
    for user in (ada, ben):
        check_agreement(backend, user)


def test_summaries_of_many_are_those_of_each(backend, person):
    now = timezone.now()
    people = [person(f"p{i}", date_joined=now + timedelta(hours=i - 3)) for i in range(6)]
    first, second = (backend.broadcast(draft(text)) for text in "ab")
    backend.broadcast(draft("expired", date=now - timedelta(days=31)))
    backend.mark_read(people[0], [first.id])
    backend.dismiss(people[1], [second.id])
    backend.inbox_purge(people[2])
    send(backend, people[:2], "for two")

    together = backend.summaries(people)

    assert together == {user.pk: backend.summary(user) for user in people}
    assert [together[user.pk].unread for user in people] == [2, 2, 0, 2, 0, 0]
    for user in people:
        check_agreement(backend, user)


def test_summaries_of_nobody(backend):
    assert backend.summaries([]) == {}
