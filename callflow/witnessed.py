"""Takes into the journal what only Asterisk's own log (CEL) tells of callers: those whom no engine's word covers.

Each reader reports to the engine's port, and goes on where it ended, over restarts of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from callflow.asterisk.witness import FallbackCall, callers_gone, ended_unserved, fallback_calls
from callflow.core.ids import CallId
from callflow.core.reports import FallbackWitnessed
from callflow.worker import Report

log = structlog.get_logger(__name__)

TAKEN_BACK_WITHIN: Final = timedelta(seconds=10)
"""An engine may have had the call again, and its own word on the end is in the database by then."""
RECORDED_WITHIN: Final = timedelta(seconds=30)
"""Whose end is in no record so long after it, whereas the database keeps up with the journal, is in no journal."""
IN_CHARGE_FOR: Final = timedelta(seconds=10)
"""An engine that comes back tells the ends that it finds, and they are in the database by then."""
LOOKED_BACK: Final = timedelta(days=7)
"""Who was gone longer ago may have a record no more, by law, and is not brought back."""


class OpenCalls(Protocol):
    """Which calls are open."""

    async def __call__(self, limit: int) -> Sequence[CallId]:
        """Their ids, latest first."""


class HandedBackReader:
    """Tells the end of callers who hung up between an engine's hand and the dialplan's; nobody else saw it.

    The database shows such a call open until it has caught up with the journal; meanwhile it is not told again.

    Args:
        cel: Asterisk's own testimony.
        open_calls: calls that were handed back and have no end.
        report: hands in what was found.
    """

    def __init__(self, cel: Path, open_calls: OpenCalls, report: Report) -> None:
        self._cel = cel
        self._open_calls = open_calls
        self._report = report
        self._told: set[CallId] = set()

    async def one_pass(self) -> None:
        """Tell of those that were not told yet."""
        open_now = await self._open_calls(50)
        self._told.intersection_update(open_now)
        untold = [call for call in open_now if call not in self._told]
        for call in await asyncio.to_thread(ended_unserved, self._cel, untold) if untold else ():
            if datetime.now(UTC) - call.ended_at > TAKEN_BACK_WITHIN:
                await self._report(_witnessed(call))
                self._told.add(call.call)


class FallbackReader:
    """Takes fallback calls from CEL into the journal, each once.

    Args:
        place: a file that keeps how far CEL was read.
    """

    def __init__(self, cel: Path, place: Path, report: Report) -> None:
        self._cel = cel
        self._place = _Place(place)
        self._report = report

    async def one_pass(self) -> None:
        """Report the calls that ended since the last pass; the place moves only once a report is on disk."""
        for call in await asyncio.to_thread(fallback_calls, self._cel, self._place.reached()):
            await self._report(_witnessed(call))
            self._place.move(call.place)


class UnrecordedReader:
    """Takes callers from CEL into the journal whose end no record has.

    An engine was killed before its journal had them and they were gone before the next one looked, or Asterisk died
    while no engine had them, so that CEL has no end of them either.

    Args:
        place: a file that keeps how far CEL was read.
        recorded: which of these calls have an end in the database.
        caught_up_at: when the database had last caught up with the journal; None = not yet.
        health: the engine's, among others `in_charge`; raises CallflowError while it is away.
    """

    def __init__(
        self,
        cel: Path,
        place: Path,
        report: Report,
        *,
        recorded: Callable[[Collection[CallId]], Awaitable[Collection[CallId]]],
        caught_up_at: Callable[[], datetime | None],
        health: Callable[[], Awaitable[Mapping[str, Any]]],
    ) -> None:
        self._cel = cel
        self._place = _Place(place)
        self._recorded = recorded
        self._caught_up_at = caught_up_at
        self._told: set[CallId] = set()
        self._health = health
        self._in_charge_since: datetime | None = None
        self._report = report

    async def one_pass(self) -> None:
        """Report who is in no record; what was reported and not yet noted as read is asked of the database again."""
        since, self._in_charge_since = self._in_charge_since, None
        if not (await self._health())["in_charge"]:
            return
        caught_up_at = self._caught_up_at()
        self._in_charge_since = since or datetime.now(UTC)
        if caught_up_at is None or caught_up_at < self._in_charge_since + IN_CHARGE_FOR:
            return
        after = self._place.reached()
        gone, reached = await asyncio.to_thread(callers_gone, self._cel, after, caught_up_at - RECORDED_WITHIN)
        gone = [call for call in gone if call.ended_at > caught_up_at - LOOKED_BACK]
        recorded = await self._recorded([call.call for call in gone]) if gone else ()
        self._told.intersection_update(call.call for call in gone)
        for call in gone:
            if call.call not in recorded and call.call not in self._told:
                await self._report(_witnessed(call))
                self._told.add(call.call)  # were the next report to fail, this one would be read again
                log.warning("a caller was in CEL and in no record; taken from there", call=call.call)
        if reached != after:
            self._place.move(reached)


class _Place:
    """How far CEL was read, kept in a file; in memory while that cannot be written, so that nobody is told of twice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unwritten: int | None = None

    def reached(self) -> int:
        """Where the last pass ended; from the beginning when that cannot be told: told twice is better than lost."""
        if self._unwritten is not None:
            return self._unwritten
        try:
            return int(self._file.read_text())
        except FileNotFoundError:
            return 0
        except ValueError:
            log.warning("the place reached in CEL is no number; reading from its beginning", file=str(self._file))
            return 0

    def move(self, place: int) -> None:
        """All up to here is told."""
        part = self._file.with_suffix(".part")
        try:
            part.write_text(str(place))
            part.replace(self._file)
        except OSError as error:
            if self._unwritten is None:
                log.warning("the place reached in CEL cannot be written", file=str(self._file), error=error.strerror)
            self._unwritten = place
        else:
            self._unwritten = None


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
        in_fallback=call.in_fallback,
    )
