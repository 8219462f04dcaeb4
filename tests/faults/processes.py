"""What befalls processes: killed, killed and kept down, frozen. Each holds inside its block and is mended on leaving.

Only process ids that the stage itself started are ever signalled.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from callflow.demo.stage import Stage
from callflow.processes import Process, keep_running

OURS: Final = tuple(map(str, Process))
"""Every process of ours, in the order in which they are started."""


@asynccontextmanager
async def killed(stage: Stage, *names: str) -> AsyncIterator[None]:
    """SIGKILL; the supervisor starts each again by itself, so there is nothing to mend."""
    for name in names:
        _signal(stage, name, signal.SIGKILL)
    yield


@asynccontextmanager
async def kept_down(stage: Stage, *names: str) -> AsyncIterator[None]:
    """SIGKILL, and nobody starts them again until the block is left."""
    for name in names:
        _signal(stage, name, signal.SIGKILL)
    await asyncio.gather(*(stage.supervisor.stop(name) for name in names))
    try:
        yield
    finally:
        for name in names:
            keep_running(stage.supervisor, Process(name), stage.layout.settings)


@asynccontextmanager
async def frozen(stage: Stage, *names: str) -> AsyncIterator[None]:
    """SIGSTOP: alive, its connections open, and doing nothing."""
    pids = [stage.supervisor.pids[name] for name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def killed_again_and_again(stage: Stage, name: str, every_seconds: float = 1.0) -> AsyncIterator[None]:
    """SIGKILL, and again each time it has run for a moment: a process that restarts slowly, or falls at once."""

    async def strike() -> None:
        while True:
            with suppress(KeyError):
                _signal(stage, name, signal.SIGKILL)
            await asyncio.sleep(every_seconds)

    striking = asyncio.create_task(strike())
    try:
        yield
    finally:
        striking.cancel()
        await asyncio.gather(striking, return_exceptions=True)


def _signal(stage: Stage, name: str, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(stage.supervisor.pids[name], number)
