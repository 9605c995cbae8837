"""The state of a whole deployment: every process with sockets is asked over the channel layer, and says its figures."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.utils.crypto import get_random_string
from django.utils.module_loading import import_string

from realtime import hub, metrics, supervision
from realtime.conf import app_settings
from realtime.groups import everybody
from realtime.health import health
from realtime.layers import close_connections

REQUEST = "inbox.status"
ANSWER = "inbox.status_answer"

#: Seconds for which a process tries to answer, and the layer is given to take a request.
TIMEOUT = 2.0
#: Seconds that a broker has to answer before another one is tried, and how often that is.
PATIENCE, TRIES = 0.5, 8


def connect() -> None:
    """Answer from now on."""
    hub.handlers[REQUEST] = _asked


async def ask(layer: Any, wait: float) -> list[dict[str, Any]]:
    """Return what each process says within ``wait`` seconds: name, seconds to answer, problems and figures.

    Raises what the layer raises, and ``TimeoutError`` where it does not answer.
    """
    channel = await _somewhere(layer.new_channel)
    group = await _somewhere(partial(_group_of, layer, channel))
    began = time.monotonic()
    request = {"type": REQUEST, "reply_to": group}
    await supervision.within(TIMEOUT, layer.group_send(everybody(), request))
    answers: dict[str, dict[str, Any]] = {}
    with suppress(asyncio.TimeoutError):
        while (left := began + wait - time.monotonic()) > 0:
            event = await asyncio.wait_for(layer.receive(channel), left)
            if event.get("type") == ANSWER:
                seconds = round(time.monotonic() - began, 3)
                # By name alone those of two containers on one host may be the same.
                answers[event["id"]] = {
                    "process": event["process"],
                    "answered_after": seconds,
                    "problems": event["problems"],
                    "metrics": event["metrics"],
                }
    with suppress(Exception):
        await supervision.within(TIMEOUT, layer.group_discard(group, channel))
    return sorted(answers.values(), key=lambda answer: str(answer["process"]))


async def _group_of(layer: Any, channel: str) -> str:
    """Answers come by a group: with several brokers, some layers send to a channel where nobody receives."""
    group = f"realtime.status.{get_random_string(12)}"
    await layer.group_add(group, channel)
    return group


async def _somewhere(name: Callable[[], Awaitable[str]]) -> str:
    """What has a random name is at a random one of several brokers: of one that does not answer, try another."""
    for _ in range(TRIES - 1):
        with suppress(Exception):
            return await supervision.within(PATIENCE, name())
    return await supervision.within(PATIENCE, name())


async def silent_hosts() -> list[str]:
    """Return which of the channel layer's ``hosts`` take nothing, where it has several."""
    entry: dict[str, Any] = settings.CHANNEL_LAYERS[app_settings.CHANNEL_LAYER]
    hosts = entry.get("CONFIG", {}).get("hosts")
    if not isinstance(hosts, list | tuple) or len(hosts) < 2:
        return []
    backend = import_string(entry["BACKEND"])
    answers = await asyncio.gather(
        *(_answers(backend(**{**entry["CONFIG"], "hosts": [host]})) for host in hosts)
    )
    return [_host_name(host) for host, answered in zip(hosts, answers, strict=True) if not answered]


async def _answers(layer: Any) -> bool:
    """Whether a layer of one host does."""
    try:
        nobody = f"realtime.status.{get_random_string(12)}"
        await supervision.within(TIMEOUT, layer.group_send(nobody, {"type": REQUEST}))
    except Exception:  # whatever it raises
        return False
    finally:
        with suppress(Exception):
            await supervision.within(TIMEOUT, close_connections(layer))
    return True


def _host_name(host: Any) -> str:
    """How one of ``hosts`` is called, in any of its forms. Urls may have a password."""
    if isinstance(host, dict):
        named = [host.get(key) for key in ("address", "master_name", "path", "unix_socket_path")]
        place = host.get("host", "localhost"), host.get("port", 6379)
        return _host_name(next(filter(None, named), place))
    if isinstance(host, list | tuple):
        return ":".join(map(str, host))
    return str(host).rpartition("@")[2].rpartition("://")[2].partition("?")[0]


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
