"""The calls that `callflow demo --once` places, in memory."""

from __future__ import annotations

from callflow.core.commands import HandBack, Play
from callflow.core.events import DecisionFailed
from callflow.core.facts import CallConnected, CallEnded, CallHandedBack, HangupParty, IvrStepTaken, OfferClosed, Stage
from callflow.core.states import CallState, OfferState, OperatorState

from .phones import answers, never_answers
from .world import World


def steps(world: World, call: str) -> list[tuple[str, str]]:
    return [(fact.node, fact.exit) for fact in world.facts(IvrStepTaken) if fact.call == call]


def test_caller_reaches_an_operator_when_no_key_is_pressed() -> None:
    world = World({"ani": answers(2.0, talks_seconds=20.0)})
    call = world.arrive("a")
    world.run(12.0)
    assert steps(world, call) == [("welcome", "no_input")]
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("ani").state is OperatorState.ON_CALL
    world.run(60.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by, ended.cause) == (Stage.ANSWERED, HangupParty.OPERATOR, 16)
    assert world.at_rest
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_caller_reaches_an_operator_at_once_when_key_2_is_pressed_during_the_greeting() -> None:
    world = World({"ani": answers(2.0)})
    call = world.arrive("a", keys=[(0.8, "2")], hangs_up_after=10.0)
    world.run(5.0)
    assert steps(world, call) == [("welcome", "2")]
    (connected,) = world.facts(CallConnected, call)
    assert connected.operator == "ani"
    assert 2.8 < (connected.at - world.turns[0].event.at).total_seconds() < 3.2
    world.run(60.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ANSWERED, HangupParty.CALLER)
    assert world.at_rest


def test_second_caller_is_joined_when_the_first_call_of_the_only_operator_ends() -> None:
    world = World({"ani": answers(1.0, talks_seconds=20.0)})
    first = world.arrive("a", keys=[(0.5, "2")])
    second = world.arrive("b", keys=[(1.0, "2")])
    world.run(15.0)
    assert world.call(first).state is CallState.CONNECTED
    assert world.call(second).state is CallState.QUEUED
    assert world.offered(second) == []
    world.run(39.0)
    assert world.call(second).state is CallState.CONNECTED
    assert world.heard(second)[-1] == "en/stay_on_line"
    world.run(60.0)
    assert world.at_rest


def test_call_counts_as_abandoned_in_the_queue_when_the_caller_gives_up() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(1.0, "2")], hangs_up_after=8.0)
    world.run(20.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ABANDONED_IN_QUEUE, HangupParty.CALLER)
    (closed,) = world.facts(OfferClosed, call)
    assert closed.outcome is OfferState.WITHDRAWN
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert world.at_rest


def test_call_counts_as_abandoned_in_the_ivr_when_the_caller_hangs_up_during_the_greeting() -> None:
    world = World({"ani": answers()})
    call = world.arrive("a", hangs_up_after=1.0)
    world.run(20.0)
    (ended,) = world.facts(CallEnded, call)
    assert ended.stage is Stage.ABANDONED_IN_IVR
    assert world.offered(call) == []
    assert world.at_rest


def test_caller_reaches_an_operator_when_a_wrong_key_is_pressed_twice() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(1.0, "8"), (3.0, "*")])
    world.run(3.5)
    assert steps(world, call) == [("welcome", "wrong_key")]
    retries = [p.name for play in world.commands(Play, call) for p in play.prompts if p.name == "wrong_key"]
    assert retries == ["wrong_key", "wrong_key"]
    world.run(2.0)
    assert world.call(call).state is CallState.CONNECTED


def test_next_operator_is_rung_when_the_first_does_not_answer() -> None:
    world = World({"ani": never_answers(), "budi": answers(8.0)})
    world.run(1.0)
    world.set_online("budi", online=False)
    call = world.arrive("a", keys=[(0.5, "0")])
    world.run(10.0)
    world.set_online("budi", online=True)
    world.run(6.0)
    assert world.offered(call) == ["ani", "budi"]
    ani = world.operator("ani")
    assert (ani.state, ani.pause) == (OperatorState.PAUSED, "no_answer")
    world.run(3.0)
    assert world.call(call).state is CallState.CONNECTED
    world.run(30.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_last_resort_answers_when_no_phone_is_registered() -> None:
    world = World({"ani": answers()}, outside={"posko": answers(3.0, talks_seconds=5.0)})
    world.set_online("ani", False)
    world.run(1.0)
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    (connected,) = world.facts(CallConnected, call)
    assert (connected.operator, connected.destination) == (None, "posko")
    world.run(30.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ANSWERED, HangupParty.DESTINATION)
    assert world.at_rest


def test_call_is_handed_to_the_dialplan_when_a_decision_failed() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    world.take(DecisionFailed(at=world.schedule.now, call=call, event="KeyPressed", error="KeyError"))
    (handed,) = world.commands(HandBack, call)
    assert (handed.label, handed.step) == ("fallback", "queued")
    assert len(world.facts(CallHandedBack, call)) == 1
    world.run(20.0)
    assert call not in world.switchboard.state.calls
    assert world.operator("ani").state is OperatorState.AVAILABLE
