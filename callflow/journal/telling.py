"""Turns what the journal's writer tells of its disks into faults that stand, are mended, or were one incident.

The writer's thread tells; whoever owns an event loop asks, or is told there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.faults import FaultMended, FaultReported
from callflow.journal.alarms import JournalAlarm, JournalFault

_log: Any = structlog.get_logger(__name__)

LASTING: Final = {
    JournalFault.UNWRITABLE: (
        AlarmKind.JOURNAL_UNWRITABLE,
        "calls go on, the journal waits in memory: make room there or mend the disk, and do not restart the engine",
    ),
    JournalFault.ON_SECOND_DIRECTORY: (
        AlarmKind.JOURNAL_ELSEWHERE,
        "the first directory cannot be written: mend its disk, the journal goes back by itself",
    ),
    JournalFault.ENTRIES_LOST: (
        AlarmKind.JOURNAL_ENTRIES_LOST,
        "entries are being lost, calls go on: make room for the journal at once",
    ),
}
INCIDENTS: Final = {
    JournalFault.FILE_GONE: (AlarmKind.JOURNAL_DAMAGED, "it was brought back: find out who took it away"),
    JournalFault.DAMAGED: (AlarmKind.JOURNAL_DAMAGED, "look after the disk, keep that file"),
    JournalFault.UNWRITABLE_EVENT: (AlarmKind.JOURNAL_ENTRIES_LOST, "a defect: report it"),
}
MENDS: Final = {
    JournalFault.WRITABLE_AGAIN: AlarmKind.JOURNAL_UNWRITABLE,
    JournalFault.BACK_IN_FIRST_DIRECTORY: AlarmKind.JOURNAL_ELSEWHERE,
}


class JournalTeller:
    """Hears a writer's alarms (`hear` is its `on_alarm`) and passes them on as events.

    Args:
        subject: the writer's name, which stands on the alarms.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._lock = threading.Lock()
        self._standing: dict[AlarmKind, FaultReported] = {}
        self._unheard: list[Event] = []
        self._tell: Callable[[Event], None] | None = None

    def hear(self, alarm: JournalAlarm) -> None:
        """Take in an alarm, in whichever thread."""
        _log.error("journal", fault=str(alarm.fault), writer=self._subject, detail=alarm.detail)
        with self._lock:
            events = self._events_of(alarm)
            tell = self._tell
            if tell is None:
                self._unheard += [event for event in events if isinstance(event, FaultReported) and not event.lasting]
        if tell is not None:
            for event in events:
                tell(event)

    def begin(self, post: Callable[[Event], None], standing: Iterable[tuple[str, str]]) -> None:
        """From now on post events to this loop: first what is wrong already, and the end of what was once.

        Args:
            post: belongs to the running loop.
            standing: kind and subject of the alarms that stand, of an earlier life.
        """
        loop = asyncio.get_running_loop()

        def tell(event: Event) -> None:
            loop.call_soon_threadsafe(post, event)

        with self._lock:
            self._tell = tell
            first = [*self._standing.values(), *self._unheard]
            known = dict(self._standing)
        for event in first:
            post(event)
        lasting = {kind for kind, _ in LASTING.values()}
        for kind, subject in standing:
            if kind in lasting and subject == self._subject and kind not in known:
                post(FaultMended(at=datetime.now(UTC), kind=AlarmKind(kind), subject=subject))

    @property
    def standing(self) -> tuple[FaultReported, ...]:
        """What is wrong now."""
        with self._lock:
            return tuple(self._standing.values())

    def _events_of(self, alarm: JournalAlarm) -> list[Event]:
        now = datetime.now(UTC)
        if alarm.fault in LASTING:
            kind, remedy = LASTING[alarm.fault]
            fault = self._fault(kind, f"{alarm.detail}; {remedy}", now)
            self._standing[kind] = fault
            return [fault]
        if alarm.fault in INCIDENTS:
            kind, remedy = INCIDENTS[alarm.fault]
            return [self._fault(kind, f"{alarm.detail}; {remedy}", now, lasting=False)]
        return self._mended(MENDS[alarm.fault], now)

    def _mended(self, kind: AlarmKind, now: datetime) -> list[Event]:
        events: list[Event] = []
        if self._standing.pop(kind, None) is not None:
            events.append(FaultMended(at=now, kind=kind, subject=self._subject))
        lost = self._standing.pop(AlarmKind.JOURNAL_ENTRIES_LOST, None)
        if lost is not None:  # it is over, and stays to be seen for a while
            detail = "entries were lost while no disk took the journal; it says which"
            events.append(self._fault(AlarmKind.JOURNAL_ENTRIES_LOST, detail, now, lasting=False))
        return events

    def _fault(self, kind: AlarmKind, detail: str, at: datetime, *, lasting: bool = True) -> FaultReported:
        return FaultReported(at=at, kind=kind, subject=self._subject, detail=detail, lasting=lasting)
