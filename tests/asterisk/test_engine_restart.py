"""The engine is killed while one caller talks and another waits: the talk goes on, and the one who waits is served."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest_asyncio

from callflow.core.facts import HangupParty
from callflow.core.facts import Stage as Outcome
from callflow.demo.audio import longest_silence_seconds
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, SECOND_CALLER_HZ, Cast
from callflow.demo.stage import Stage, wait_for_engine
from callflow.engine.client import EngineClient
from callflow.flows.default import default_flow_text

from .aftermath import (
    faults_of_recording,
    journal_faults,
    leftovers,
    reconciled_funnel,
    send_straight_to_people,
    whole_records,
)

LONGEST_GAP_SECONDS = 1.0
OF_THE_KILL = ("Web socket closed abruptly", "WebSocket read error")
"""What Asterisk says of an engine that was killed."""
TALK_SECONDS = 8.0
"""Well past the time at which the new engine is there."""


@pytest_asyncio.fixture
async def stage(stage: Stage) -> Stage:
    """Callers go straight to people."""
    await send_straight_to_people(stage.layout)
    return stage


async def test_talk_goes_on_and_the_waiter_is_served_when_the_engine_is_killed(stage: Stage, cast: Cast) -> None:
    """Without the watchdog, which hands the waiter to the fallback where the next engine comes after more than 3 s."""
    layout = stage.layout
    await stage.supervisor.stop("watchdog")
    await cast.on_duty("siti")
    await cast.answers("siti")
    talking = await cast.dial()
    person = await cast.picked_up("siti")
    await cast.fact(talking, "CallConnected", operator="siti")
    waiting = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await cast.fact(waiting, "CallQueued")
    await cast.talk(talking, person, 1.0)

    killed = stage.supervisor.pids["engine"]
    os.kill(killed, signal.SIGKILL)
    await _restarted(stage, killed)
    await cast.observer.until("both calls known again", lambda snapshot: _states(snapshot) == ["connected", "queued"])
    await person.wait_heard(TALK_SECONDS)
    assert talking.phone.end is None
    assert waiting.phone.end is None

    await talking.phone.hang_up()
    await person.wait_ended()
    next_person = await cast.picked_up("siti")
    await cast.talk(waiting, next_person)
    await waiting.phone.hang_up()
    await next_person.wait_ended()

    cast.heard_each_other(talking, person, CALLER_HZ, OPERATOR_HZ["siti"])
    cast.heard_each_other(waiting, next_person, SECOND_CALLER_HZ, OPERATOR_HZ["siti"])
    assert cast.failures == []
    records = await whole_records(layout, [talking.call, waiting.call])
    for record in records:
        assert faults_of_recording(layout, record) == []
        call = record.call
        assert (call.stage, call.operator, call.ended_by) == (Outcome.ANSWERED, "siti", HangupParty.CALLER)
        assert not call.fallback
        asked = [
            offer.outcome for offer in record.offers if offer.operator == "siti"
        ]  # others ring who are not on duty
        assert asked == ["answered"]
        # nobody was in silence for longer than a breath: the talk and the music went on without an engine
        out = layout.settings.recordings_dir / f"{call.call_id}-out.wav"
        assert longest_silence_seconds(out) < LONGEST_GAP_SECONDS
    assert (await reconciled_funnel(layout, records)).answered == 2
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, [talking.call, waiting.call]) == []
    assert [line for line in stage.server.log_faults() if not any(words in line for words in OF_THE_KILL)] == []


FROZEN_SECONDS = 5.0
OF_THE_FREEZE = ("Web socket", "WebSocket")
"""What Asterisk says of an engine that does not read."""


async def test_nobody_is_lost_or_disturbed_when_the_engine_stands_still_for_five_seconds(
    stage: Stage, cast: Cast
) -> None:
    """One talks, one waits, one is in the menu when the engine is stopped; it notices, takes stock, and serves them.

    Without the watchdog, which would have handed the two who wait to the fallback by then.
    """
    layout = stage.layout
    await stage.supervisor.stop("watchdog")
    await cast.on_duty("siti")
    await cast.answers("siti")
    talking = await cast.dial()
    person = await cast.picked_up("siti")
    await cast.fact(talking, "CallConnected", operator="siti")
    waiting = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await cast.fact(waiting, "CallQueued")
    async with EngineClient(layout.settings.engine_socket) as engine:
        await engine.publish_flow(default_flow_text(), "test")
    choosing = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await cast.talk(talking, person, 1.0)

    frozen = stage.supervisor.pids["engine"]
    os.kill(frozen, signal.SIGSTOP)
    await person.wait_heard(FROZEN_SECONDS)
    os.kill(frozen, signal.SIGCONT)
    raised = await cast.observer.wait(
        "the alarm", lambda fact: fact["type"] == "AlarmRaised" and fact["kind"] == "stalled"
    )
    assert "stood still for" in raised["detail"]
    await cast.observer.until(
        "all three in place", lambda snapshot: _states(snapshot) == ["connected", "queued", "queued"]
    )
    assert stage.supervisor.pids["engine"] == frozen
    assert [placed.phone.end for placed in (talking, waiting, choosing)] == [None, None, None]

    await talking.phone.hang_up()
    await person.wait_ended()
    for placed in (waiting, choosing):
        next_person = await cast.picked_up("siti")
        await cast.talk(placed, next_person)
        await placed.phone.hang_up()
        await next_person.wait_ended()
        cast.heard_each_other(placed, next_person, SECOND_CALLER_HZ, OPERATOR_HZ["siti"])

    cast.heard_each_other(talking, person, CALLER_HZ, OPERATOR_HZ["siti"])
    assert cast.failures == []
    calls = [placed.call for placed in (talking, waiting, choosing)]
    records = await whole_records(layout, calls)
    for record in records:
        assert faults_of_recording(layout, record) == []
        assert (record.call.stage, record.call.ended_by) == (Outcome.ANSWERED, HangupParty.CALLER)
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, calls) == []
    assert [line for line in stage.server.log_faults() if not any(words in line for words in OF_THE_FREEZE)] == []


async def _restarted(stage: Stage, killed: int) -> None:
    """Wait until the supervisor has put another engine in the place of the one that was killed."""
    changed = asyncio.Event()
    describe = stage.supervisor.on_change

    def tell() -> None:
        describe()
        changed.set()

    stage.supervisor.on_change = tell
    async with asyncio.timeout(20):
        while stage.supervisor.pids.get("engine") in {None, killed}:
            changed.clear()
            await changed.wait()
    await wait_for_engine(stage.layout)


def _states(snapshot: dict[str, Any]) -> list[str]:
    return sorted(call["state"] for call in snapshot["calls"])
