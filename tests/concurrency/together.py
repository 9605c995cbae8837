"""Threads that begin at the same moment, each with a connection of its own."""

import threading

from django.db import connections

CEILING = 60


def together(*parts):
    """Run each part in a thread, all from the same moment on; return what they returned, or raise what one raised."""
    start = threading.Barrier(len(parts))
    results = [None] * len(parts)
    errors = []

    def run(index, part):
        try:
            start.wait(CEILING)
            results[index] = part()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=numbered, daemon=True) for numbered in enumerate(parts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CEILING)
        assert not thread.is_alive(), "A thread waits for something that does not come."
    if errors:
        raise errors[0]
    return results
