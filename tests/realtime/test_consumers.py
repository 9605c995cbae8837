"""Who gets a socket, and for how long."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.auth import get_user
from channels.sessions import SessionMiddlewareStack
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from pytest_django import Settings

from realtime.consumers import InboxConsumer
from realtime.hubs import get_hub, running_hubs
from realtime.routing import socket_stack
from realtime.testing import InboxTab
from stored_messages.api import owner_key
from tests.realtime.documents import blocks
from tests.realtime.sending import broadcast, send
from tests.services.waiting import CEILING, eventually


async def test_anonymous_is_accepted_and_told_by_4401(transactional_db: None) -> None:
    tab = InboxTab(client=Client())
    assert await tab.connect(timeout=CEILING) == (True, None)
    assert await tab.closed() == 4401
    await tab.leave()


async def test_an_anonymous_user_in_the_scope() -> None:
    tab = InboxTab(user=AnonymousUser())
    assert await tab.connect(timeout=CEILING) == (True, None)
    assert await tab.closed() == 4401
    await tab.leave()


@pytest.mark.parametrize("frame", [{"text_data": "hello"}, {"bytes_data": b"hello"}])
async def test_a_frame_from_the_client_closes(user: User, frame: dict[str, Any]) -> None:
    async with InboxTab(user=user) as tab:
        await tab.send_to(**frame)
        await tab.send_to(**frame)
        assert await tab.closed() == 1008
        assert get_hub().count(user) == 0


async def test_a_user_has_so_many_sockets_and_no_more(
    user: User, other: User, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SOCKETS_PER_USER": 2}
    async with InboxTab(user=user), InboxTab(user=user) as second:
        third = InboxTab(user=user)
        assert await third.connect(timeout=CEILING) == (True, None)
        assert await third.closed() == 4429
        await third.leave()
        async with InboxTab(user=other):
            pass
        await second.leave()
        async with InboxTab(user=user):
            pass


async def test_a_tab_that_closes_leaves_the_hub(user: User) -> None:
    async with InboxTab(user=user):
        assert get_hub().count(user) == 1
    assert get_hub().count(user) == 0


async def test_no_channel_of_its_own(user: User, settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    async with InboxTab(user=user) as tab, InboxTab(user=user):
        await broadcast()
        await tab.frame("stored")
        layer = get_hub().layer
        assert {name for group in layer.groups.values() for name in group} == set(layer.channels)
        assert len(layer.channels) == 1


async def test_channels_own_middleware_serves_as_well(user: User) -> None:
    from channels.auth import AuthMiddlewareStack

    from realtime.consumers import InboxConsumer

    client = Client()
    await sync_to_async(client.force_login)(user)
    application = AuthMiddlewareStack(InboxConsumer.as_asgi())
    async with InboxTab(client=client, application=application) as tab:
        await send(user)
        assert (await tab.frame("stored"))["message"]["text"] == "hello"
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401


def test_in_a_loop_that_ends(user: User) -> None:
    """As in tests that are no coroutines: each call has a loop of its own, and nothing is left of it."""

    async def listen() -> None:
        async with InboxTab(user=user) as tab:
            await send(user)
            await tab.frame("stored")

    for _ in range(2):
        async_to_sync(listen)()


async def test_who_goes_before_being_accepted(user: User) -> None:
    tab = InboxTab(user=user)
    await tab.send_input({"type": "websocket.disconnect", "code": 1006})
    await WebsocketCommunicator.wait(tab, CEILING)


class Sessions(InboxConsumer):
    """Finds the user in the session itself."""

    async def get_user(self) -> Any:
        return await get_user(self.scope)


class Tickets(InboxConsumer):
    """Signs in by something of its own."""

    async def get_user(self) -> Any:
        return await User.objects.aget(username=self.scope["query_string"].decode())


async def test_who_sees_the_site_as_another_user_hears_what_they_hear(
    user: User, other: User, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 1.5}
    written: dict[str, Any] = {}
    exec(blocks("live.md")["consumers.py"], written)
    application = socket_stack(written["SiteInboxConsumer"].as_asgi())
    user.is_staff = True
    await user.asave()
    client = Client()
    await sync_to_async(client.force_login)(user)

    @sync_to_async
    def see_as(who: User | None) -> None:
        session = client.session
        session["_impersonate"] = None if who is None else who.pk
        session.save()

    await see_as(other)
    async with InboxTab(client=client, application=application) as tab:
        assert tab.sync is not None
        assert tab.sync["user"] == owner_key(other)
        await send(other, text="for the other")
        await tab.received("for the other")
        [held] = running_hubs()[0]._guard._held.all()
        due = held.due
        await eventually(lambda: held.due > due + 0.1, "it is asked again who that is")
        assert await tab.frame("sync")
        await see_as(None)
        assert await tab.closed() == 4401
    async with InboxTab(client=client, application=application) as tab:
        assert tab.sync is not None
        assert tab.sync["user"] == owner_key(user)
        await sync_to_async(client.logout)()
        assert await tab.closed() == 4401
    # A tab from before it began is their own, and so no longer what the site shows.
    await sync_to_async(client.force_login)(user)
    async with (
        InboxTab(client=client, application=application) as own,
        InboxTab(client=client, application=application) as theirs,
    ):
        await see_as(other)
        assert await own.closed() == 4401
        assert await theirs.closed() == 4401
        async with InboxTab(client=client, application=application) as seen:
            user.is_staff = False
            await user.asave()
            assert await seen.closed() == 4401


async def test_a_session_that_is_another_users_says_nothing_about_this_one(
    user: User, other: User, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 1.5}
    application = socket_stack(Tickets.as_asgi())
    clients = {"own": Client(), "another's": Client(), "nobody's": Client()}
    await sync_to_async(clients["own"].force_login)(user)
    await sync_to_async(clients["another's"].force_login)(other)
    session = SessionStore()
    session["basket"] = [7]
    await sync_to_async(session.save)()
    clients["nobody's"].cookies["sessionid"] = str(session.session_key)
    tabs = {
        whose: InboxTab(
            client=client, application=application, path=f"/ws/inbox/?{user.username}", live=False
        )
        for whose, client in clients.items()
    }
    async with tabs["own"] as own, tabs["another's"] as anothers, tabs["nobody's"] as nobodys:
        await sync_to_async(clients["own"].logout)()
        assert await own.closed() == 4401
        await own.leave()
        async with InboxTab(client=clients["another's"]) as witness:
            await sync_to_async(clients["another's"].session.flush)()
            assert await witness.closed() == 4401
        # Whose sessions are watched has been found out by now.
        for tab in (anothers, nobodys):
            assert await tab.frame("sync")
            assert await tab.frame("sync")


async def test_sessions_of_channels_are_watched_if_they_say_who_it_is(
    user: User, other: User, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "SESSION_INTERVAL": 1.5}
    client = Client()
    await sync_to_async(client.force_login)(other)
    sessions = SessionMiddlewareStack(Sessions.as_asgi())
    tickets = SessionMiddlewareStack(Tickets.as_asgi())
    path = f"/ws/inbox/?{user.username}"
    async with (
        InboxTab(client=client, application=sessions) as theirs,
        InboxTab(client=client, application=tickets, path=path) as ours,
    ):
        await sync_to_async(client.session.flush)()
        assert await theirs.closed() == 4401
        assert await ours.frame("sync")
        assert await ours.frame("sync")
