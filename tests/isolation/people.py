"""Browsers in which people take turns, and a record of everything that they were shown."""

import asyncio
import json
import random
from typing import Any

import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.services.waiting import CEILING, eventually


class Record:
    """Whose is what: every text names its reader, and every key of an inbox belongs to one person."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.wrong: list[str] = []
        self.frames = 0
        self.rows = 0

    def shown(self, person: str, key: str, messages: list[dict[str, Any]], where: str) -> None:
        if self.keys.setdefault(person, key) != key:
            self.wrong.append(f"{where}: {person} was shown the key of somebody else")
        self.rows += len(messages)
        for message in messages:
            if message["text"] not in {f"for {person}", "for everybody"}:
                self.wrong.append(f"{where}: {person} was shown {message['text']!r}")


class Tab:
    """A socket, which belongs to whoever was signed in when it was opened."""

    def __init__(self, person: str, socket: ClientConnection, record: Record) -> None:
        self.person = person
        self.socket = socket
        self.synced = asyncio.Event()
        self._record = record
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        key = ""
        try:
            async for text in self.socket:
                frame = json.loads(text)
                self._record.frames += 1
                if frame["type"] == "sync":
                    key = frame["user"]
                    self._record.shown(self.person, key, [], "sync")
                    self.synced.set()
                elif frame["type"] == "stored":
                    # Before the first sync the socket has not said whose it is.
                    assert key
                    self._record.shown(self.person, key, [frame["message"]], "stored")
        except ConnectionClosed:
            pass

    async def close(self) -> None:
        await self.socket.close()
        await self._listening

    async def is_cut_off(self) -> None:
        async def closed() -> bool:
            return self._listening.done()

        await eventually(closed, "the end of a socket whose user is signed out")
        assert self.socket.close_code == 4401


class Browser:
    """One cookie jar, and people who sign in one after the other without signing out."""

    def __init__(self, url: str, people: list[str], record: Record, seed: int) -> None:
        self.url = url
        self.person = ""
        self.tabs: list[Tab] = []
        self._people = people
        self._record = record
        self._random = random.Random(seed)
        self._http = requests.Session()
        self._http.trust_env = False

    async def turns(self, number: int) -> None:
        await self.sign_in(self._random.choice(self._people))
        for _ in range(number):
            step = self._random.choice(
                [self.look, self.look, self.open, self.reconnect, self.switch]
            )
            await step()
        await self.look()

    async def sign_in(self, person: str) -> None:
        await self._get(f"/sign-in/{person}/")
        self.person = person

    async def switch(self) -> None:
        """Another person sits down; what the first one had open is cut off."""
        before, tabs, self.tabs = self.person, self.tabs, []
        await self.sign_in(self._random.choice(self._people))
        if self.person == before:
            self.tabs = tabs
            return
        await self.look()
        await asyncio.gather(*(tab.is_cut_off() for tab in tabs))

    async def open(self) -> None:
        if len(self.tabs) >= 3:
            return
        cookie = f"sessionid={self._http.cookies['sessionid']}"
        url = f"{self.url.replace('http', 'ws', 1)}/ws/inbox/"
        try:
            socket = await connect(
                url,
                additional_headers={"Cookie": cookie},
                origin=self.url,
                open_timeout=CEILING,
            )
        except (OSError, InvalidHandshake) as error:
            raise AssertionError(f"no socket: {error}") from error
        tab = Tab(self.person, socket, self._record)
        self.tabs.append(tab)
        await asyncio.wait_for(tab.synced.wait(), CEILING)

    async def reconnect(self) -> None:
        tabs, self.tabs = self.tabs, []
        for tab in tabs:
            # The new one is there before the old one has gone.
            await self.open()
            await tab.close()

    async def look(self) -> None:
        """Fetch the list, and read something of it."""
        answer = await self._get("/messages/inbox/?limit=20")
        key, messages = answer.headers["X-Inbox-User"], answer.json()
        self._record.shown(self.person, key, messages, "list")
        if messages and self._random.random() < 0.5:
            headers = {"X-CSRFToken": answer.headers["X-CSRFToken"], "X-Inbox-User": key}
            path = f"/messages/inbox/{messages[0]['id']}/read/"
            done = await asyncio.to_thread(
                self._http.post, self.url + path, headers=headers, timeout=60
            )
            assert done.status_code == 200, done.text
        archive = await self._get("/messages/archive/?limit=20")
        self._record.shown(self.person, key, archive.json(), "archive")

    async def close(self) -> None:
        for tab in self.tabs:
            await tab.close()
        self._http.close()

    async def _get(self, path: str) -> requests.Response:
        answer = await asyncio.to_thread(self._http.get, self.url + path, timeout=60)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:200])
        return answer
