"""Takes events off the caller's path: publishing returns at once, and waits for nothing.

Events go to the channel layer in one daemon thread with an event loop of its own, in order, so that the connection
is kept. With a layer that ends at this process they go to its hub's loop; without a hub there is nobody to tell.
"""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.util import Finalize

from realtime import log
from realtime.counters import counters
from realtime.events import Publication
from realtime.hubs import running_hubs
from realtime.layers import configured_layer, is_local
from realtime.publisher_thread import PublisherThread

#: Seconds for which the end of the interpreter waits for events on their way.
FLUSH = 2.0


#: Called with every event, for tests.
observers: list[Callable[[Publication], object]] = []


def publish(publication: Publication) -> None:
    """Send an event on its way. Returns at once, from any thread, event loop or none, and never raises."""
    try:
        for observe in observers:
            observe(publication)
        layer = configured_layer()
        if is_local(layer):
            _relay(publication, shared=layer is not None)
        elif _has_no_threads():
            counters.publish_drops += 1
            log.warning(
                "publisher_without_threads",
                "gevent or eventlet has taken the place of threads: nothing is told live from here.",
            )
        else:
            _publisher.put(publication)
    except Exception as error:  # the sender must not suffer
        counters.publish_drops += 1
        log.error("publish_failed", "An event could not be published.", error)


def _has_no_threads() -> bool:
    """Whether what looks like a thread is none.

    The publisher's event loop would then run in the thread of all others, and Django refuse their queries.
    """
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    return bool(
        (gevent and gevent.is_module_patched("threading"))
        or (eventlet and eventlet.is_monkey_patched("thread"))
    )


def flush(timeout: float = FLUSH) -> bool:
    """Wait until everything published so far was handed to the layer; return whether it was."""
    return _publisher.flush(timeout)


def waiting() -> int:
    """How many events of this process are on their way to the layer."""
    return _publisher.waiting


def stuck() -> float:
    """For how many seconds none of them has gone."""
    return _publisher.stuck


def _relay(publication: Publication, *, shared: bool) -> None:
    hubs = running_hubs()
    for hub in hubs[-1:] if shared else hubs:
        with suppress(RuntimeError):  # its loop was closed a moment ago, and its sockets with it
            hub.relay(publication)


def _stop(**of_a_signal: object) -> None:
    _publisher.stop(FLUSH)


def _end_in_good_order() -> None:
    """Where a process ends without what is registered with atexit."""
    if parent_process() is not None:
        # A child of multiprocessing.
        Finalize(None, _stop, exitpriority=0)
    if celery := sys.modules.get("celery.signals"):
        # A worker's child that is replaced after some tasks ends without any of these.
        celery.worker_process_shutdown.connect(_stop, weak=False)


def _begin_again() -> None:
    """In a forked child: the thread is the parent's, and so is what waits for it."""
    global _publisher  # noqa: PLW0603 - one per process
    _publisher = PublisherThread(_end_in_good_order)


_publisher = PublisherThread(_end_in_good_order)
os.register_at_fork(after_in_child=_begin_again)
atexit.register(_stop)
