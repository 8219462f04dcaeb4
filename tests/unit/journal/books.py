"""Journals to test with: opened, filled with a simulated centre's turns, and closed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag

from callflow.core.events import Event, KeyPressed
from callflow.core.ids import CallId, CentreId
from callflow.journal.alarms import JournalAlarm, JournalFault
from callflow.journal.append import Journal
from callflow.journal.files import chain_path

# Relative, since another package calls itself `tests` too.
from ...scenarios.phones import answers  # noqa: TID252
from ...scenarios.world import Turn, World  # noqa: TID252

AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
CENTRE = CentreId("pekalongan")
PATIENCE_SECONDS = 30.0


@dataclass
class Alarms:
    """Listens to a journal."""

    heard: list[JournalAlarm] = field(default_factory=list)
    awaited: dict[JournalFault, Flag] = field(default_factory=lambda: {fault: Flag() for fault in JournalFault})

    def __call__(self, alarm: JournalAlarm) -> None:
        self.heard.append(alarm)
        self.awaited[alarm.fault].set()

    def wait_for(self, fault: JournalFault) -> None:
        assert self.awaited[fault].wait(PATIENCE_SECONDS), f"no alarm {fault}; heard {self.heard}"

    @property
    def faults(self) -> list[JournalFault]:
        return [alarm.fault for alarm in self.heard]


@contextmanager
def open_journal(
    directory: Path, *, writer: str = "engine", second: Path | None = None, alarms: Alarms | None = None, **more: int
) -> Iterator[Journal]:
    journal = Journal(
        directory, writer=writer, centre=CENTRE, second=second, on_alarm=alarms or Alarms(), now=lambda: AT, **more
    )
    journal.open()
    try:
        yield journal
    finally:
        journal.close()


def key(number: int = 1, call: str = "pbx-1.1") -> Event:
    return KeyPressed(at=AT + timedelta(seconds=number), call=CallId(call), key="1")


def write_keys(directory: Path, count: int, **options: str) -> Path:
    """A journal of `count` keys; its file."""
    with open_journal(directory, **options) as journal:
        for number in range(count):
            journal.append(key(number))
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
    return chain_path(directory, options.get("writer", "engine"))


def write_turns(directory: Path, turns: list[Turn]) -> Path:
    """A journal of a simulated centre's turns; its file."""
    with open_journal(directory) as journal:
        for turn in turns:
            journal.append(turn.event, turn.commands)
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
    return chain_path(directory, "engine")


def busy_centre() -> World:
    """Three callers, two operators: one answers, one is busy, one gives up."""
    world = World({"ani": answers(2.0, talks_seconds=20.0), "budi": answers(3.0, talks_seconds=5.0)})
    world.arrive("a", keys=[(0.8, "2")])
    world.arrive("b")
    world.arrive("c", hangs_up_after=12.0)
    world.run(120.0)
    return world


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody who removed what guards the tables first."""
    connection = sqlite3.connect(path, isolation_level=None)
    guards = "SELECT type, name FROM sqlite_master WHERE type = 'trigger' OR name = 'entries_by_call'"
    for kind, name in connection.execute(guards).fetchall():
        connection.execute(f"DROP {kind} {name}")
    try:
        yield connection
    finally:
        connection.close()
