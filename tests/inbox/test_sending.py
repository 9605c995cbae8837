"""Who gets what is sent, in which order: the contract of every backend."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import DatabaseError, transaction
from django.utils.functional import SimpleLazyObject

from stored_messages.representation import represent
from tests.inbox.inboxes import archive, check_agreement, draft, send, texts, unread


def _groups():
    Group.objects.create(name="x")
    return Group.objects.all()


def _evaluated(queryset):
    len(queryset)
    return queryset


RECIPIENTS = {
    "list": lambda ada, ben: [ada, ben],
    "tuple": lambda ada, ben: (ben, ada),
    "set": lambda ada, ben: {ada, ben},
    "generator": lambda ada, ben: (user for user in [ada, ben]),
    "primary keys": lambda ada, ben: [ada.pk, ben.pk],
    "primary keys as text": lambda ada, ben: [str(ada.pk), str(ben.pk)],
    "lazy users": lambda ada, ben: [SimpleLazyObject(lambda: ada), SimpleLazyObject(lambda: ben)],
    "named twice": lambda ada, ben: [ada, ben, ada, ben.pk, str(ada.pk)],
    "queryset": lambda ada, ben: User.objects.all(),
    "descending queryset": lambda ada, ben: User.objects.order_by("-username"),
    "sliced queryset": lambda ada, ben: User.objects.order_by("pk")[:2],
    "evaluated queryset": lambda ada, ben: _evaluated(User.objects.all()),
    "values_list queryset": lambda ada, ben: User.objects.values_list("pk", flat=True),
    "deferred queryset": lambda ada, ben: User.objects.only("username"),
    "union of querysets": lambda ada, ben: User.objects.filter(pk=ada.pk).union(
        User.objects.filter(pk=ben.pk)
    ),
    "queryset with duplicates": lambda ada, ben: User.objects.filter(groups__name__startswith="g"),
    "distinct queryset": lambda ada, ben: User.objects.filter(
        groups__name__startswith="g"
    ).distinct(),
    "empty queryset's neighbour": lambda ada, ben: [*User.objects.none(), ada, ben],
}

NOBODY = {
    "list": list,
    "generator": lambda: (user for user in []),
    "queryset": User.objects.none,
    "sliced queryset": lambda: User.objects.all()[:0],
}

REFUSED = {
    "anonymous": AnonymousUser,
    "unsaved": lambda: User(username="nobody"),
    "None": lambda: None,
    "another model": lambda: Group.objects.create(name="x"),
    "queryset of another model": _groups,
    "queryset of dicts": lambda: User.objects.values("pk"),
    "queryset of tuples": lambda: User.objects.values_list("pk"),
    "text": lambda: "ada",
    "object": lambda: SimpleNamespace(name="ada"),
    "object with a text as key": lambda: SimpleNamespace(pk="ada"),
}


@pytest.fixture
def two_groups(ada, ben):
    """Joins over memberships yield everybody twice."""
    for name in ("g1", "g2"):
        Group.objects.create(name=name).user_set.add(ada, ben)


@pytest.mark.usefixtures("two_groups")
@pytest.mark.parametrize("recipients", RECIPIENTS.values(), ids=RECIPIENTS)
def test_recipients_of_every_kind_get_one_copy_each(backend, ada, ben, recipients, sent_signals):
    [message] = backend.send(recipients(ada, ben), [draft()])

    for user in (ada, ben):
        assert [row.ref for row in backend.inbox_list(user)] == [message.ref]
        assert [row.ref for row in backend.archive_list(user)] == [message.ref]
        check_agreement(backend, user)
    [told] = [carried for name, carried in sent_signals if name == "messages_stored"]
    assert told["user_ids"] == [ada.pk, ben.pk]


@pytest.mark.parametrize("who", [lambda user: user, lambda user: user.pk], ids=["user", "key"])
def test_a_single_recipient_needs_no_list(backend, ada, ben, who):
    send(backend, who(ada), "for Ada")

    assert unread(backend, ada) == ["for Ada"]
    assert unread(backend, ben) == []


@pytest.mark.parametrize("nobody", NOBODY.values(), ids=NOBODY)
def test_a_message_to_nobody_is_no_error(backend, ada, nobody, sent_signals):
    [message] = backend.send(nobody(), [draft()])

    assert message.id
    assert unread(backend, ada) == []
    assert sent_signals == []


def test_sending_nothing_is_no_error(backend, ada, sent_signals):
    assert backend.send([ada], []) == []
    assert unread(backend, ada) == []
    assert sent_signals == []


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("position", ["alone", "last"])
def test_what_is_no_user_is_refused_and_nobody_gets_anything(
    backend, ada, refused, position, sent_signals
):
    what = refused()
    if position == "last":
        what = [ada, what] if not hasattr(what, "query") else [ada, *what]

    with pytest.raises((ValueError, TypeError)):
        backend.send(what, [draft()])

    assert archive(backend, ada) == []
    assert sent_signals == []


@pytest.mark.parametrize("key", [2**63, -(2**63) - 1, 2**70, str(2**70)])
def test_a_key_that_no_column_can_hold_harms_nothing(backend, ada, key):
    for recipients in ([key], [ada, key]):
        with suppress(OverflowError, DatabaseError):  # where there are columns
            backend.send(recipients, [draft()])
            assert unread(backend, ada) == ["Hello"] * (ada in recipients)
    backend.cleanup()
    check_agreement(backend, ada)


def test_a_user_who_was_deleted_meanwhile_does_not_fail_the_others(backend, ada, ben):
    gone = User.objects.get(pk=ben.pk)
    ben.delete()

    send(backend, [ada, gone], "Hello")

    assert unread(backend, ada) == ["Hello"]


def test_a_deleted_user_leaves_no_inbox_to_whoever_gets_the_same_key(
    backend, ada, ben, django_capture_on_commit_callbacks
):
    send(backend, [ada, ben], "Hello")
    key = ada.pk
    with django_capture_on_commit_callbacks(execute=True):
        ada.delete()
    heir = User.objects.create(pk=key, username="heir")

    assert unread(backend, heir) == []
    assert archive(backend, heir) == []
    assert unread(backend, ben) == ["Hello"]


def test_a_user_who_is_not_deleted_after_all_has_lost_nothing(backend, ada):
    send(backend, [ada], "Hello")

    with suppress(LookupError), transaction.atomic():
        User.objects.get(pk=ada.pk).delete()
        raise LookupError

    assert unread(backend, ada) == ["Hello"]


def test_many_recipients_are_told_in_thousands(backend, crowd, sent_signals):
    users = crowd(2001)

    send(backend, User.objects.all(), "Hello")

    told = [carried["user_ids"] for name, carried in sent_signals if name == "messages_stored"]
    assert [len(user_ids) for user_ids in told] == [1000, 1000, 1]
    assert [pk for user_ids in told for pk in user_ids] == [user.pk for user in users]
    assert set(backend.summaries(users).values()) == {backend.summary(users[0])}
    assert backend.summary(users[2000]).unread == 1


def test_lists_are_in_order_of_arrival_whatever_the_date(backend, ada):
    send(backend, [ada], "first", date=draft().date)
    send(backend, [ada], "second", date=draft().date.replace(year=2100))
    send(backend, [ada], "third")

    assert unread(backend, ada) == ["first", "second", "third"]
    assert archive(backend, ada) == ["first", "second", "third"]
    assert texts(backend.page(ada).messages) == ["third", "second", "first"]


def test_several_messages_arrive_in_their_order(backend, ada, ben):
    sent = backend.send([ada, ben], [draft("one"), draft("two"), draft("three")])

    assert texts(sent) == unread(backend, ada) == unread(backend, ben) == ["one", "two", "three"]
    assert len({message.id for message in sent}) == 3
    check_agreement(backend, ada)


def test_what_was_sent_is_returned_as_it_will_be_read(backend, ada):
    sent = backend.send(
        [ada], [draft("Hello", extra_tags="x", url="/there/", data={"title": "Greeting"})]
    )[0]

    [read] = backend.inbox_list(ada)
    assert represent(sent) == represent(read)
    assert sent.sent_at == read.sent_at
    assert isinstance(read.id, str)
    assert (read.tags, read.extra_tags, read.level_tag) == (
        "x persisted info",
        "x",
        "persisted info",
    )
    assert read == sent


def test_messages_with_equal_content_are_different_messages(backend, ada):
    first, second = send(backend, [ada], "Hello", "Hello")

    assert first != second
    assert first.id != second.id
    assert unread(backend, ada) == ["Hello", "Hello"]
