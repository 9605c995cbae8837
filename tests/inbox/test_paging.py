"""Pages, newest first: every message exactly once, and a summary that is that of the list."""

import pytest

from tests.inbox.inboxes import draft, send, texts, walk

ODD_POSITIONS = [
    "",
    "1",
    "x" * 16,
    "0007B2C3D4E5F601",
    "0007b2c3d4e5f60",
    "0007b2c3d4e5f6011",
    "ffffffffffffffff",
    "-007b2c3d4e5f601",
    "\N{ARABIC-INDIC DIGIT ZERO}" * 16,
    "0007b2c3d4e5f60\n",
    "0x07b2c3d4e5f601",
]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("archive", [False, True], ids=["inbox", "archive"])
def test_pages_hold_every_message_once(backend, ada, size, archive):
    for number in range(size):
        if number % 3 == 1:
            backend.broadcast(draft(str(number)))
        else:
            send(backend, [ada], str(number))

    pages = walk(backend, ada, limit=3, archive=archive)

    shown = [text for page in pages for text in texts(page.messages)]
    assert shown == [str(number) for number in reversed(range(size))]
    assert [len(page.messages) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert all(page.cursor == page.messages[-1].position for page in pages[:-1])
    assert {page.summary for page in pages} == {backend.summary(ada)}


def test_what_arrives_between_two_pages_moves_nothing(backend, ada):
    send(backend, [ada], "1", "2", "3", "4")
    first = backend.page(ada, limit=2)
    send(backend, [ada], "5")
    backend.broadcast(draft("6"))

    second = backend.page(ada, before=first.cursor, limit=2)

    assert texts(first.messages) + texts(second.messages) == ["4", "3", "2", "1"]
    assert second.cursor is None
    assert second.summary == backend.summary(ada)
    assert second.summary.unread == 6


def test_what_is_read_between_two_pages_is_missing_from_the_next_alone(backend, ada):
    sent = send(backend, [ada], "1", "2", "3", "4")
    first = backend.page(ada, limit=2)
    backend.mark_read(ada, [sent[1].id, sent[3].id])

    second = backend.page(ada, before=first.cursor, limit=2)

    assert texts(second.messages) == ["1"]
    assert second.summary == backend.summary(ada)


def test_the_archive_s_pages_hold_what_is_read_and_count_what_is_unread(backend, ada):
    sent = send(backend, [ada], "1", "2", "3")
    backend.mark_read(ada, [sent[1].id])

    [page] = walk(backend, ada, limit=3, archive=True)

    assert texts(page.messages) == ["3", "2", "1"]
    assert [message.read_at is None for message in page.messages] == [True, False, True]
    assert page.summary == backend.summary(ada)
    assert page.summary.unread == 2


def test_nobody_sees_the_messages_of_others(backend, ada, ben):
    send(backend, [ben], "for Ben")

    assert backend.page(ada).messages == backend.page(ada, archive=True).messages == []
    assert backend.summary(ada) == (0, 0)


@pytest.mark.parametrize("position", ODD_POSITIONS)
def test_what_is_no_position_is_a_value_error(backend, ada, position):
    send(backend, [ada], "Hello")

    with pytest.raises(ValueError, match="Not a position"):
        backend.page(ada, before=position)
    with pytest.raises(ValueError, match="Not a position"):
        backend.mark_read_below(ada, position)
    assert backend.summary(ada).unread == 1
