"""Keeps the processes of one installation running: starts each, restarts one that ended, ends all together.

Separate processes, so that an export, a login storm or a report never delays a call. A process that keeps failing is
tried again with growing pauses; the others go on. One that stands still though it lives is killed, and started again.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import structlog

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0
STEADY_AFTER_SECONDS: Final = 5.0
"""A process that ran this long starts over with the first pause: it came up and did its work, and callers wait for it.
The pauses grow only for one that falls while it starts."""
STAY_ENDED: Final = 75
"""A child that ends with this status is not started again: a fenced engine would take the calls back."""
GRACE_SECONDS: Final = 8.0
STARTING_SECONDS: Final = 300.0
"""Whoever has not turned even once by then hangs: a long journal is read in less."""
FROZEN_LOOK_SECONDS: Final = 1.0
"""Between two looks that must agree: where the whole machine stood still, a process gets its turn first."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How a process shows that it turns.

    Attributes:
        seconds: how long ago it last did; infinite = not yet; None = not known, which proves nothing.
        frozen_seconds: whoever has not turned for so long stands still.
    """

    seconds: Callable[[], float | None]
    frozen_seconds: float


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
        self._ends_with: dict[str, str | None] = {}

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        turns: Turns | None = None,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        ends_with: str | None = None,
    ) -> None:
        """Keep `callflow ARGUMENTS` running under this name.

        Args:
            name: for logs and `stop`.
            arguments: of `callflow`.
            turns: tells that it stands still, for which it is killed; None = nobody looks.
            longest_pause_seconds: before it is started again, however often it fell.
            ends_with: the process with which this one ends for good, see `STAY_ENDED`.
        """
        self._ends_with[name] = ends_with
        keeping = self._keep(name, arguments, turns, longest_pause_seconds)
        self._tasks[name] = asyncio.create_task(keeping, name=f"supervise {name}")

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
            if not task.cancelled():  # stopped, as it was to be
                task.result()

    async def _keep(
        self, name: str, arguments: Sequence[str], turns: Turns | None, longest_pause_seconds: float
    ) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            code = await self._run(name, arguments, turns)
            if code == STAY_ENDED:
                log.critical("a process ended for good: another one owns its work", child=name)
                await self._end_those_with(name)
                return
            if time.monotonic() - started > STEADY_AFTER_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.error("a process ended; starting it again", child=name, code=code, pause_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest_pause_seconds)

    async def _run(self, name: str, arguments: Sequence[str], turns: Turns | None) -> int | None:
        """Run it to its end; its exit status, or None when it could not even be started."""
        try:
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
        except (OSError, subprocess.SubprocessError) as error:  # no memory, no room for its log: the others are well
            log.critical("a process cannot be started", child=name, error=str(error))
            return None
        self.pids[name] = process.pid
        self._tell()
        looking = asyncio.create_task(_kill_when_frozen(name, process, turns)) if turns else None
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        finally:
            if looking is not None:
                looking.cancel()
            self.pids.pop(name, None)
            self._tell()

    def _tell(self) -> None:
        try:
            self.on_change()
        except Exception:
            log.exception("a change of the processes cannot be told")

    async def _end_those_with(self, ended: str) -> None:
        for name in [name for name, other in self._ends_with.items() if other == ended]:
            log.critical("a process ends with the one whose work it was", child=name, ended=ended)
            await self.stop(name)

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


async def _kill_when_frozen(name: str, process: asyncio.subprocess.Process, turns: Turns) -> None:
    """Kill it when two looks in a row find that it stands still; what an earlier process left is not its own."""
    started, frozen = time.monotonic(), False
    while True:
        await asyncio.sleep(FROZEN_LOOK_SECONDS)
        runs = time.monotonic() - started
        was_frozen, frozen = frozen, _stands_still(turns, runs)
        if was_frozen and frozen:
            log.critical("a process stands still; killing it, to start it again", child=name, runs_seconds=round(runs))
            with suppress(ProcessLookupError):
                process.kill()
            return


def _stands_still(turns: Turns, runs: float) -> bool:
    """What an earlier process left behind is from before this one began to run."""
    turned = turns.seconds()
    if turned is None:
        return False
    return runs > STARTING_SECONDS if math.isinf(turned) else turns.frozen_seconds < turned < runs
