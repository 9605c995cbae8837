"""The asynchronous twins do what the functions without the `a` do, and so do messages in async views."""

import inspect

import pytest
from asgiref.sync import async_to_sync

import stored_messages
from tests.inbox.inboxes import archive, send, unread

TWINS = {name for name in stored_messages.__all__ if f"a{name}" in stored_messages.__all__}


def test_there_is_one_of_each():
    assert {
        *("add_message_for", "broadcast_message", "inbox", "archive"),
        *("mark_read", "mark_unread", "mark_all_read", "dismiss", "get_messages"),
        *("archive_count", "unread_count", "summary", "summaries"),
    } == TWINS


@pytest.mark.parametrize("name", sorted(TWINS))
def test_each_is_named_and_awaitable(name):
    twin = getattr(stored_messages, f"a{name}")

    assert twin.__name__ == f"a{name}"
    assert twin.__doc__
    assert inspect.iscoroutinefunction(twin)


def test_they_do_the_same(backend, ada):
    async def story():
        message = await stored_messages.aadd_message_for(
            [ada], stored_messages.STORED_INFO, "Hello", url="/there/", data={"title": "t"}
        )
        await stored_messages.abroadcast_message(stored_messages.STORED_INFO, "Everybody")
        assert await stored_messages.aunread_count(ada) == 2
        page = await stored_messages.ainbox(ada, limit=1)
        rest = await stored_messages.ainbox(ada, limit=1, cursor=page.cursor)
        assert [row.id for row in rest.messages] == [message.id]
        assert await stored_messages.amark_read(ada, message) is True
        assert await stored_messages.amark_read(ada, message) is False
        assert await stored_messages.amark_unread(ada, message.id) is True
        assert len((await stored_messages.aarchive(ada)).messages) == 2
        assert await stored_messages.adismiss(ada, message) is True
        await stored_messages.amark_all_read(ada)
        with pytest.raises(ValueError, match="url"):
            await stored_messages.aadd_message_for([ada], 21, "Hello", url="javascript:x")

    async_to_sync(story)()

    assert unread(backend, ada) == []
    assert archive(backend, ada) == ["Everybody"]


@pytest.mark.usefixtures("read_mode")
def test_an_async_view_can_iterate_the_inbox(visit_async, backend, ada):
    visit_async.client.force_login(ada)
    send(backend, [ada], "before")

    shown = visit_async("aget_messages", stored=["1"], plain=["2"])

    assert shown == [
        ["before", "persisted info"],
        ["1", "persisted info"],
        ["2", "info"],
    ]
    assert unread(backend, ada) == []
    assert archive(backend, ada) == ["before", "1"]
    assert visit_async("aget_messages") == []
