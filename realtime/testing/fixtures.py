"""pytest fixtures. In the ``conftest.py`` at the root of a project::

    pytest_plugins = ["realtime.testing.fixtures"]

They want pytest-django.
"""

from collections.abc import Callable, Iterator

import pytest

from realtime.testing.capture import Capture, capture_live
from realtime.testing.threads import OpenTabs


@pytest.fixture
def live_inbox() -> Callable[[], Capture]:
    """Note what open tabs are told: ``with live_inbox() as live``, and then ``live.assert_received(user, text)``.

    In a coroutine ``async with``. Needs no socket and works in every test.
    """
    return capture_live


@pytest.fixture
def inbox_tab(transactional_db: None) -> Iterator[OpenTabs]:
    """Open tabs: ``tab = inbox_tab(user)``, and then ``tab.received(text)``.

    The whole way, through sockets; the test's database is committed to.
    """
    with OpenTabs() as tabs:
        yield tabs
