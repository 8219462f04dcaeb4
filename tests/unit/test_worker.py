from __future__ import annotations

import asyncio
import sqlite3
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callflow.core.events import Event
from callflow.core.ids import CallId
from callflow.core.reports import RecordingMeasured, RecordingMissed
from callflow.errors import CallflowError
from callflow.worker import (
    GIVEN_UP_AFTER,
    KNOWN_AFTER,
    MISSED_AFTER,
    UNFINISHED_AFTER,
    keep_doing,
    measure_recordings,
)

ONE, TWO = CallId("node1-1.1"), CallId("node1-2.1")


class Reports:
    """Takes reports; raises while the engine is away."""

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.away = False

    async def __call__(self, event: Event) -> None:
        if self.away:
            raise CallflowError("the engine does not answer")
        self.taken.append(event)


class Ended:
    """Calls that have ended."""

    def __init__(self, *calls: CallId, since: timedelta = timedelta()) -> None:
        self._calls = [(call, datetime.now(UTC) - since) for call in calls]

    async def __call__(self, limit: int) -> Sequence[tuple[CallId, datetime]]:
        return self._calls[:limit]


def record(directory: Path, call: str, *, finished: bool = True) -> None:
    audio = b"\x01\x02" * 4000
    told = len(audio) if finished else 0
    head = (
        b"RIFF"
        + struct.pack("<I", 36 + told)
        + b"WAVE"
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    )
    (directory / f"{call}.wav").write_bytes(head + b"data" + struct.pack("<I", told) + audio)


async def test_recordings_are_reported_when_their_calls_have_ended(tmp_path: Path) -> None:
    record(tmp_path, ONE)
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE, TWO), reports)
    (measured,) = reports.taken
    assert isinstance(measured, RecordingMeasured)
    assert (measured.call, [track.seconds for track in measured.tracks]) == (ONE, [0.5])


async def test_consultations_are_reported_with_their_call_when_it_has_ended(tmp_path: Path) -> None:
    for name in (ONE, f"{ONE}-consult-1", f"{ONE}-consult-2"):
        record(tmp_path, name)
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE), reports)
    (measured,) = reports.taken
    assert isinstance(measured, RecordingMeasured)
    assert [track.name for track in measured.tracks] == ["mixed", "consult-1", "consult-2"]


async def test_recording_is_left_for_later_when_it_still_grows(tmp_path: Path) -> None:
    record(tmp_path, ONE, finished=False)
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE), reports)
    assert reports.taken == []


async def test_recording_is_taken_as_it_is_when_nobody_finished_it_in_time(tmp_path: Path) -> None:
    record(tmp_path, ONE, finished=False)
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE, since=UNFINISHED_AFTER * 2), reports)
    assert [type(event) for event in reports.taken] == [RecordingMeasured]


async def test_others_are_measured_when_one_recording_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, ONE)
    record(tmp_path, TWO)
    really = Path.open

    def refuse(path: Path, *arguments: str) -> object:
        if path.name.startswith(ONE):
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE, TWO), reports)
    assert [event.call for event in reports.taken if isinstance(event, RecordingMeasured)] == [TWO]


@pytest.mark.parametrize(
    "fault", [CallflowError("away"), OSError("disk"), sqlite3.OperationalError("locked"), ZeroDivisionError()]
)
async def test_work_goes_on_with_growing_pauses_when_a_pass_fails(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    outcomes: list[Exception | None] = [fault, fault, None, asyncio.CancelledError()]  # type: ignore[list-item]

    async def one_pass() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("callflow.worker.asyncio.sleep", pause)
    with pytest.raises(asyncio.CancelledError):
        await keep_doing("a test", one_pass)
    assert pauses == [1.0, 2.0, 0.5]


async def test_recording_is_given_up_with_its_reason_when_it_never_came(tmp_path: Path) -> None:
    reports = Reports()
    await measure_recordings(tmp_path, Ended(ONE, since=MISSED_AFTER - timedelta(minutes=1)), reports)
    assert reports.taken == []
    long_ago = Ended(ONE, since=MISSED_AFTER)
    await measure_recordings(tmp_path, long_ago, reports)
    await measure_recordings(tmp_path, long_ago, reports, lambda _: "the disk was full")
    told = [event for event in reports.taken if isinstance(event, RecordingMissed)]
    assert [event.reason for event in told] == ["no file came, or none that can be read", "the disk was full"]


async def test_recording_is_given_up_sooner_when_its_trouble_is_known(tmp_path: Path) -> None:
    reports = Reports()
    full = "the disk was full"
    await measure_recordings(tmp_path, Ended(ONE, since=KNOWN_AFTER - timedelta(seconds=5)), reports, lambda _: full)
    await measure_recordings(tmp_path / "gone", Ended(ONE, since=KNOWN_AFTER), reports, lambda _: full)
    assert reports.taken == []  # it is still away, and may come back with the file
    await measure_recordings(tmp_path, Ended(ONE, since=KNOWN_AFTER), reports, lambda _: full)
    assert [event.reason for event in reports.taken if isinstance(event, RecordingMissed)] == [full]


async def test_recording_is_waited_for_while_its_directory_is_gone(tmp_path: Path) -> None:
    reports = Reports()
    gone = tmp_path / "gone"
    await measure_recordings(gone, Ended(ONE, since=MISSED_AFTER), reports)
    assert reports.taken == []
    await measure_recordings(gone, Ended(ONE, since=GIVEN_UP_AFTER), reports)
    (event,) = reports.taken
    assert isinstance(event, RecordingMissed)
    assert "is gone" in event.reason
