"""What every test may ask for. The services are in `tests/services/`, one a module."""

pytest_plugins = [
    "tests.services.browser",
    "tests.services.postgresql",
    "tests.services.redis",
    "tests.services.redis_cluster",
    "tests.services.server",
]
