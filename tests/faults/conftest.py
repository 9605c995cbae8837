"""Logs of every process are shown when a run fails."""

import os
from collections.abc import Generator

import pytest

from tests.faults.deployment import Deployment

deployment_key = pytest.StashKey[Deployment]()
_TAIL = 4000

# What `make mariadb` adds.
collect_ignore = (
    [] if os.environ.get("TEST_DATABASE_URL", "").startswith("mysql:") else ["test_dead_mariadb.py"]
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    deployment = item.stash.get(deployment_key, None)
    if report.failed and deployment is not None:
        for name, log in deployment.logs.items():
            report.sections.append((name, log[-_TAIL:]))
    return report
