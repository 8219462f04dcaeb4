"""The machine's wall clock is set while calls run: Asterisk, the engine and all else read it, and nobody notices."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.core.facts import Stage as Outcome
from callflow.demo.audio import longest_silence_seconds
from callflow.demo.cast import OPERATOR_HZ, SECOND_CALLER_HZ, Cast, Placed
from callflow.demo.layout import lay_out
from callflow.demo.observer import NotSeen
from callflow.demo.ports import free_port
from callflow.demo.stage import Stage, set_stage

from ..faults.clock import FakedClock  # noqa: TID252
from ..history.findings import Rule  # noqa: TID252
from .aftermath import journal_faults, leftovers, send_straight_to_people, whole_records

HOUR = 3600.0
RTP_LOOK_SECONDS = 10.0
"""Asterisk looks for phones that are silent within so long, by its own clock."""
LONGEST_SILENCE_SECONDS = 3.0


@pytest_asyncio.fixture
async def wall(tmp_path: Path) -> FakedClock:
    return FakedClock(tmp_path / "centre" / "wall")


@pytest_asyncio.fixture
async def stage(tmp_path: Path, wall: FakedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    layout = lay_out(tmp_path / "centre", http_port=free_port(), queue={"wrap_up_seconds": 0.0})
    with monkeypatch.context() as patch:
        for name, value in wall.environment.items():
            patch.setenv(name, value)
        running = set_stage(layout, print)
        stage = await running.__aenter__()
    assert "LD_PRELOAD" not in os.environ
    try:
        await send_straight_to_people(layout)
        yield stage
    finally:
        await running.__aexit__(None, None, None)


@pytest.mark.broken_history("CEL is written by the wall clock, which is set here", Rule.NEVER_NOBODY)
@pytest.mark.parametrize("seconds", [-HOUR, pytest.param(HOUR, marks=pytest.mark.long)])
async def test_calls_go_on_and_records_add_up_when_the_clock_is_set(
    stage: Stage, cast: Cast, wall: FakedClock, seconds: float
) -> None:
    await cast.on_duty("siti")
    await cast.answers("siti")
    talking = await cast.dial()
    person = await cast.picked_up("siti")
    await cast.fact(talking, "CallConnected", operator="siti")
    waiting = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await cast.fact(waiting, "CallQueued")

    jumped_at = len(cast.observer.facts)
    wall.set_by(seconds)
    await cast.observer.until(
        "the alarm", lambda snapshot: "clock_jumped" in {alarm["kind"] for alarm in snapshot["alarms"]}
    )
    late = await cast.dial()
    await cast.fact(late, "CallQueued")
    others = [waiting, late]
    if seconds > 0 and await _was_lost(cast, talking):
        others.append(talking)
    else:
        await cast.talk_to_the_end(talking, person, OPERATOR_HZ["siti"])
    for placed in others:
        await cast.fact(placed, "CallConnected", after=jumped_at)
        heard = await placed.phone.wait_recording()
        await placed.phone.wait_heard(time.monotonic() - heard.started_monotonic + 1.5)
        await placed.phone.hang_up()
    assert cast.failures == []

    records = await whole_records(stage.layout, [talking.call, waiting.call, late.call])
    for record in records:
        call = record.call
        assert call.stage is Outcome.ANSWERED
        assert call.answered_at is not None
        assert call.ended_at is not None
        assert call.arrived_at <= call.answered_at <= call.ended_at <= call.arrived_at + timedelta(minutes=2)
    for placed in (talking, waiting, late):
        assert placed.phone.recording is not None
        assert longest_silence_seconds(placed.phone.recording.path) < LONGEST_SILENCE_SECONDS
    assert [each.call.arrived_at for each in records] == sorted(each.call.arrived_at for each in records)
    assert await leftovers(stage) == []
    assert journal_faults(stage.layout, [talking.call, waiting.call, late.call]) == []


async def _was_lost(cast: Cast, placed: Placed) -> bool:
    """Whether Asterisk took the operator's phone for silent, as it does unless sound comes just then."""
    try:
        await cast.fact(placed, "PersonLost", seconds=RTP_LOOK_SECONDS)
    except NotSeen:
        return False
    return True
