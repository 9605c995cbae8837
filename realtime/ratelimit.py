"""Log lines for what may go wrong a thousand times a second."""

import logging
import threading
import time


class RateLimitedLog:
    """Writes at most one line per ``interval`` seconds and says how many it left out."""

    def __init__(self, logger: logging.Logger, interval: float = 10.0) -> None:
        self._logger = logger
        self._interval = interval
        self._lock = threading.Lock()
        self._next = 0.0
        self._left_out = 0

    def error(self, message: str, *args: object, exc_info: BaseException | None = None) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                self._left_out += 1
                return
            self._next = now + self._interval
            left_out, self._left_out = self._left_out, 0
        if left_out:
            message, args = f"{message} (%d more like it were not logged)", (*args, left_out)
        self._logger.error(message, *args, exc_info=exc_info)
