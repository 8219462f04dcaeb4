"""Keeps the processes of one installation running: starts each, restarts one that ended, ends all together.

Separate processes, so that an export, a login storm or a report never delays a call. A process that keeps failing is
tried again with growing pauses; the others go on.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import IO, Final

import structlog

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0
STEADY_AFTER_SECONDS: Final = 30.0
"""A process that ran this long starts over with the first pause."""
STAY_ENDED: Final = 75
"""A child that ends with this status is not started again: a fenced engine would take the calls back."""
GRACE_SECONDS: Final = 8.0
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies, however that dies (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs `python -m callflow …` children.

    Attributes:
        pids: of the processes that run now, by name.
        on_change: called after each start and end.

    Args:
        environment: added to this process's own.
        logs: a directory for each child's standard error; None = this process's, which systemd keeps.
    """

    def __init__(
        self, environment: Mapping[str, str], on_change: Callable[[], None] = lambda: None, *, logs: Path | None = None
    ) -> None:
        self.pids: dict[str, int] = {}
        self.on_change = on_change
        self._environment = {**os.environ, **environment}
        self._logs = logs
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Keep `callflow ARGUMENTS` running under this name."""
        self._tasks[name] = asyncio.create_task(self._keep(name, arguments), name=f"supervise {name}")

    async def stop(self, name: str) -> None:
        """End one process and do not start it again."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(self.stop(name) for name in tuple(self._tasks)))

    async def wait(self) -> None:
        """Wait for ever, or until a supervising task fails, which is a defect.

        Cancelling it ends no process: `close` does, and waits for each. (A `gather` here would cancel them all and come
        back with the first that ended; `close` would then cut short the waiting for the others.)
        """
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def _keep(self, name: str, arguments: Sequence[str]) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            with self._log(name) as errors:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "callflow",
                    *arguments,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stderr=errors,
                    preexec_fn=die_with_parent,
                )
            self.pids[name] = process.pid
            self.on_change()
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                self.pids.pop(name, None)
                self.on_change()
                raise
            self.pids.pop(name, None)
            self.on_change()
            if code == STAY_ENDED:
                log.critical("a process ended for good: another one owns its work", child=name)
                return
            if time.monotonic() - started > STEADY_AFTER_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.error("a process ended; starting it again", child=name, code=code, pause_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _log(self, name: str) -> AbstractContextManager[IO[bytes] | None]:
        if self._logs is None:
            return nullcontext()
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        return (self._logs / f"{name}.log").open("ab")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
