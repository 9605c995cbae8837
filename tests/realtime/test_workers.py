"""Processes that end in ways of their own, right after they have sent."""

import signal
import subprocess
import sys
from pathlib import Path

from redis import Redis

from tests.services.server import ROOT, Project
from tests.services.waiting import CEILING, wait_for

JOBS = '''
import asyncio
import django
from celery import Celery
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings


class SlowLayer(RedisPubSubChannelLayer):
    """Celery gives its process one more second by itself."""

    async def group_send(self, group, message):
        await asyncio.sleep(2)
        await self.__getattr__("group_send")(group, message)


settings.CHANNEL_LAYERS = {{"default": {{
    "BACKEND": "jobs.SlowLayer", "CONFIG": {{"hosts": [{url!r}]}}
}}}}
settings.REALTIME = {{"PUBLISH_TIMEOUT": 60}}
django.setup()
app = Celery("jobs", broker="filesystem://")
app.conf.broker_transport_options = dict.fromkeys(
    ("data_folder_in", "data_folder_out", "control_folder"), {folder!r}
)


@app.task
def tell(text):
    from realtime import publisher
    from realtime.events import deliveries

    publisher.FLUSH = 60
    publisher.publish(deliveries([7], [text])[0])


if __name__ == "__main__":
    for number in range(2):
        tell.delay(f"task {{number}}")
'''


def test_children_of_celery_that_are_replaced_after_each_task(
    redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "jobs.py").write_text(JOBS.format(url=redis_url, folder=str(tmp_path / "queue")))
    environment = Project(ROOT, "tests.project.settings").environment
    expected = {b"task 0", b"task 1"}
    log = tmp_path / "log"
    with (
        Redis.from_url(redis_url) as client,
        client.pubsub() as pubsub,
        log.open("wb") as output,
    ):
        pubsub.psubscribe("*")
        assert pubsub.get_message(timeout=30)
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "--app", "jobs", "worker"),
                *("--pool", "prefork", "--concurrency", "1", "--max-tasks-per-child", "1"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            subprocess.run([sys.executable, "jobs.py"], cwd=tmp_path, env=environment, check=True)

            def all_arrived() -> bool:
                assert worker.poll() is None, log.read_text()
                if message := pubsub.get_message(timeout=1):
                    data = message["data"]
                    expected.difference_update([one for one in expected if one in data])
                return not expected

            wait_for(all_arrived, "the events of all tasks")
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(CEILING)
