"""What the worker looks after beside the calls: the database, the disks, the prompts; each look says what is wrong now.

A look never waits for what hangs: a database that does not answer in time is away, a disk likewise.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.engine.telling import Fault, Watch
from callflow.journal.projector import Lag
from callflow.media.kept import KeptSounds
from callflow.media.playable import PlayableFiles
from callflow.media.room import free_mb, why_unwritable

log = structlog.get_logger(__name__)

ANSWER_SECONDS: Final = 5.0
AWAY_AFTER_SECONDS: Final = 5.0
"""One failed look is no outage: a server that restarts is back within seconds."""
_NAMED_AT_MOST: Final = 5
_TROUBLES: Final = 50
_SLACK: Final = timedelta(seconds=30)
"""A call may end a moment before a look finds out, or after the one that finds all well."""


class DatabaseWatch:
    """Is the database there, does it keep up, and did it refuse anything?

    Args:
        ask: asks the database for the entry that it refused last, `(chain, number)`, or None; raises while it is away.
        lag: how far it is behind the journal.
        behind_seconds: from then on that is an alarm.
        unreadable: the journal's files that cannot be brought to the database any further, and why.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[tuple[str, int] | None]],
        lag: Callable[[], Lag],
        behind_seconds: float,
        *,
        unreadable: Callable[[], Mapping[Path, str]] = dict,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._lag = lag
        self._behind_seconds = behind_seconds
        self._unreadable = unreadable
        self._now = now
        self._failing_since: float | None = None
        self._failed_at: datetime | None = None
        self.answers = True
        self.answer_seconds = 0.0

    @property
    def watch(self) -> Watch:
        """For the teller."""
        kinds = (AlarmKind.DATABASE_AWAY, AlarmKind.DATABASE_BEHIND, AlarmKind.RECORD_REFUSED)
        return Watch(kinds=kinds, look=self.look)

    @property
    def figures(self) -> Mapping[str, float]:
        """For the metrics."""
        lag = self._lag()
        return {
            "callflow_database_up": float(self.answers),
            "callflow_database_answer_seconds": round(self.answer_seconds, 3),
            "callflow_database_lag_entries": lag.entries,
            "callflow_database_lag_seconds": round(lag.seconds, 3),
        }

    async def look(self) -> list[Fault]:
        """Ask it."""
        began = self._now()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                refused = await self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the database gave no answer
            return self._failed(began, type(error).__name__)
        finally:
            self.answer_seconds = self._now() - began
        self.answers, self._failing_since, self._failed_at = True, None, None
        return [*self._behind(), *_refused(refused), *_not_read(self._unreadable())]

    def _failed(self, began: float, reason: str) -> list[Fault]:
        self.answers = False
        if self._failing_since is None or self._failed_at is None:
            self._failing_since, self._failed_at = began, datetime.now(UTC)
        if self._now() - self._failing_since < AWAY_AFTER_SECONDS:
            return []
        detail = (
            f"no answer since {self._failed_at:%H:%M:%S} UTC ({reason}): calls and sign-in go on, records come when it "
            "is back; look at the database server"
        )
        return [Fault(kind=AlarmKind.DATABASE_AWAY, detail=detail)]

    def _behind(self) -> list[Fault]:
        lag = self._lag()
        if lag.seconds <= self._behind_seconds:
            return []
        detail = f"{lag.entries} entries, the oldest of {lag.seconds:.0f} s ago: look at the database's disk and load"
        return [Fault(kind=AlarmKind.DATABASE_BEHIND, detail=detail)]


def _refused(refused: tuple[str, int] | None) -> list[Fault]:
    if refused is None:
        return []
    chain, seq = refused
    detail = f"entry {seq} of chain {chain} is in the journal and not in the records: keep the journal, report it"
    return [Fault(kind=AlarmKind.RECORD_REFUSED, detail=detail)]


def _not_read(unreadable: Mapping[Path, str]) -> list[Fault]:
    todo = "its later calls have no record until it can be: look after the disk, keep the file, restore it from a copy"
    return [
        Fault(kind=AlarmKind.RECORD_REFUSED, subject=path.name, detail=f"{path}: {reason}; {todo}")
        for path, reason in unreadable.items()
    ]


@dataclass(slots=True, kw_only=True)
class _Trouble:
    """A time in which no recordings could be written; `until` None = it lasts."""

    since: datetime
    reason: str
    until: datetime | None = None


class DiskWatch:
    """Can recordings be written, and is any disk of ours nearly full?

    Args:
        recordings: where Asterisk writes them.
        places: directories whose disks are to have room.
        least_free_mb: with less, recordings count as unwritable. low_mb: with less, a disk is nearly full.
    """

    def __init__(self, recordings: Path, places: Iterable[Path], *, least_free_mb: int, low_mb: int) -> None:
        self._recordings = recordings
        self._places = tuple(places)
        self._least_free_mb = least_free_mb
        self._low_mb = low_mb
        self._looking: asyncio.Future[list[Fault]] | None = None
        self._troubles: deque[_Trouble] = deque(maxlen=_TROUBLES)

    @property
    def recordings_writable(self) -> bool:
        """As of the last look."""
        return not self._troubles or self._troubles[-1].until is not None

    def trouble_at(self, at: datetime) -> str | None:
        """What kept recordings from being written at that moment; None = nothing that was seen."""
        spans = (
            (each.since - _SLACK, (each.until or datetime.now(UTC)) + _SLACK, each.reason) for each in self._troubles
        )
        return next((reason for since, until, reason in spans if since <= at <= until), None)

    @property
    def watch(self) -> Watch:
        """For the teller."""
        return Watch(kinds=(AlarmKind.RECORDINGS_UNWRITABLE, AlarmKind.DISK_LOW), look=self.look)

    async def look(self) -> list[Fault]:
        """Write and measure. A disk that hangs keeps one thread, never a second."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look))
        done, _ = await asyncio.wait({self._looking}, timeout=ANSWER_SECONDS)
        if not done:
            found = [_unwritable(f"{self._recordings} does not answer: its disk hangs")]
        else:
            found = self._looking.result()
        self._remember(next((each for each in found if each.kind is AlarmKind.RECORDINGS_UNWRITABLE), None))
        return found

    def _remember(self, fault: Fault | None) -> None:
        now = datetime.now(UTC)
        if fault is not None and self.recordings_writable:
            self._troubles.append(_Trouble(since=now, reason=fault.detail))
        elif fault is None and not self.recordings_writable:
            self._troubles[-1].until = now

    def _look(self) -> list[Fault]:
        reason = why_unwritable(self._recordings, self._least_free_mb)
        found = [] if reason is None else [_unwritable(reason)]
        for place in self._places:
            try:
                free = free_mb(place)
            except OSError:
                continue  # who cannot write there says so
            if free < self._low_mb:
                detail = f"{free} MB left: make room before it is full"
                found.append(Fault(kind=AlarmKind.DISK_LOW, subject=str(place), detail=detail))
        return found


def _unwritable(reason: str) -> Fault:
    return Fault(kind=AlarmKind.RECORDINGS_UNWRITABLE, detail=f"{reason}; calls go on without a recording")


class PromptWatch:
    """Can every prompt be played, and the waiting music? What cannot is put back from the copies, and told.

    Args:
        files: what there must be.
        kept: their copies.
    """

    def __init__(self, files: PlayableFiles, kept: KeptSounds) -> None:
        self._files = files
        self._kept = kept

    @property
    def watch(self) -> Watch:
        """For the teller."""
        return Watch(kinds=(AlarmKind.PROMPTS_MISSING,), look=self.look)

    async def look(self) -> list[Fault]:
        """Look at the files."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> list[Fault]:
        faults = self._files.faults()
        if not faults:
            self._kept.keep(self._files.wanted)
            return []
        put_back = self._kept.put_back(faults)
        if put_back:
            log.error("sounds that callers hear were missing or broken; put back from the copies", sounds=put_back)
        return _unplayable(faults, self._files.faults())


def _unplayable(faults: Mapping[str, str], still: Mapping[str, str]) -> list[Fault]:
    told = [f"{name}.wav ({fault})" for name, fault in (still or faults).items()]
    more = f" and {len(told) - _NAMED_AT_MOST} more" if len(told) > _NAMED_AT_MOST else ""
    named = f"{', '.join(told[:_NAMED_AT_MOST])}{more}"
    what = "run callflow prompts build" if still else "put back from the copies; find out who took them away"
    return [Fault(kind=AlarmKind.PROMPTS_MISSING, detail=f"{named}: {what}")]
