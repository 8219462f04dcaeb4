"""Puts each process together from its parts, one module a process. Only `cli` imports this; nothing here decides.

A process loads what it needs and no more: an engine that was killed is to be back soon.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def run_until_signalled(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine; SIGTERM and SIGINT end it in good order."""

    async def guarded() -> None:
        task = asyncio.ensure_future(main)
        told = False

        def end() -> None:
            """Only once: a second signal would cut short what the first one began to end in good order."""
            nonlocal told
            if not told:
                task.cancel()
            told = True

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end)
        try:
            await task
        except asyncio.CancelledError:
            log.info("ended by signal")

    asyncio.run(guarded())
