"""Open tabs over a backend of 1.4.0: it sends no bulk signals, so comparing inboxes tells them."""

import pytest

from realtime.testing import InboxTab
from stored_messages import (
    STORED_INFO,
    aadd_message_for,
    abroadcast_message,
    amark_all_read,
    amark_read,
    api,
)
from tests.third_party.backends import DictBackend

INTERVAL = 0.2

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick_rounds(settings):
    settings.REALTIME = {"RECONCILE_INTERVAL": INTERVAL}


async def told(tab, unread):
    """Wait until a tab is told of so many unread messages."""
    while (frame := await tab.frame("sync"))["unread"] != unread:
        pass
    return frame


async def test_a_tab_is_greeted_with_what_is_unread(backend, ada):
    await aadd_message_for(ada, STORED_INFO, "before")

    async with InboxTab(user=ada) as tab:
        assert tab.sync["unread"] == 1
        assert tab.sync["user"] == api.owner_key(ada)


async def test_what_arrives_and_is_read_is_told_to_who_it_concerns(backend, ada, ben):
    async with InboxTab(user=ada) as ada_s, InboxTab(user=ben) as ben_s:
        first = await aadd_message_for(ada, STORED_INFO, "1")
        digest = (await told(ada_s, 1))["digest"]
        await abroadcast_message(STORED_INFO, "2")
        assert (await told(ada_s, 2))["digest"] > digest
        await told(ben_s, 1)
        await amark_read(ada, first)
        await told(ada_s, 1)
        await amark_all_read(ada)
        assert (await told(ada_s, 0))["digest"] == 0


async def test_what_the_backend_s_own_code_stores_is_told_too(backend, ada):
    async with InboxTab(user=ada) as tab:
        backend.inbox_store([ada], backend.create_message(STORED_INFO, "past the API"))
        await told(tab, 1)


def test_summaries_of_all_who_are_connected(backend, ada, ben):
    assert isinstance(backend, DictBackend)
    backend.inbox_store([ada], backend.create_message(STORED_INFO, "1"))

    assert api.summaries([ada, ben]) == {ada.pk: api.summary(ada), ben.pk: (0, 0)}
