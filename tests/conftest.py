"""What every test may ask for. The services are in `tests/services/`, one a module."""

import sys

import channels_redis
import django
import pytest

pytest_plugins = [
    "tests.services.browser",
    "tests.services.postgresql",
    "tests.services.redis",
    "tests.services.redis_cluster",
    "tests.services.server",
]


def pytest_configure(config: pytest.Config) -> None:
    if django.VERSION < (5, 0):
        # Of Django 4.2's own test client, to which newer versions of asgiref say so.
        config.addinivalue_line(
            "filterwarnings",
            "ignore:async_to_sync was passed a non-async-marked callable:UserWarning",
        )
    if channels_redis.__version__ < "4.3":
        # Of channels_redis itself.
        for name in ("channel", "group"):
            config.addinivalue_line(
                "filterwarnings",
                f"ignore:valid_{name}_name is deprecated, use require_valid_{name}_name instead:DeprecationWarning",
            )
    if sys.version_info >= (3, 13):
        # Connections of threads that have ended: until 3.12 SQLite's were closed without a word.
        config.addinivalue_line(
            "filterwarnings", "ignore:unclosed database in <sqlite3.Connection:ResourceWarning"
        )
