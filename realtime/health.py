"""Whether the live part of this process does its work."""

import time
from typing import NamedTuple

from realtime import database, publisher, supervision
from realtime.conf import app_settings
from realtime.hubs import running_hubs


class Health(NamedTuple):
    """``problems`` are sentences for people; empty if all is well."""

    ok: bool
    problems: list[str]


def health() -> Health:
    """Return how the live part of this process does, without asking the database or the channel layer.

    A problem means that news comes late: up to two reconcile intervals while the channel layer is away, or not at
    all while the database is. It heals by itself when they are back, so it is no reason to restart the process.
    """
    interval = app_settings.RECONCILE_INTERVAL
    now = time.monotonic()
    problems = []
    for hub in running_hubs():
        late = now - hub.rounds.ended - interval
        if late > interval:
            problems.append(f"Inboxes were not compared for {late + interval:.0f} seconds.")
        if (lag := hub.guard.lag) > app_settings.SESSION_INTERVAL:
            problems.append(
                f"Whether somebody is still signed in was to be looked at {lag:.0f} seconds ago."
            )
        if hub.silence > 2 * interval:
            problems.append(f"The channel layer has been silent for {hub.silence:.0f} seconds.")
    if running_hubs() and (waited := database.silence()) > 2 * interval:
        problems.append(f"The database has not answered for {waited:.0f} seconds.")
    for task, seconds in supervision.failing().items():
        if seconds > 2 * interval:
            problems.append(f"A task has been failing for {seconds:.0f} seconds: {task}.")
    if publisher.stuck() > 2 * app_settings.PUBLISH_TIMEOUT:
        problems.append(
            f"The channel layer has taken nothing for {publisher.stuck():.0f} seconds; "
            f"{publisher.waiting()} events wait."
        )
    return Health(not problems, problems)
