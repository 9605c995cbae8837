"""The tests' project, made what one contender needs; `BENCH_PARTY` says which (see `parties.py`)."""

import os

from tests.project.settings import *  # noqa: F403
from tests.project.settings import DATABASES, INSTALLED_APPS

PARTY = os.environ["BENCH_PARTY"]
ROOT_URLCONF = "benchmarks.live.urls"

# A connection is kept, as in production; nobody here is measured by how fast PostgreSQL forks.
DATABASES["default"]["CONN_MAX_AGE"] = 600

if PARTY != "ours":
    INSTALLED_APPS.remove("realtime")
    if "CHANNEL_REDIS" not in os.environ:
        CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "WARNING"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
