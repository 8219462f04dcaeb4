from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callflow.engine import clock as module
from callflow.engine.clock import Clock


class _SetAnew(datetime):
    """A wall clock that somebody sets an hour ahead."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + cls.ahead


def test_time_is_aware_utc_and_never_goes_back() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)
    assert all(at.utcoffset() == timedelta(0) for at in times)
    assert abs(datetime.now(UTC) - times[-1]) < timedelta(seconds=5)


def test_time_goes_on_evenly_and_the_drift_is_told_when_the_wall_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "datetime", _SetAnew)
    clock = Clock()
    before = clock.now()
    assert abs(clock.drift_seconds()) < 5
    monkeypatch.setattr(_SetAnew, "ahead", timedelta(hours=1))
    assert clock.now() - before < timedelta(seconds=5)
    assert clock.drift_seconds() == pytest.approx(3600, abs=5)


def test_next_engine_goes_on_with_the_same_clock_when_the_wall_clock_was_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "datetime", _SetAnew)
    monkeypatch.setattr(_SetAnew, "ahead", timedelta())
    place = tmp_path / "run" / "clock.json"
    before = Clock(place)
    monkeypatch.setattr(_SetAnew, "ahead", timedelta(hours=-24))
    after = Clock(place)
    assert abs(after.now() - before.now()) < timedelta(seconds=5)
    assert after.drift_seconds() == pytest.approx(-86400, abs=5)
    assert after.follow() - after.now() > timedelta(hours=23)
    assert abs(Clock(place).drift_seconds()) < 5


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"boot": "another", "anchor": "2020-01-01T00:00:00+00:00", "started": 1}', '{"boot": 1}', "torn\0"],
)
def test_clock_begins_with_the_wall_clock_when_the_one_of_before_says_nothing(tmp_path: Path, content: str) -> None:
    place = tmp_path / "clock.json"
    place.write_text(content, encoding="utf-8")
    assert abs(Clock(place).drift_seconds()) < 5


def test_anchor_without_a_zone_is_no_anchor(tmp_path: Path) -> None:
    place = tmp_path / "clock.json"
    Clock(place)
    kept = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps(kept | {"anchor": "2020-01-01T00:00:00"}), encoding="utf-8")
    assert abs(Clock(place).drift_seconds()) < 5


def test_clock_runs_when_it_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert abs(Clock(tmp_path / "file" / "clock.json").drift_seconds()) < 5


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-1)])
def test_arrival_told_by_the_wall_clock_is_as_long_ago_when_that_was_set(
    monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    monkeypatch.setattr(module, "datetime", _SetAnew)
    monkeypatch.setattr(_SetAnew, "ahead", timedelta())
    clock = Clock()
    assert clock.from_wall(clock.now() - timedelta(seconds=30)) == pytest.approx(
        clock.now() - timedelta(seconds=30), abs=timedelta(seconds=2)
    )
    monkeypatch.setattr(_SetAnew, "ahead", ahead)
    arrived = clock.from_wall(_SetAnew.now() - timedelta(seconds=30))
    assert timedelta(seconds=29) < clock.now() - arrived < timedelta(seconds=32)
    assert clock.from_wall(_SetAnew.now() + timedelta(seconds=30)) <= clock.now()
