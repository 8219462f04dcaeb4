from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

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
