"""Whoever sends is neither kept waiting nor told of it when Redis is down, frozen or full."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis import Redis

from tests.faults.deployment import LAYERS, SETTINGS, post
from tests.faults.sender import WAYS
from tests.services.redis import RedisServer
from tests.services.server import ROOT, Kind, Project, Serve
from tests.services.waiting import wait_for

#: A publish may take for ever: whoever waits for it is found out.
PUBLISH_TIMEOUT = 3600
#: The publisher's patience at the end of the interpreter, and what a busy machine adds: far less than that timeout.
FLUSH, SLACK = 2.0, 58.0


class Harm(NamedTuple):
    """What happens to Redis, after it was used."""

    layer: str
    signal: signal.Signals
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return next(name for name, harm in HARMS.items() if harm is self)


HARMS = {
    "down": Harm("pubsub", signal.SIGKILL),
    "frozen": Harm("pubsub", signal.SIGSTOP),
    "core-frozen": Harm("core", signal.SIGSTOP),
    # The signal that does nothing; it is full as soon as somebody fills it.
    "full": Harm("core", signal.SIGCONT, ("--maxmemory", "3mb")),
}


@pytest.fixture(scope="session")
def database_with_ada(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(migrated_database, tmp_path_factory.mktemp("ada") / "template.sqlite3"))
    Project(ROOT, SETTINGS, env={"PROJECT_DATABASE": str(path)}).shell(
        "from django.contrib.auth.models import User; User.objects.create_user('ada')"
    )
    return path


@pytest.fixture
def redis(harm: Harm, tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, *harm.options)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def project(database_with_ada: Path, tmp_path: Path, harm: Harm, redis: RedisServer) -> Project:
    settings: dict[str, Any] = {
        "REALTIME": {"PUBLISH_TIMEOUT": PUBLISH_TIMEOUT},
        "CHANNEL_LAYERS": {
            "default": {"BACKEND": LAYERS[harm.layer], "CONFIG": {"hosts": [redis.url]}}
        },
    }
    database = shutil.copy(database_with_ada, tmp_path / "project.sqlite3")
    env = {"PROJECT_DATABASE": str(database), "PROJECT_SETTINGS": json.dumps(settings)}
    return Project(ROOT, SETTINGS, env=env)


def fill(redis: RedisServer) -> None:
    with Redis.from_url(redis.url) as client:
        number = 0
        while True:
            try:
                client.set(f"filler-{number}", "x" * 10_000)
            except Exception:
                return
            number += 1


@pytest.mark.parametrize(
    ("harm", "way"),
    [
        *((HARMS["frozen"], way) for way in WAYS),
        (HARMS["down"], "straight_away"),
        (HARMS["down"], "in_a_forked_worker"),
        (HARMS["core-frozen"], "straight_away"),
        (HARMS["full"], "straight_away"),
    ],
    ids=str,
)
def test_a_process_that_sends(project: Project, harm: Harm, redis: RedisServer, way: str) -> None:
    if harm.options:
        # Also while its first event is under way: it then fails like the others.
        fill(redis)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.sender", way, str(redis.pid), str(int(harm.signal))],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        unread = process.stdout.readline()
        said = time.monotonic()
        _, errors = process.communicate(timeout=120)
        took = time.monotonic() - said
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert int(unread) > 1
    assert "Traceback" not in errors or "events dropped" in errors, errors
    assert took < FLUSH + SLACK
    if harm.signal == signal.SIGSTOP and way != "in_a_forked_worker":  # whose end is no orderly one
        sent = int(unread) - 1
        assert f"events dropped: {sent}." in errors


@pytest.mark.parametrize(
    ("kind", "paths"),
    [("wsgi", ["/perform/"]), ("uvicorn", ["/perform/", "/perform-async/"])],
    ids=["wsgi", "asgi"],
)
@pytest.mark.parametrize("harm", [HARMS[name] for name in ("down", "frozen", "full")], ids=str)
def test_a_view_that_sends(
    serve: Serve, project: Project, harm: Harm, redis: RedisServer, kind: Kind, paths: list[str]
) -> None:
    server = serve(kind, project=project)
    send = {"kind": "send", "to": ["ada"], "number": "1"}
    post(server.port, "/perform/", send)
    redis.send_signal(harm.signal)
    if harm.options:
        fill(redis)
    for path in paths * 3:
        post(server.port, path, send)
    truth = post(server.port, "/perform/", {"kind": "truth", "names": ["ada"]})
    assert len(truth["ada"]) == 1 + 3 * len(paths)
    if harm.signal == signal.SIGSTOP:
        # It is asked to end as servers are: the event that is stuck does not keep it.
        server.stop()
        wait_for(lambda: not server.running, "the server's end")
        assert "Traceback" not in server.log
