"""The engine stands still at any stage, whatever is under way: what was to be sent is forgotten, nobody is lost."""

from __future__ import annotations

import pytest

from callflow.core.commands import EndCall, JoinLegs, OfferCall
from callflow.core.facts import CallConnected, CallQueued, PersonLost
from callflow.core.states import CallState

from .phones import answers, never_answers
from .stages import STAGES
from .test_resync import finish, has_somebody
from .world import World

TALKING = (CallState.CONNECTED, CallState.CONSULTING, CallState.THREE_WAY, CallState.AGENCY_ONLY)
STILL_SECONDS = 5.0


@pytest.mark.parametrize("name", STAGES)
def test_talk_goes_on_and_nothing_is_undone_when_the_engine_stands_still(name: str) -> None:
    stage = STAGES[name]()
    before = stage.state
    stage.world.freeze(STILL_SECONDS)
    stage.world.run(0.5)
    if before in TALKING:
        assert stage.state is before
        assert has_somebody(stage)
    assert not stage.world.facts(PersonLost, stage.call)
    assert not stage.world.commands(EndCall, stage.call)
    finish(stage)


@pytest.mark.parametrize("moment", [seconds / 20 for seconds in range(0, 120, 3)])
def test_caller_reaches_the_operator_when_the_engine_stands_still_at_any_moment_before(moment: float) -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.2)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(moment)
    world.freeze(STILL_SECONDS)
    world.run(40.0)
    assert world.call(call).state is CallState.CONNECTED
    assert len(world.facts(CallConnected, call)) == 1
    world.pbx.hang_up(call)
    world.run(120.0)
    assert world.at_rest


@pytest.mark.parametrize("milliseconds", range(0, 30, 2))
def test_nobody_is_left_between_when_the_engine_stands_still_while_two_are_being_joined(milliseconds: int) -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(JoinLegs, call):
        world.run(0.001)
    world.run(milliseconds / 1000)
    world.freeze(STILL_SECONDS)
    world.run(30.0)
    assert world.call(call).state is CallState.CONNECTED
    assert not world.pbx.callers[call].longest_silence_seconds > STILL_SECONDS


def test_phone_that_was_to_ring_is_rung_when_the_engine_stood_still_before_it_could_say_so() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(OfferCall, call):
        world.run(0.001)
    assert not world.pbx.legs
    world.freeze(STILL_SECONDS)
    world.run(60.0)
    assert world.call(call).state is CallState.CONNECTED


def test_phone_that_rang_too_long_meanwhile_gives_way_after_stock_was_taken() -> None:
    world = World({"ani": never_answers(), "budi": answers(1.0)}, signed_in=False)
    world.sign_in("ani")
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.sign_in("budi")
    assert len(world.pbx.legs) == 1
    world.freeze(30.0)
    world.run(10.0)
    assert world.call(call).state is CallState.CONNECTED


def test_places_in_line_are_kept_when_the_engine_stands_still() -> None:
    world = World({})
    calls = [world.arrive(name, keys=[(0.5, "2")]) for name in "abc"]
    world.run(3.0)
    assert all(world.facts(CallQueued, call) for call in calls)
    world.freeze(STILL_SECONDS)
    world.run(1.0)
    assert [call.call for call in world.switchboard.state.calls.values()] == calls
    assert all(world.call(call).state is CallState.QUEUED for call in calls)
