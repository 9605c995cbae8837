"""For the tests of projects: "this user received that live", without sleeps.

:func:`capture_live` needs no socket and works in a ``TestCase``. :class:`InboxTab` is a tab that listens, for
coroutines; :class:`OpenTabs` opens such tabs for ordinary tests. The fixtures around them are in
:mod:`realtime.testing.fixtures`, which alone imports pytest.
"""

from realtime.testing.capture import Live, capture_live
from realtime.testing.tab import InboxTab
from realtime.testing.threads import OpenTabs, Tab

__all__ = ["InboxTab", "Live", "OpenTabs", "Tab", "capture_live"]
