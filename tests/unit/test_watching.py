"""The worker's looks at the database, the disks and the prompts, and how what they find is told to the engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.faults import FaultMended, FaultReported
from callflow.engine.telling import Fault, FaultTeller, Watch
from callflow.errors import CallflowError
from callflow.journal.projector import Lag
from callflow.media.kept import KeptSounds
from callflow.media.playable import PlayableFiles
from callflow.media.waiting_music import write_waiting_music
from callflow.watching import DatabaseWatch, DiskWatch, PromptWatch

NO_LAG = Lag(entries=0, seconds=0.0)


class Database:
    """Answers, or does not."""

    def __init__(self) -> None:
        self.away = False
        self.refused: tuple[str, int] | None = None
        self.lag = NO_LAG
        self.clock = 0.0
        self.unreadable: dict[Path, str] = {}
        self.watch = DatabaseWatch(
            self._ask, lambda: self.lag, 60.0, unreadable=lambda: self.unreadable, now=lambda: self.clock
        )

    async def _ask(self) -> tuple[str, int] | None:
        if self.away:
            raise ConnectionRefusedError
        return self.refused

    async def kinds(self) -> list[AlarmKind]:
        return [fault.kind for fault in await self.watch.look()]


class Engine:
    """What stands at the engine, as FaultReported and FaultMended change it."""

    def __init__(self, *alarms: tuple[AlarmKind, str]) -> None:
        self.details = dict.fromkeys(alarms, "of an earlier life")
        self.reports = 0
        self.away = False
        self.told = asyncio.Event()

    async def report(self, event: Event) -> None:
        self.told.set()
        match event:
            case FaultReported():
                self.reports += 1
                self.details[event.kind, event.subject] = event.detail
            case FaultMended():
                del self.details[event.kind, event.subject]

    @property
    def alarms(self) -> set[tuple[AlarmKind, str]]:
        return set(self.details)

    async def snapshot(self) -> Mapping[str, Any]:
        if self.away:
            raise CallflowError("away")
        alarms = [
            {"kind": str(kind), "subject": subject, "detail": detail}
            for (kind, subject), detail in self.details.items()
        ]
        return {"alarms": alarms}


async def test_database_is_away_when_it_has_not_answered_for_a_while() -> None:
    database = Database()
    assert await database.kinds() == []
    database.away = True
    assert await database.kinds() == []
    database.clock += 6.0
    assert await database.kinds() == [AlarmKind.DATABASE_AWAY]
    assert database.watch.figures["callflow_database_up"] == 0.0
    database.away = False
    assert await database.kinds() == []
    assert database.watch.figures["callflow_database_up"] == 1.0


async def test_database_is_behind_when_entries_wait_for_long() -> None:
    database = Database()
    database.lag = Lag(entries=7, seconds=61.0)
    assert await database.kinds() == [AlarmKind.DATABASE_BEHIND]
    assert database.watch.figures["callflow_database_lag_entries"] == 7


async def test_refused_entry_is_named() -> None:
    database = Database()
    database.refused = ("abc", 17)
    (fault,) = await database.watch.look()
    assert fault.kind is AlarmKind.RECORD_REFUSED
    assert "17" in fault.detail
    assert "abc" in fault.detail


async def test_recordings_are_unwritable_while_their_directory_is_gone_and_calls_of_that_time_know_why(
    tmp_path: Path,
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    disks = DiskWatch(recordings, (), least_free_mb=0, low_mb=0)
    assert await disks.look() == []
    assert disks.recordings_writable
    recordings.rmdir()
    (fault,) = await disks.look()
    assert fault.kind is AlarmKind.RECORDINGS_UNWRITABLE
    assert "is gone" in fault.detail
    assert not disks.recordings_writable
    recordings.mkdir()
    assert await disks.look() == []
    assert disks.recordings_writable
    trouble = disks.trouble_at(datetime.now(UTC))
    assert trouble is not None
    assert "is gone" in trouble
    assert list(recordings.iterdir()) == []


async def test_disk_is_low_and_recordings_unwritable_when_there_is_less_room_than_the_settings_say(
    tmp_path: Path,
) -> None:
    a_lot = 10**9
    disks = DiskWatch(tmp_path, (tmp_path,), least_free_mb=a_lot, low_mb=a_lot)
    assert [(fault.kind, fault.subject) for fault in await disks.look()] == [
        (AlarmKind.RECORDINGS_UNWRITABLE, ""),
        (AlarmKind.DISK_LOW, str(tmp_path)),
    ]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(b""), "no WAV file"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"\x40\x1f\0\0", b"\x44\xac\0\0", 1)), "8 kHz"),
    ],
    ids=["gone", "empty", "another rate"],
)
@pytest.mark.parametrize("kept", [True, False])
async def test_prompt_that_cannot_be_played_is_named_and_put_back_where_it_was_kept(
    tmp_path: Path, damage: Any, told: str, *, kept: bool
) -> None:
    prompts, copies = tmp_path / "prompts", tmp_path / "copies"
    music, greeting = prompts / "moh" / "callflow-waiting.wav", prompts / "id" / "greeting.wav"
    for path in (music, greeting):
        path.parent.mkdir(parents=True)
        write_waiting_music(path)
    whole = greeting.read_bytes()

    def watch_anew() -> PromptWatch:
        return PromptWatch(PlayableFiles(prompts, {"id": ["greeting"]}), KeptSounds(prompts, copies))

    assert await watch_anew().look() == []
    if not kept:
        shutil.rmtree(copies)
    damage(greeting)
    watch = watch_anew()
    (fault,) = await watch.look()
    assert "id/greeting.wav" in fault.detail
    assert told in fault.detail
    assert (greeting.exists() and greeting.read_bytes() == whole) is kept
    if not kept:
        (fault,) = await watch.look()
        shutil.copy(music, greeting)
    assert await watch.look() == []


async def test_music_is_put_back_when_the_whole_directory_is_gone(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    for name in ("moh/callflow-waiting", "id/greeting"):
        (prompts / name).parent.mkdir(parents=True)
        write_waiting_music(prompts / f"{name}.wav")
    watch = PromptWatch(PlayableFiles(prompts, {"id": ["greeting"]}), KeptSounds(prompts, tmp_path / "copies"))
    assert await watch.look() == []
    shutil.rmtree(prompts)
    assert [fault.kind for fault in await watch.look()] == [AlarmKind.PROMPTS_MISSING]
    assert await watch.look() == []


async def test_alarms_follow_what_is_found_and_others_are_left_alone() -> None:
    found: list[Fault] = [Fault(kind=AlarmKind.DISK_LOW, subject="/a", detail="x")]

    async def look() -> list[Fault]:
        return found

    engine = Engine((AlarmKind.DISK_LOW, "/of-an-earlier-life"), (AlarmKind.NOBODY_READY, ""))
    teller = FaultTeller([Watch(kinds=[AlarmKind.DISK_LOW], look=look)], engine.report, engine.snapshot)
    await teller.one_pass()
    assert engine.alarms == {(AlarmKind.DISK_LOW, "/a"), (AlarmKind.NOBODY_READY, "")}
    found.clear()
    await teller.one_pass()
    assert engine.alarms == {(AlarmKind.NOBODY_READY, "")}


async def test_alarm_says_what_is_wrong_now_when_that_changes_and_is_not_told_anew_for_its_figures() -> None:
    found: list[Fault] = []

    async def look() -> list[Fault]:
        return found

    engine = Engine()
    teller = FaultTeller([Watch(kinds=[AlarmKind.ARI_AWAY], look=look)], engine.report, engine.snapshot)
    told = []
    for detail in ("nobody listens since 3 s", "nobody listens since 15 s", "the password is refused"):
        found[:] = [Fault(kind=AlarmKind.ARI_AWAY, detail=detail)]
        await teller.one_pass()
        told.append((engine.details[AlarmKind.ARI_AWAY, ""], engine.reports))
    assert told == [("nobody listens since 3 s", 1), ("nobody listens since 3 s", 1), ("the password is refused", 2)]


async def test_others_are_told_and_its_own_alarms_stay_when_a_look_raises() -> None:
    async def broken() -> list[Fault]:
        raise OSError("Input/output error")

    async def look() -> list[Fault]:
        return [Fault(kind=AlarmKind.DATABASE_AWAY, detail="x")]

    engine = Engine((AlarmKind.DISK_LOW, "/a"))
    watches = [Watch(kinds=[AlarmKind.DISK_LOW], look=broken), Watch(kinds=[AlarmKind.DATABASE_AWAY], look=look)]
    await FaultTeller(watches, engine.report, engine.snapshot).one_pass()
    assert engine.alarms == {(AlarmKind.DISK_LOW, "/a"), (AlarmKind.DATABASE_AWAY, "")}


async def test_all_is_told_when_the_engine_is_back() -> None:
    async def look() -> list[Fault]:
        return [Fault(kind=AlarmKind.DATABASE_AWAY, detail="x")]

    engine = Engine()
    engine.away = True
    teller = FaultTeller(
        [Watch(kinds=[AlarmKind.DATABASE_AWAY], look=look)], engine.report, engine.snapshot, every_seconds=0.01
    )
    running = asyncio.create_task(teller.run())
    with pytest.raises(CallflowError):
        await teller.one_pass()
    engine.away = False
    async with asyncio.timeout(5):
        await engine.told.wait()
    running.cancel()
    assert engine.alarms == {(AlarmKind.DATABASE_AWAY, "")}


async def test_file_is_named_with_what_to_do_while_the_journal_cannot_be_read() -> None:
    database = Database()
    database.unreadable = {Path("/srv/journal/engine.sqlite"): "no entry after entry 7 can be read (torn)"}
    (fault,) = await database.watch.look()
    assert (fault.kind, fault.subject) == (AlarmKind.RECORD_REFUSED, "engine.sqlite")
    assert "entry 7" in fault.detail
    assert "look after the disk" in fault.detail
    database.unreadable = {}
    assert await database.kinds() == []
