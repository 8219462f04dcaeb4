"""A connection or an engine that is lost at any stage with a party: who talks goes on, nobody is left alone."""

from __future__ import annotations

import pytest

from callflow.core.commands import EndCall
from callflow.core.events import Whereabouts
from callflow.core.facts import CallConnected, ConsultationEnded, PartyGone, PersonLost
from callflow.core.requests import TalkAction
from callflow.core.states import CallState, OperatorState

from .phones import LOST, answers
from .stages import STAGES, Stage, consulting, in_talk, sought_beside_party, three_way, with_ambulance

_TALKING = (CallState.CONNECTED, CallState.CONSULTING, CallState.THREE_WAY, CallState.AGENCY_ONLY)
INBOUND = sorted(set(STAGES) - {"called_back", "talking_back"})


def has_somebody(stage: Stage) -> bool:
    """Whether the caller hears a person or music, and the switchboard knows which."""
    caller = stage.world.pbx.callers[stage.call]
    legs = [leg for leg in stage.world.pbx.legs.values() if leg.call == stage.call]
    talks = caller.where is Whereabouts.TALKING and any(leg.where is Whereabouts.TALKING for leg in legs)
    if stage.state in (CallState.QUEUED, CallState.CONSULTING):
        return caller.where is Whereabouts.WAITING
    return talks


def finish(stage: Stage) -> None:
    """Everybody goes home: nothing may be left."""
    world = stage.world
    for call in (*world.pbx.callers, *world.pbx.citizens):
        world.pbx.hang_up(call)
    world.run(120.0)
    assert world.at_rest
    held = {OperatorState.OFFERED, OperatorState.ON_CALL, OperatorState.WRAP_UP}
    assert not held & {operator.state for operator in world.switchboard.state.operators.values()}


@pytest.mark.parametrize("name", STAGES)
def test_nothing_changes_when_the_snapshot_says_what_we_know(name: str) -> None:
    stage = STAGES[name]()
    before = stage.world.call(stage.call)
    stage.world.reconnect()
    after = stage.world.call(stage.call)
    assert (after.state, after.person, after.party, after.seeks) == (
        before.state,
        before.person,
        before.party,
        before.seeks,
    )
    stage.world.run(0.5)
    assert stage.state is before.state
    finish(stage)


@pytest.mark.parametrize("name", STAGES)
def test_all_goes_on_when_the_engine_restarts_from_its_checkpoint(name: str) -> None:
    stage = STAGES[name]()
    before = stage.state
    legs = set(stage.world.pbx.legs)
    stage.world.restart(stage.world.checkpoint())
    stage.world.run(0.5)
    assert stage.state is before
    assert set(stage.world.pbx.legs) == legs
    finish(stage)


@pytest.mark.parametrize("name", INBOUND)
def test_caller_has_somebody_when_the_engine_restarts_with_nothing(name: str) -> None:
    stage = STAGES[name]()
    stage.world.restart()
    stage.world.run(1.0)
    assert stage.call in stage.world.switchboard.state.calls
    assert has_somebody(stage)
    stage.world.run(60.0)
    assert has_somebody(stage)
    assert not stage.world.commands(EndCall, stage.call)
    finish(stage)


@pytest.mark.parametrize("builder", [in_talk, three_way, with_ambulance, sought_beside_party])
def test_talk_is_not_disturbed_when_the_engine_restarts_with_nothing(builder: object) -> None:
    stage = builder()  # type: ignore[operator]
    legs = {leg.offer for leg in stage.world.pbx.legs.values() if leg.where is Whereabouts.TALKING}
    stage.world.restart()
    stage.world.run(2.0)
    assert legs <= set(stage.world.pbx.legs)
    assert stage.state in _TALKING
    finish(stage)


@pytest.mark.parametrize("cause", [16, LOST])
@pytest.mark.parametrize("who", ["ani", "budi", "polres"])
@pytest.mark.parametrize("name", INBOUND)
def test_caller_has_somebody_when_anybody_left_while_we_heard_nothing(name: str, who: str, cause: int) -> None:
    stage = STAGES[name]()
    world = stage.world
    world.disconnect()
    if who in {operator.profile.operator for operator in world.switchboard.state.operators.values()} or who == "polres":
        world.hang_up_phone(who, cause)
    world.run(1.0)
    world.reconnect()
    world.run(1.0)
    assert has_somebody(stage) or stage.state is CallState.CONNECTED
    world.run(60.0)
    assert has_somebody(stage)
    finish(stage)


@pytest.mark.parametrize("name", STAGES)
def test_nobody_is_held_when_the_caller_left_while_we_heard_nothing(name: str) -> None:
    stage = STAGES[name]()
    stage.world.disconnect()
    stage.world.pbx.hang_up(stage.call)
    stage.world.run(2.0)
    stage.world.reconnect()
    if name == "called_back":  # a citizen's ringing is in no snapshot, and has a limit
        stage.world.run(50.0)
    assert stage.call not in stage.world.switchboard.state.calls
    finish(stage)


@pytest.mark.parametrize("action", [TalkAction.MERGE, TalkAction.RETURN, TalkAction.LEAVE])
@pytest.mark.parametrize("moment", [0.0, 0.005, 0.02, 0.05, 1.0])
def test_caller_has_somebody_when_the_end_of_a_consultation_is_missed(action: TalkAction, moment: float) -> None:
    stage = consulting()
    assert stage.world.talk("ani", action) is None
    stage.world.run(moment)
    stage.world.disconnect()
    stage.world.run(1.0)
    stage.world.reconnect()
    stage.world.run(10.0)
    assert has_somebody(stage)
    assert stage.state in _TALKING
    finish(stage)


@pytest.mark.parametrize("action", [TalkAction.JOIN, TalkAction.CONSULT, TalkAction.TRANSFER])
@pytest.mark.parametrize("moment", [0.0, 0.02, 0.3, 0.52, 0.54, 0.56, 0.6, 1.5])
@pytest.mark.parametrize("restarts", [False, True])
def test_caller_has_somebody_when_the_beginning_is_missed(action: TalkAction, moment: float, restarts: bool) -> None:
    """With a party that answers meanwhile; the engine is there again, or rebuilt from the checkpoint of before."""
    stage = in_talk(outside={"polres": answers(0.5), "polsek": answers(0.5)})
    checkpoint = stage.world.checkpoint()
    assert stage.world.talk("ani", action, "polisi") is None
    stage.world.run(moment)
    stage.world.disconnect()
    stage.world.run(0.5)
    if restarts:
        stage.world.restart(checkpoint)
    else:
        stage.world.reconnect()
    stage.world.run(20.0)
    assert has_somebody(stage)
    finish(stage)


@pytest.mark.parametrize("name", INBOUND)
def test_call_seeks_a_person_again_when_a_watchdog_took_it_and_brings_it_back(name: str) -> None:
    stage = STAGES[name]()
    stage.world.return_through_dialplan(stage.call, step=str(stage.state))
    stage.world.run(5.0)
    assert has_somebody(stage)
    finish(stage)


@pytest.mark.parametrize("name", STAGES)
def test_everybody_is_let_go_when_the_dialplan_takes_the_caller(name: str) -> None:
    stage = STAGES[name]()
    if stage.call in stage.world.pbx.callers:
        stage.world.pbx.take_back(stage.call)
    stage.world.run(90.0)
    assert not stage.world.switchboard.state.calls
    assert not stage.world.pbx.legs


def test_consultation_that_was_lost_with_the_tail_of_the_journal_is_over() -> None:
    stage = in_talk(outside={"polres": answers(0.5)})
    checkpoint = stage.world.checkpoint()
    stage.world.talk("ani", TalkAction.CONSULT, "polisi")
    stage.world.run(3.0)
    assert stage.state is CallState.CONSULTING
    stage.world.restart(checkpoint)
    stage.world.run(20.0)
    assert has_somebody(stage)
    assert stage.state in _TALKING
    finish(stage)


def test_facts_are_told_once_when_a_snapshot_comes_twice() -> None:
    stage = consulting()
    for _ in range(2):
        stage.world.reconnect()
    assert not stage.world.facts(ConsultationEnded)
    assert not stage.world.facts(PartyGone)
    assert not stage.world.facts(PersonLost)
    assert len(stage.world.facts(CallConnected, stage.call)) == 1
