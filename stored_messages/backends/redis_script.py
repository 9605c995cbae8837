"""The script behind every inbox."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import redis.exceptions

from stored_messages.backends.redis_commands import Command, checked, node_of, replies_to, run
from stored_messages.backends.redis_connection import Client


class Script:
    """Run by its digest; sent whole only to a server that does not know it."""

    def __init__(self) -> None:
        self.text = (files("stored_messages.backends") / "inbox.lua").read_text()
        # Redis names scripts by SHA-1 (the EVALSHA command); nothing is secured by it.
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(
        self,
        client: Client,
        calls: Iterable[tuple[list[str], list[Any]]],
        then: Iterable[Command] = (),
    ) -> list[Any]:
        """Run it for each (keys, arguments), and other commands, in one round trip; return the replies.

        Raises what one of them raised.
        """
        calls = list(calls)
        replies = replies_to(client, [*(_call("EVALSHA", self.sha, call) for call in calls), *then])
        if unknown := _unknown(replies):
            missed = [_call("EVALSHA", self.sha, calls[index]) for index in unknown]
            run(client, self._loading(client, missed))
            _replace(replies, unknown, replies_to(client, missed))
        if unknown := _unknown(replies):
            # Keys are on the move to a node that does not know it either.
            whole = [_call("EVAL", self.text, calls[index]) for index in unknown]
            _replace(replies, unknown, replies_to(client, whole))
        return checked(replies)

    def _loading(self, client: Client, missed: list[Command]) -> list[Command]:
        """What teaches it to the nodes that these commands go to, and to no others."""
        firsts = {node_of(client, command): command.key for command in reversed(missed)}
        return [Command(key, ("SCRIPT LOAD", self.text)) for key in firsts.values()]


def _call(command: str, script: str, call: tuple[list[str], list[Any]]) -> Command:
    keys, arguments = call
    return Command(keys[0], (command, script, len(keys), *keys, *arguments))


def _unknown(replies: list[Any]) -> list[int]:
    """Where the answer is that there is no such script."""
    return [
        index
        for index, reply in enumerate(replies)
        if isinstance(reply, redis.exceptions.NoScriptError)
    ]


def _replace(replies: list[Any], indexes: list[int], by: list[Any]) -> None:
    for index, reply in zip(indexes, by, strict=True):
        replies[index] = reply
