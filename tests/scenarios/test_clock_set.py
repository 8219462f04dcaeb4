"""The engine's clock follows the machine's between calls: whatever runs goes on for as long as it would have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callflow.core.events import CallArrived
from callflow.core.facts import CallConnected
from callflow.core.faults import ClockSet
from callflow.core.ids import CallId, ChannelId, OperatorId
from callflow.core.roster import Roster, Shift
from callflow.core.states import CallState
from callflow.core.timers import TimerKind

from .phones import answers, never_answers
from .world import World

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("moved", [HOUR, -HOUR, timedelta(days=-1)])
def test_set_aside_operator_is_back_as_soon_when_the_clock_is_set(moved: timedelta) -> None:
    world = World({"ani": never_answers(), "budi": answers(0.5, talks_seconds=1.0)})
    world.arrive("a", keys=[(0.5, "2")], hangs_up_after=60.0)
    world.run(40.0)
    timers = dict(world.switchboard.state.timers)
    assert timers
    before = world.schedule.now
    world.take(ClockSet(at=before + moved, before=before))
    after = world.switchboard.state.timers
    for key, running in timers.items():
        if running.timer.kind is not TimerKind.SEATS:
            assert after[key].due - running.due == moved
    since = {operator.since for operator in world.switchboard.state.operators.values()}
    assert all(at <= before + moved for at in since)


def test_next_caller_is_served_when_the_clock_was_set() -> None:
    world = World({"ani": answers(0.5)})
    now = world.schedule.now
    world.take(ClockSet(at=now, before=now + HOUR))
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED
    (connected,) = world.facts(CallConnected, call)
    assert connected.at >= world.call(call).arrived_at


def test_call_arrives_when_it_is_met_when_asterisks_clock_is_ahead() -> None:
    world = World({"ani": never_answers()})
    world.arrive("a")
    now = world.schedule.now
    (met,) = [turn.event for turn in world.turns if isinstance(turn.event, CallArrived)]
    late = replace(met, call=CallId("node1-b"), channel=ChannelId("chan-b"), at=now, arrived_at=now + HOUR)
    world.take(late)
    assert world.call(late.call).arrived_at == now


@pytest.mark.parametrize("moved", [HOUR, -HOUR])
def test_callback_and_the_citizens_old_place_last_as_long_when_the_clock_was_set(moved: timedelta) -> None:
    world = World({"ani": never_answers()})
    world.arrive("a", keys=[(0.2, "2")], number="+6281200001", hangs_up_after=5.0)
    world.run(6.0)
    (callback,) = world.switchboard.state.callbacks.values()
    (recall,) = world.switchboard.state.recalls.values()
    now = world.schedule.now
    world.take(ClockSet(at=now + moved, before=now))
    (later,) = world.switchboard.state.callbacks.values()
    assert (later.opened_at - callback.opened_at, later.deadline - callback.deadline) == (moved, moved)
    assert [again.place_at - recall.place_at for again in world.switchboard.state.recalls.values()] == [moved]


def test_shift_begins_by_the_clock_itself_when_that_was_set() -> None:
    world = World({"ani": answers()})
    nine = Shift(
        name="pagi",
        days=frozenset(range(7)),
        from_minute=540,
        to_minute=1020,
        operators=(OperatorId("ani"),),
        seats=None,
    )
    world.change_roster(Roster(shifts=(nine,)))  # the world begins at eight
    now = world.schedule.now
    (due,) = [
        running.due for running in world.switchboard.state.timers.values() if running.timer.kind is TimerKind.SEATS
    ]
    world.take(ClockSet(at=now + HOUR / 2, before=now))
    (after,) = [each.due for each in world.switchboard.state.timers.values() if each.timer.kind is TimerKind.SEATS]
    assert after == due
