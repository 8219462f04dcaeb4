"""What is done beside the calls: finished recordings are measured, fallback calls are taken into the journal.

Both report to the engine's port, so that digests and calls stand in the chain. Each pass begins where the last one
ended, and a pass that fails is tried again: nothing here is needed for a call to go well.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from callflow.asterisk.witness import FallbackCall, fallback_calls
from callflow.core.events import Event
from callflow.core.ids import CallId
from callflow.core.reports import FallbackWitnessed, RecordingMeasured, Track
from callflow.errors import CallflowError
from callflow.media.recordings import measure

log = structlog.get_logger(__name__)

PASS_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
UNFINISHED_AFTER: Final = timedelta(seconds=60)
"""A file that is still unfinished so long after its call stays so: Asterisk died before it could close it."""

Report = Callable[[Event], Awaitable[None]]


class EndedCalls(Protocol):
    """Which calls have ended and have no measured recording yet."""

    async def __call__(self, limit: int) -> Sequence[tuple[CallId, datetime]]:
        """Their ids and when they ended, newest first, of the last day: a call without files holds up nobody."""


async def keep_doing(name: str, one_pass: Callable[[], Awaitable[None]]) -> None:
    """Run passes for ever; after a failed one wait longer and longer."""
    pause = PASS_SECONDS
    while True:
        try:
            await one_pass()
            pause = PASS_SECONDS
        except (CallflowError, OSError, sqlite3.Error) as error:
            log.warning("a pass failed; it is tried again", work=name, error=str(error), pause_seconds=pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        except Exception as error:  # noqa: BLE001 - a database's fault, or a defect, must not end the other work
            fault = type(error).__name__  # not its text, which may name a person
            log.warning("a pass raised; it is tried again", work=name, fault=fault, pause_seconds=pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)


async def measure_recordings(directory: Path, ended: EndedCalls, report: Report) -> None:
    """Measure the recordings of calls that have ended."""
    now = datetime.now(UTC)
    for call, ended_at in await ended(50):
        overdue = now - ended_at > UNFINISHED_AFTER
        try:
            tracks = await asyncio.to_thread(measure, directory, call, even_unfinished=overdue)
        except OSError as error:  # one file that cannot be read must not hold up the others
            log.warning("a recording cannot be read; it is tried again", call=call, error=error.strerror)
            continue
        if not tracks:
            continue
        await report(
            RecordingMeasured(
                at=now,
                call=call,
                tracks=tuple(
                    Track(name=t.name, path=t.path, sha256=t.sha256, bytes=t.bytes, seconds=t.seconds) for t in tracks
                ),
            )
        )


class FallbackReader:
    """Takes fallback calls from CEL into the journal, each once.

    Args:
        place: a file that keeps how far CEL was read.
    """

    def __init__(self, cel: Path, place: Path, report: Report) -> None:
        self._cel = cel
        self._place = place
        self._report = report

    async def one_pass(self) -> None:
        """Report the calls that ended since the last pass; the place moves only once a report is on disk."""
        for call in await asyncio.to_thread(fallback_calls, self._cel, self._reached()):
            await self._report(_witnessed(call))
            part = self._place.with_suffix(".part")
            part.write_text(str(call.place))
            part.replace(self._place)

    def _reached(self) -> int:
        """Where the last pass ended; from the beginning when that cannot be told: told twice is better than lost."""
        try:
            return int(self._place.read_text())
        except FileNotFoundError:
            return 0
        except ValueError:
            log.warning("the place reached in CEL is no number; reading from its beginning", file=str(self._place))
            return 0


def _witnessed(call: FallbackCall) -> FallbackWitnessed:
    return FallbackWitnessed(
        at=datetime.now(UTC),
        call=call.call,
        caller=call.caller,
        dialled=call.dialled,
        trunk=call.trunk,
        arrived_at=call.arrived_at,
        answered_at=call.answered_at,
        answered_by=call.answered_by,
        ended_at=call.ended_at,
        hung_up_by=call.hung_up_by,
        cause=call.cause,
    )
