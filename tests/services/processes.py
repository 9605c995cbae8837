"""Child processes that log to a file, listen on a port and never outlive the tests."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.services.waiting import wait_for

HOST = "127.0.0.1"


def find_program(name: str, *, package: str, also_in: Sequence[Path] = ()) -> str:
    """The program's path, or a failure that says what to install."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, also_in)])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"{name} was not found: install {package} (`make test` does on Debian)")
    return found


def free_port(*, also: int = 0) -> int:
    """A port nobody listens on, nor on the one that is `also` so much higher; given out once in a run.

    Whoever gets it may take their time, or leave it for a while: another worker has ports of its own. None are in
    the range that the system hands to outgoing connections.
    """
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port not in _given_out and _is_free(port) and (not also or _is_free(port + also)):
            _given_out.add(port)
            return port


def _ports_of_this_worker() -> Sequence[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = max(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), worker + 1)
    return range(10_000, 20_000)[worker::workers]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


_PORTS = _ports_of_this_worker()
_given_out: set[int] = set()


def ending_with_parent(command: Sequence[str], user: str | None) -> list[str]:
    """The command, made to die with the thread that starts it; as this user, if one is given."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        if user is not None:
            raise RuntimeError("setpriv was not found: install util-linux")
        return list(command)
    prefix = [setpriv, "--pdeathsig", "KILL"]
    if user is not None:
        prefix += ["--reuid", user, "--regid", user, "--init-groups"]
    return [*prefix, "--", *command]


class ListeningProcess:
    """A server process on a port of this machine. `start()` returns once it accepts connections."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.port = port
        self._command = ending_with_parent(command, user)
        self._log = log
        self._env = None if env is None else dict(env)
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it printed, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        assert not self.running, f"{self.name} is running already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )
        try:
            wait_for(self._running_and_ready, f"{self.name} answers")
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Asks it to end, and waits; kills it if it does not listen."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """Ends it without a chance to say goodbye."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def send_signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def ready(self) -> bool:
        """Whether it serves by now."""
        with socket.socket() as probe:
            probe.settimeout(5)
            return probe.connect_ex((HOST, self.port)) == 0

    def _running_and_ready(self) -> bool:
        if not self.running:
            raise RuntimeError(f"{self.name} ended at its start:\n{self.log}")
        return self.ready()

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
