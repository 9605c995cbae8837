"""Child processes that are asked by lines of JSON, and answer so."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.services.processes import ending_with_parent


class Ended(Exception):
    """The program is not there any more."""


class Refused(Exception):
    """It could not do what it was asked for."""


class Program:
    """Starts with :meth:`start`; what it says to nobody in particular goes to ``log``."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self._command = ending_with_parent(command, None)
        self._env, self._cwd, self._log = dict(env), cwd, log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._count = 0

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                limit=2**24,
            )
        self._reading = asyncio.create_task(self._read(self._process))

    async def ask(self, **command: Any) -> Any:
        """Return the answer. Raises :class:`Refused` or :class:`Ended`."""
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            raise Ended
        self._count += 1
        answer = self._asked[self._count] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(json.dumps({"id": self._count, **command}).encode() + b"\n")
            await process.stdin.drain()
        except ConnectionError:
            answer.cancel()
            raise Ended from None
        return await answer

    async def stop(self) -> None:
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reading is not None:
            await self._reading

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            answer = json.loads(line)
            future = self._asked.pop(answer["id"])
            if future.done():
                continue
            if "error" in answer:
                future.set_exception(Refused(answer["error"]))
            else:
                future.set_result(answer.get("done"))
        await process.wait()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(Ended())
        self._asked.clear()
