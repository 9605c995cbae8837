"""Marking read and unread, dismissing, purging: what changes, for whom, and what is returned."""

from uuid import UUID

import pytest

import stored_messages
from stored_messages import MessageDoesNotExist
from tests.inbox.inboxes import archive, check_agreement, draft, send, unread

ODD_IDS = [
    "",
    "0",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "01",
    "1.0",
    "1e0",
    "0x1",
    "1_0",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "\N{SUPERSCRIPT TWO}",
    "\N{FULLWIDTH DIGIT NINE}" * 3,
    "1\x00",
    "\x00",
    "\ud800",
    "None",
    "True",
    "..",
    "../1",
    "%31",
    "1;--",
    "x" * 10_000,
    "9" * 18,
    "9" * 19,
    "9" * 10_000,
    -1,
    0,
    2**63,
    10**400,
    1.5,
    float("nan"),
    None,
    True,
    (),
    [1],
    {"id": 1},
    b"1",
    UUID(int=7),
]


def short(value):
    return ascii(value)[:30]


@pytest.fixture
def api(backend):
    """The functions that applications call, on the backend under test."""
    return stored_messages


def test_mark_read_tells_whether_it_was_unread(api, backend, ada):
    message = send(backend, [ada], "Hello")

    assert api.mark_read(ada, message) is True
    assert api.mark_read(ada, message) is False
    assert unread(backend, ada) == []
    assert archive(backend, ada) == ["Hello"]
    assert backend.get(ada, message.id).read_at is not None
    check_agreement(backend, ada)


def test_mark_read_takes_a_message_or_an_id(api, backend, ada):
    first, second, third = send(backend, [ada], "1", "2", "3")

    assert api.mark_read(ada, first.id)
    # Where ids are numbers: one of Redis may be all digits by chance, and loses its zeros as a number.
    assert api.mark_read(ada, int(second.id) if backend.using else second.id)
    assert api.mark_read(ada, backend.inbox_list(ada)[0])
    assert unread(backend, ada) == []
    assert not api.mark_read(ada, third)


def test_only_the_own_copy_is_read(api, backend, ada, ben):
    message = send(backend, [ada, ben], "Hello")

    assert api.mark_read(ada, message)
    assert unread(backend, ben) == ["Hello"]


def test_somebody_else_s_message_is_unknown(api, backend, ada, ben):
    message = send(backend, [ben], "for Ben")

    assert api.mark_read(ada, message) is False
    assert backend.mark_unread(ada, [message.id]) == backend.dismiss(ada, [message.id]) == []
    for method in (backend.inbox_get, backend.get, backend.inbox_delete):
        with pytest.raises(MessageDoesNotExist):
            method(ada, message.id)
    assert unread(backend, ben) == archive(backend, ben) == ["for Ben"]


@pytest.mark.parametrize("odd", ODD_IDS, ids=short)
def test_ids_of_odd_shapes_are_unknown(api, backend, ada, odd):
    send(backend, [ada], "Hello")
    backend.broadcast(draft("Everybody"))

    assert api.mark_read(ada, odd) is False
    assert backend.mark_read(ada, [odd]) == []
    assert backend.mark_unread(ada, [odd]) == []
    assert backend.dismiss(ada, [odd]) == []
    for method in (backend.inbox_get, backend.get, backend.inbox_delete):
        with pytest.raises(MessageDoesNotExist):
            method(ada, odd)
    assert unread(backend, ada) == ["Hello", "Everybody"]


def test_mark_read_of_several_returns_those_that_were_unread(backend, ada, ben):
    first, second, third = send(backend, [ada], "1", "2", "3")
    foreign = send(backend, [ben], "for Ben")
    everybody = backend.broadcast(draft("Everybody"))
    backend.mark_read(ada, [second.id])

    refs = backend.mark_read(
        ada, [everybody.id, third.id, second.id, first.id, first.id, foreign.id, "odd"]
    )

    assert sorted(refs) == sorted([first.ref, third.ref, everybody.ref])
    assert unread(backend, ada) == []
    assert unread(backend, ben) == ["for Ben", "Everybody"]


def test_inbox_get_gives_what_is_unread_only(backend, ada):
    message = send(backend, [ada], "Hello")

    assert backend.inbox_get(ada, message.id).ref == message.ref
    backend.mark_read(ada, [message.id])
    with pytest.raises(MessageDoesNotExist):
        backend.inbox_get(ada, message.id)
    assert backend.get(ada, message.id).ref == message.ref


def test_inbox_delete_raises_for_what_is_read_already(backend, ada):
    message = send(backend, [ada], "Hello")

    backend.inbox_delete(ada, message.id)
    with pytest.raises(MessageDoesNotExist):
        backend.inbox_delete(ada, message.id)
    assert unread(backend, ada) == []
    assert archive(backend, ada) == ["Hello"]


def test_purging_reads_everything_and_keeps_the_archive(backend, ada, ben):
    send(backend, [ada, ben], "1", "2")
    backend.broadcast(draft("3"))

    backend.inbox_purge(ada)

    assert unread(backend, ada) == []
    assert archive(backend, ada) == unread(backend, ben) == ["1", "2", "3"]
    assert backend.summary(ada) == (0, 0)


def test_below_a_position_means_strictly_below(backend, ada):
    first, second = send(backend, [ada], "1", "2")
    backend.broadcast(draft("3"))
    [fourth] = backend.send([ada], [draft("4")])

    backend.mark_read_below(ada, second.position)
    assert unread(backend, ada) == ["2", "3", "4"]
    backend.mark_read_below(ada, first.position)
    assert unread(backend, ada) == ["2", "3", "4"]
    backend.mark_read_below(ada, fourth.position)
    assert unread(backend, ada) == ["4"]
    check_agreement(backend, ada)


def test_mark_all_read_leaves_what_arrived_after_the_user_looked(api, backend, ada):
    send(backend, [ada], "1", "2", "3", "4")
    seen = backend.page(ada, limit=2)
    send(backend, [ada], "5")
    backend.broadcast(draft("6"))

    api.mark_all_read(ada, shown=seen.messages, below=seen.cursor)

    assert unread(backend, ada) == ["5", "6"]
    check_agreement(backend, ada)


def test_mark_all_read_reads_what_was_shown_and_nothing_between(api, backend, ada):
    sent = send(backend, [ada], "1", "2", "3", "4")

    api.mark_all_read(ada, shown=[sent[1], sent[3].id])

    assert unread(backend, ada) == ["1", "3"]


def test_mark_all_read_of_what_lies_below(api, backend, ada):
    sent = send(backend, [ada], "1", "2", "3")

    api.mark_all_read(ada, below=sent[2].position)

    assert unread(backend, ada) == ["3"]


@pytest.mark.parametrize("shown", [[], (), iter(())], ids=["list", "tuple", "iterator"])
def test_mark_all_read_of_nothing_shown_reads_nothing(api, backend, ada, shown):
    send(backend, [ada], "1")

    api.mark_all_read(ada, shown=shown)

    assert unread(backend, ada) == ["1"]


def test_mark_all_read_below_what_is_no_position_reads_nothing(api, backend, ada):
    message = send(backend, [ada], "1")

    with pytest.raises(ValueError, match="Not a position"):
        api.mark_all_read(ada, shown=[message], below="x")
    assert unread(backend, ada) == ["1"]


def test_mark_all_read_alone_means_everything(api, backend, ada, ben):
    send(backend, [ada, ben], "1", "2")

    api.mark_all_read(ada)

    assert unread(backend, ada) == []
    assert unread(backend, ben) == ["1", "2"]


def test_what_is_marked_unread_is_back_in_its_place(backend, ada):
    first, second, third = send(backend, [ada], "1", "2", "3")
    backend.mark_read(ada, [first.id, second.id])

    assert backend.mark_unread(ada, [second.id, second.id, third.id]) == [second.ref]

    assert unread(backend, ada) == ["2", "3"]
    assert backend.inbox_get(ada, second.id).ref == second.ref
    assert backend.mark_unread(ada, [second.id]) == []
    check_agreement(backend, ada)


def test_what_is_dismissed_is_gone_for_good(backend, ada, ben):
    first, second, third = send(backend, [ada, ben], "1", "2", "3")
    backend.mark_read(ada, [second.id])

    # Both in order of their ids: as texts, "10" comes before "9".
    dismissed = backend.dismiss(ada, [first.id, second.id])
    assert sorted(dismissed) == sorted([first.ref, second.ref])

    assert unread(backend, ada) == archive(backend, ada) == ["3"]
    assert backend.dismiss(ada, [first.id]) == []
    assert backend.mark_unread(ada, [first.id, second.id]) == []
    assert backend.mark_read(ada, [first.id]) == []
    for gone in (first, second):
        with pytest.raises(MessageDoesNotExist):
            backend.get(ada, gone.id)
    assert archive(backend, ben) == ["1", "2", "3"]
    assert backend.get(ada, third.id).ref == third.ref
    check_agreement(backend, ada)
