"""What is done beside the calls, pass by pass: finished recordings are measured, so that the chain has their digests.

A pass that fails is tried again: nothing here is needed for a call to go well.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from callflow.core.events import Event
from callflow.core.ids import CallId
from callflow.core.reports import RecordingMeasured, RecordingMissed, Track
from callflow.errors import CallflowError
from callflow.media.recordings import measure
from callflow.media.room import why_unwritable

log = structlog.get_logger(__name__)

PASS_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
UNFINISHED_AFTER: Final = timedelta(seconds=60)
"""A file that is still unfinished so long after its call stays so: Asterisk died before it could close it."""

MISSED_AFTER: Final = timedelta(minutes=10)
"""Asterisk has written the files of a call so long after it, or it never will; where its trouble is known, sooner."""
KNOWN_AFTER: Final = timedelta(seconds=60)
"""Files that could not be written when their call ended, and are not there so long after it, will not come."""
GIVEN_UP_AFTER: Final = timedelta(hours=23)
"""A directory that is away for longer comes back too late: only the last day's calls are looked at."""

Report = Callable[[Event], Awaitable[None]]
TroubleAt = Callable[[datetime], str | None]


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


async def measure_recordings(
    directory: Path, ended: EndedCalls, report: Report, trouble_at: TroubleAt = lambda _at: None
) -> None:
    """Measure the recordings of calls that have ended; tell of those that never came.

    Args:
        directory: of the recordings.
        ended: the calls to look at.
        report: hands in what was found.
        trouble_at: what was wrong with the directory when a call ended.
    """
    now = datetime.now(UTC)
    calls = await ended(50)
    # looked at before the files are: a directory that comes back meanwhile must not be blamed for those it brings
    away = await asyncio.to_thread(why_unwritable, directory) if calls else None
    for call, ended_at in calls:
        overdue = now - ended_at > UNFINISHED_AFTER
        try:
            tracks = await asyncio.to_thread(measure, directory, call, even_unfinished=overdue)
        except OSError as error:  # one file that cannot be read must not hold up the others
            log.warning("a recording cannot be read; it is tried again", call=call, error=error.strerror)
            tracks = None
        if not tracks:
            reason = _why_given_up(now - ended_at, away, trouble_at(ended_at))
            if reason is not None:
                await report(RecordingMissed(at=now, call=call, reason=reason))
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


def _why_given_up(waited: timedelta, away: str | None, trouble: str | None) -> str | None:
    """Why a call's audio is waited for no longer; None = it is. A directory that is away may come back with it.

    Args:
        waited: since the call's end.
        away: what is wrong with the directory now.
        trouble: what was wrong with it when the call ended.
    """
    if waited < (MISSED_AFTER if trouble is None else KNOWN_AFTER):
        return None
    if away is not None and waited < GIVEN_UP_AFTER:
        return None
    return trouble or away or "no file came, or none that can be read"
