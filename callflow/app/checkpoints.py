"""Writes the engine's checkpoints: what a restart begins with, before it reads the rest of the journal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from callflow.engine.clock import Clock
from callflow.engine.loop import EngineLoop
from callflow.journal.append import Journal
from callflow.journal.checkpoint import encode_checkpoint, store_checkpoint

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 3600.0
EVERY_ENTRIES: Final = 2000
"""A restart reads what came after the newest checkpoint, 0.2 ms an entry: in a crowd an hour takes a minute."""
COMMIT_SECONDS: Final = 3.0
"""A journal that takes longer is in trouble, and says so itself."""
_LOOK_SECONDS: Final = 2.0


class Checkpoints:
    """Those of one engine."""

    def __init__(self, loop: EngineLoop, journal: Journal, directory: Path, clock: Clock) -> None:
        self._loop = loop
        self._journal = journal
        self._directory = directory
        self._clock = clock

    async def run(self) -> None:
        """Write one now, and again whenever a restart would have much to read."""
        while True:
            await self.write()
            full = self._loop.seq + EVERY_ENTRIES
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    while self._loop.seq < full:  # noqa: ASYNC110 - one look in a while costs less than a word at each
                        await asyncio.sleep(_LOOK_SECONDS)

    async def write(self) -> None:
        """Write one, never one that knows more than the journal: after a crash its numbers come again. Never raises."""
        seq = self._loop.seq
        try:
            content = encode_checkpoint(seq, self._loop.switchboard.state, self._clock.now())
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._journal.committed(seq)
            await asyncio.to_thread(store_checkpoint, self._directory, content, seq)
        except Exception:  # a defect here must not end an engine that serves calls, nor keep each next one from serving
            log.exception("no checkpoint could be written; a restart reads more of the journal")
