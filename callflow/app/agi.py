"""The AGI process: tells dialplans of other systems what is known of a caller."""

from __future__ import annotations

import asyncio

import structlog

from callflow.agi.screen import Screen
from callflow.agi.server import FastAgiServer
from callflow.centre.in_force import CentreInForce
from callflow.journal.callers import CallerLookups
from callflow.settings import Settings

log = structlog.get_logger(__name__)


async def run_agi(settings: Settings) -> None:
    """The AGI process: reads the callers' file that the engine writes, and needs neither engine nor database.

    Raises:
        ConfigurationError, CannotListen.
    """
    centre = CentreInForce.of(settings)
    lookups = CallerLookups(settings.callers_path)
    server = FastAgiServer(Screen(lookups, lambda: centre.document.settings().prank))
    try:
        async with server.listening(settings.agi_host, settings.agi_port) as port:
            log.info("FastAGI listens", host=settings.agi_host, port=port)
            await asyncio.Event().wait()
    finally:
        lookups.close()
