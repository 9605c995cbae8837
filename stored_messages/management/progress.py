"""A bar that says how far a command has come, for somebody who looks at a terminal."""

from typing import Any

_WIDTH = 40


class ProgressBar:
    """Draws to a stream if that is a terminal; what goes to a file or a log stays free of it."""

    def __init__(self, stream: Any, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._percent = -1
        self._visible = total > 0 and stream.isatty()

    def advance(self, number: int) -> None:
        """Say that so much more is done."""
        self._done = min(self._done + number, self._total)
        if not self._visible:
            return
        percent = self._done * 100 // self._total
        if percent != self._percent:
            self._percent = percent
            bar = ("#" * (percent * _WIDTH // 100)).ljust(_WIDTH, ".")
            self._write(f"\r[{bar}] {percent:3}%")

    def finish(self) -> None:
        """Leave the line to what comes next."""
        if self._percent >= 0:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._stream.write(text, ending="")
        self._stream.flush()
