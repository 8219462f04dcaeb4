"""Writes every look at a recording or at a person's data into the web's own chain, before anything is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from callflow.core.events import Event
from callflow.core.ids import CallId
from callflow.journal.errors import JournalError
from callflow.journal.witnessed import AccessRecorded
from callflow.web.errors import AccessNotRecorded

COMMIT_WITHIN_SECONDS: Final = 3.0


class Chain(Protocol):
    """Keeps events; a `journal.append.Journal`."""

    def append(self, event: Event) -> int:
        """Keep an event and give its number; never blocks."""

    async def committed(self, seq: int) -> None:
        """Wait until it is on a disk."""


class Accesses:
    """Records who looks at what.

    Args:
        now: aware UTC.
    """

    def __init__(self, chain: Chain, now: Callable[[], datetime]) -> None:
        self._chain = chain
        self._now = now

    async def record(self, who: str, what: str, call: str | None, purpose: str) -> None:
        """Record a look, on disk.

        Raises:
            AccessNotRecorded: it is on no disk yet: do not show anything.
        """
        seq = self.note(who, what, call, purpose)
        try:
            async with asyncio.timeout(COMMIT_WITHIN_SECONDS):
                await self._chain.committed(seq)
        except (TimeoutError, JournalError) as error:
            raise AccessNotRecorded from error

    def note(self, who: str, what: str, call: str | None, purpose: str) -> int:
        """Record a look without waiting for the disk: for what must go on with a full one, the live page."""
        event = AccessRecorded(
            at=self._now(), who=who, what=what, call=None if call is None else CallId(call), purpose=purpose
        )
        return self._chain.append(event)
