"""The state of a whole deployment: every process with sockets is asked over the channel layer, and says its figures."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from functools import cache
from typing import Any

from django.utils.crypto import get_random_string

from realtime import hub, metrics, supervision
from realtime.groups import EVERYBODY
from realtime.health import health

REQUEST = "inbox.status"
ANSWER = "inbox.status_answer"

#: Seconds for which a process tries to answer.
TIMEOUT = 2.0


def connect() -> None:
    """Answer from now on."""
    hub.handlers[REQUEST] = _asked


async def ask(layer: Any, wait: float) -> list[dict[str, Any]]:
    """Return what each process says within ``wait`` seconds: name, seconds to answer, problems and figures.

    Raises what the layer raises.
    """
    channel = await layer.new_channel()
    # Answers come by a group: with several brokers, some layers send to a channel where nobody receives.
    group = f"realtime.status.{get_random_string(12)}"
    await layer.group_add(group, channel)
    began = time.monotonic()
    await layer.group_send(EVERYBODY, {"type": REQUEST, "reply_to": group})
    answers: dict[str, dict[str, Any]] = {}
    with suppress(asyncio.TimeoutError):
        while (left := began + wait - time.monotonic()) > 0:
            event = await asyncio.wait_for(layer.receive(channel), left)
            if event.get("type") == ANSWER:
                seconds = round(time.monotonic() - began, 3)
                # By name alone those of two containers on one host may be the same.
                answers[event.get("id", event["process"])] = {
                    "process": event["process"],
                    "answered_after": seconds,
                    "problems": event["problems"],
                    "metrics": event["metrics"],
                }
    await layer.group_discard(group, channel)
    return sorted(answers.values(), key=lambda answer: str(answer["process"]))


def _asked(asked: hub.Hub, event: dict[str, Any]) -> None:
    async def answer() -> None:
        with suppress(Exception):  # whoever asked sees that nothing comes
            await asyncio.wait_for(asked.layer.group_send(event["reply_to"], report()), TIMEOUT)

    supervision.once("answering", answer)


def report() -> dict[str, Any]:
    """Return what this process answers."""
    return {
        "type": ANSWER,
        "id": _identity(os.getpid()),
        "process": f"{socket.gethostname()}:{os.getpid()}",
        "problems": health().problems,
        "metrics": {metric.name: round(metric.value, 3) for metric in metrics.collect()},
    }


@cache
def _identity(pid: int) -> str:
    """What no other process has. A forked one has its parent's memory, but not its number."""
    return get_random_string(12)
