from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callflow.core.events import Event
from callflow.core.ids import CallId
from callflow.core.reports import FallbackWitnessed
from callflow.errors import CallflowError
from callflow.witnessed import (
    FallbackReader,
    HandedBackReader,
    UnrecordedReader,
)

from .asterisk.cel_rows import SERVED, cut_off, write_cel


class Reports:
    """Takes reports; raises while the engine is away."""

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.away = False

    async def __call__(self, event: Event) -> None:
        if self.away:
            raise CallflowError("the engine does not answer")
        self.taken.append(event)


async def test_fallback_call_is_reported_once_when_there_are_several_passes(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    for _ in range(2):
        await FallbackReader(tmp_path / "cel.db", tmp_path / "place", reports).one_pass()
    (witnessed,) = reports.taken
    assert isinstance(witnessed, FallbackWitnessed)
    assert witnessed.answered_by == "op-siti"


async def test_fallback_call_is_reported_later_when_the_engine_is_away(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    reports.away = True
    reader = FallbackReader(tmp_path / "cel.db", tmp_path / "place", reports)
    with pytest.raises(CallflowError):
        await reader.one_pass()
    reports.away = False
    await reader.one_pass()
    assert len(reports.taken) == 1


async def test_fallback_call_is_reported_once_while_the_place_cannot_be_written(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    (tmp_path / "place.part").mkdir()  # stands in the way of whoever writes
    reader = FallbackReader(tmp_path / "cel.db", tmp_path / "place", reports)
    for _ in range(3):
        await reader.one_pass()
    (tmp_path / "place.part").rmdir()
    assert len(reports.taken) == 1
    assert not (tmp_path / "place").exists()


async def test_handed_back_call_is_told_once_while_the_database_still_shows_it_open(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", [row for row in SERVED if "CALLFLOW_FALLBACK" not in row])
    reports = Reports()

    async def open_calls(limit: int) -> list[CallId]:
        assert limit
        return [CallId("banyuwangi-1795409246.0")]

    reader = HandedBackReader(tmp_path / "cel.db", open_calls, reports)
    reports.away = True
    with pytest.raises(CallflowError):
        await reader.one_pass()
    reports.away = False
    for _ in range(3):
        await reader.one_pass()
    assert len(reports.taken) == 1


async def test_cel_is_read_from_its_beginning_when_the_place_is_no_number(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", SERVED)
    (tmp_path / "place").write_text("")
    reports = Reports()
    await FallbackReader(tmp_path / "cel.db", tmp_path / "place", reports).one_pass()
    assert len(reports.taken) == 1


class Known:
    """The database and the engine, as the reader of unrecorded callers asks them."""

    def __init__(self, *calls: str) -> None:
        self.calls = calls
        self.in_charge = True
        self.caught_up_at: datetime | None = datetime.now(UTC) + timedelta(seconds=60)

    async def recorded(self, calls: Collection[CallId]) -> Collection[CallId]:
        return [call for call in calls if call in self.calls]

    async def health(self) -> Mapping[str, Any]:
        return {"in_charge": self.in_charge}

    def reader(self, directory: Path, reports: Reports) -> UnrecordedReader:
        return UnrecordedReader(
            directory / "cel.db",
            directory / "place",
            reports,
            recorded=self.recorded,
            caught_up_at=lambda: self.caught_up_at,
            health=self.health,
        )


@pytest.mark.parametrize("known", [(), (SERVED[0][2],)], ids=["in no record", "in a record"])
async def test_caller_is_told_of_once_when_no_record_has_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: tuple[str, ...]
) -> None:
    monkeypatch.setattr("callflow.witnessed.LOOKED_BACK", timedelta(days=36500))
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    for _ in range(2):
        await Known(*known).reader(tmp_path, reports).one_pass()
    told = [event.call for event in reports.taken if isinstance(event, FallbackWitnessed)]
    assert told == ([] if known else [SERVED[0][2]])


async def test_caller_is_told_of_when_asterisk_died_and_no_engine_had_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.witnessed.LOOKED_BACK", timedelta(days=36500))
    write_cel(tmp_path / "cel.db", cut_off())
    reports = Reports()
    for _ in range(2):
        await Known().reader(tmp_path, reports).one_pass()
    (told,) = reports.taken
    assert isinstance(told, FallbackWitnessed)
    assert (told.call, told.hung_up_by, told.cause) == (SERVED[0][2], None, 0)


async def test_nobody_is_told_of_when_a_record_may_still_come(tmp_path: Path) -> None:
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    for caught_up_at, in_charge in (
        (None, True),  # the database does not keep up
        (datetime.now(UTC) + timedelta(seconds=60), False),
        (datetime.now(UTC), True),  # the engine is only just in charge
    ):
        known = Known()
        known.caught_up_at, known.in_charge = caught_up_at, in_charge
        await known.reader(tmp_path, reports).one_pass()
    assert reports.taken == []
    assert not (tmp_path / "place").exists()


async def test_caller_is_told_of_later_when_the_engine_goes_away_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.witnessed.LOOKED_BACK", timedelta(days=36500))
    write_cel(tmp_path / "cel.db", SERVED)
    reports = Reports()
    reports.away = True
    reader = Known().reader(tmp_path, reports)
    with pytest.raises(CallflowError):
        await reader.one_pass()
    reports.away = False
    await reader.one_pass()
    assert len(reports.taken) == 1
