"""Keeps a private Asterisk running: starts it again, at once, when it ended and nobody had told it to.

On a city's machine systemd does this for `callflow asterisk run` (`Restart=always`). A restart on Asterisk's own
console (`core restart now`) keeps its process, and nothing is to be done here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

import structlog

from callflow.asterisk.errors import AsteriskDidNotStart
from callflow.asterisk.server import PrivateServer

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.2
"""Between two tries, each longer than the one before; there is none before the first."""


@contextlib.asynccontextmanager
async def kept_running(
    server: PrivateServer, on_restart: Callable[[], None] = lambda: None
) -> AsyncIterator[PrivateServer]:
    """Start a server and keep it running until the context ends, which stops it for good.

    Args:
        server: not started yet.
        on_restart: called each time after it came back, with another process id.

    Raises:
        AsteriskDidNotStart: it did not start the first time. Later it is tried again for ever, and logged.
    """
    async with server:
        keeping = asyncio.create_task(_keep(server, on_restart), name="keep Asterisk")
        try:
            yield server
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _keep(server: PrivateServer, on_restart: Callable[[], None]) -> None:
    while True:
        status = await server.wait()
        log.error("Asterisk ended, and its calls with it; starting it again", status=status)
        await _start_again(server)
        on_restart()
        log.warning("Asterisk is up again")


async def _start_again(server: PrivateServer) -> None:
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            await server.stop()
            await server.start()
        except AsteriskDidNotStart as error:
            log.warning("Asterisk did not start; trying again", error=str(error), pause_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            return
