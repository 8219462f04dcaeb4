"""A machine's clock that is set while the engine runs: noticed, told, and followed once no call is live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.faults import ClockSet
from callflow.engine.clock import Clock
from callflow.engine.clock_watch import STEADY_SECONDS, ClockWatch

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = 3600.0


class SetClock(Clock):
    """Stands still, with a wall clock that the test sets."""

    def __init__(self) -> None:
        self.shows = NOON
        self.wall = NOON

    def now(self) -> datetime:
        return self.shows

    def drift_seconds(self) -> float:
        return (self.wall - self.shows).total_seconds()

    def follow(self) -> datetime:
        before, self.shows = self.shows, self.wall
        return before


class Bench:
    def __init__(self) -> None:
        self.clock = SetClock()
        self.quiet = True
        self.taken: list[ClockSet] = []
        self.watch = ClockWatch(self.clock, lambda: self.quiet, self.taken.append)

    def set_by(self, seconds: float) -> None:
        self.clock.wall += timedelta(seconds=seconds)

    def look(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.watch.look()

    async def alarms(self) -> list[str]:
        return [fault.detail for fault in await self.watch.watch.look()]


async def test_nothing_is_told_while_the_clock_wanders_as_clocks_do() -> None:
    bench = Bench()
    bench.set_by(1.9)
    bench.look(200)
    assert (await bench.alarms(), bench.taken) == ([], [])


@pytest.mark.parametrize(("seconds", "words"), [(HOUR, "3600 s ahead"), (-HOUR, "3600 s back"), (-86400, "back")])
async def test_engine_follows_when_the_clock_was_set_and_stayed_so_for_a_minute(seconds: float, words: str) -> None:
    bench = Bench()
    bench.set_by(seconds)
    bench.look(STEADY_SECONDS)
    [alarm] = await bench.alarms()
    assert words in alarm
    assert bench.taken == []
    bench.look(1)
    assert bench.taken == [ClockSet(at=NOON + timedelta(seconds=seconds), before=NOON)]
    assert await bench.alarms() == []
    bench.look(200)
    assert len(bench.taken) == 1


async def test_engine_keeps_its_time_while_a_call_is_live() -> None:
    bench = Bench()
    bench.quiet = False
    bench.set_by(-HOUR)
    bench.look(1000)
    assert bench.taken == []
    assert len(await bench.alarms()) == 1
    bench.quiet = True
    bench.look(1)
    assert len(bench.taken) == 1


async def test_engine_keeps_its_time_when_the_clock_is_set_to_and_fro() -> None:
    bench = Bench()
    for _ in range(10):
        bench.set_by(HOUR)
        bench.look(30)
        bench.set_by(-HOUR)
        bench.look(30)
    assert bench.taken == []
    assert await bench.alarms() == []


def test_alarm_is_one_that_others_may_raise() -> None:
    assert Bench().watch.watch.answers_for(AlarmKind.CLOCK_JUMPED, "")
