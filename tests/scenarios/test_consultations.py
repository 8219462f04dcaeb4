"""Consultations: the operator speaks with a party alone, into a recording of its own; the caller hears music."""

from __future__ import annotations

import pytest

from callflow.core.commands import HoldCaller, RecordBridge, Refusal
from callflow.core.events import Whereabouts
from callflow.core.facts import (
    CallEnded,
    CallQueued,
    ConsultationBegan,
    ConsultationEnded,
    HangupParty,
    OperatorLeft,
    PartyEnd,
    PartyGone,
    PartyJoined,
    QueueReason,
)
from callflow.core.ids import OfferId
from callflow.core.requests import TalkAction
from callflow.core.states import CallState, OperatorState

from .phones import LOST, answers, never_answers, says_nothing
from .stages import Stage, consultation_rings, consulting, consulting_colleague, in_talk
from .world import World


def where(stage: Stage) -> dict[str, Whereabouts]:
    """Where caller, operator and party are."""
    pbx = stage.world.pbx
    return {"caller": pbx.callers[stage.call].where} | {leg.phone: leg.where for leg in pbx.legs.values()}


def test_caller_hears_music_while_operator_and_party_speak_alone() -> None:
    stage = consulting()
    world, call = stage.world, stage.call
    alone = Whereabouts.CONSULTING
    assert where(stage) == {"caller": Whereabouts.WAITING, "op-ani": alone, "110": alone}
    assert world.heard(call)[-2:] == ["id/party_please_wait", "en/party_please_wait"]
    world.run(60.0)
    assert stage.state is CallState.CONSULTING


def test_operator_and_caller_talk_on_while_the_party_rings() -> None:
    stage = consultation_rings()
    assert stage.state is CallState.CONNECTED
    assert where(stage)["caller"] is Whereabouts.TALKING
    assert not stage.world.commands(HoldCaller)[1:]


def test_each_consultation_is_recorded_by_itself() -> None:
    stage = consulting()
    world, call = stage.world, stage.call
    assert world.talk("ani", TalkAction.RETURN) is None
    world.run(1.0)
    assert world.talk("ani", TalkAction.CONSULT, "budi") is None
    world.run(2.0)
    assert stage.state is CallState.CONSULTING
    names = [f"{call}-consult-1", f"{call}-consult-2"]
    assert [command.name for command in world.commands(RecordBridge, call)] == names
    assert world.pbx.recordings == names
    assert [(fact.number, fact.name) for fact in world.facts(ConsultationBegan, call)] == [(1, "polisi"), (2, "budi")]
    assert [fact.number for fact in world.facts(ConsultationEnded, call)] == [1]


@pytest.mark.parametrize("target", ["polisi", "budi"])
def test_all_three_talk_when_the_operator_merges(target: str) -> None:
    stage = consulting(target)
    world, call = stage.world, stage.call
    assert world.talk("ani", TalkAction.MERGE) is None
    world.run(1.0)
    assert stage.state is CallState.THREE_WAY
    assert set(where(stage).values()) == {Whereabouts.TALKING}
    assert world.facts(PartyJoined, call)[-1].three_way
    assert len(world.pbx.bridges) == 1


@pytest.mark.parametrize("action", [TalkAction.RETURN, TalkAction.DROP])
def test_operator_is_back_with_the_caller_when_the_party_is_let_go(action: TalkAction) -> None:
    stage = consulting()
    assert stage.world.talk("ani", action) is None
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert where(stage) == {"caller": Whereabouts.TALKING, "op-ani": Whereabouts.TALKING}
    assert [fact.reason for fact in stage.world.facts(PartyGone)] == [PartyEnd.DROPPED]
    assert len(stage.world.pbx.bridges) == 1


def test_caller_and_party_talk_on_when_the_operator_leaves_out_of_the_consultation() -> None:
    """An attended transfer to an agency: three-way for a moment, so that nobody is ever alone."""
    stage = consulting()
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(1.0)
    assert stage.state is CallState.AGENCY_ONLY
    assert [fact.confirmed for fact in stage.world.facts(OperatorLeft)] == [True]
    assert stage.world.operator("ani").state is OperatorState.WRAP_UP
    stage.world.run(60.0)
    assert stage.state is CallState.AGENCY_ONLY


def test_colleague_has_the_caller_when_the_operator_leaves_out_of_the_consultation() -> None:
    stage = consulting_colleague()
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(1.0)
    assert (stage.state, stage.world.operator("budi").call) == (CallState.CONNECTED, stage.call)
    stage.world.run(2.0)
    stage.world.hang_up_phone("budi")
    stage.world.run(1.0)
    assert [fact.ended_by for fact in stage.world.facts(CallEnded)] == [HangupParty.OPERATOR]


@pytest.mark.parametrize("cause", [16, LOST])
def test_colleague_has_the_caller_when_the_consulting_operator_is_gone(cause: int) -> None:
    stage = consulting_colleague()
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(1.0)
    assert (stage.state, stage.world.operator("budi").call) == (CallState.CONNECTED, stage.call)
    assert where(stage) == {"caller": Whereabouts.TALKING, "op-budi": Whereabouts.TALKING}
    assert len(stage.world.pbx.bridges) == 1


@pytest.mark.parametrize("cause", [16, LOST])
def test_caller_is_joined_with_the_agency_when_the_consulting_operator_is_gone(cause: int) -> None:
    stage = consulting(operators={"ani": answers(0.5), "budi": answers(4.0)})
    stage.world.set_online("ani", online=False)
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(1.0)
    assert stage.state is CallState.AGENCY_ONLY
    stage.world.run(6.0)
    assert (stage.state, stage.world.operator("budi").call) == (CallState.THREE_WAY, stage.call)


@pytest.mark.parametrize("cause", [16, LOST])
def test_operator_is_back_with_the_caller_when_the_party_is_gone(cause: int) -> None:
    stage = consulting()
    stage.world.hang_up_phone("polres", cause)
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.phone("ani").whispers == ["party_left"]
    assert where(stage) == {"caller": Whereabouts.TALKING, "op-ani": Whereabouts.TALKING}


def test_next_destination_is_consulted_when_the_first_hangs_up_without_a_word() -> None:
    stage = in_talk(outside={"polres": says_nothing(0.5, talks_seconds=3.0), "polsek": answers(2.0)})
    stage.world.talk("ani", TalkAction.CONSULT, "polisi")
    stage.world.run(4.5)
    assert stage.state is CallState.CONNECTED
    stage.world.run(3.0)
    assert stage.state is CallState.CONSULTING
    assert stage.world.facts(ConsultationBegan)[-1].number == 2


def test_party_may_be_silent_in_a_consultation_and_is_given_up_in_the_talk() -> None:
    """The operator hears for themself; with the caller the centre's eight seconds count."""
    stage = consulting(outside={"polres": says_nothing(0.5), "polsek": never_answers()})
    stage.world.run(20.0)
    assert stage.state is CallState.CONSULTING
    stage.world.talk("ani", TalkAction.MERGE)
    stage.world.run(1.0)
    assert stage.state is CallState.THREE_WAY
    stage.world.run(8.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.offered(stage.call)[-1] == "polsek"


def moves(world: World, action: TalkAction) -> list[OfferId]:
    """Ask, and stop while the legs are on their way."""
    assert world.talk("ani", action) is None
    world.run(0.004)
    return list(world.pbx.legs)


@pytest.mark.parametrize("action", [TalkAction.MERGE, TalkAction.RETURN, TalkAction.DROP, TalkAction.LEAVE])
def test_request_is_refused_while_the_legs_move(action: TalkAction) -> None:
    stage = consulting()
    moves(stage.world, TalkAction.MERGE)
    assert stage.world.talk("ani", action) is Refusal.NOT_NOW
    stage.world.run(1.0)
    assert stage.state is CallState.THREE_WAY


@pytest.mark.parametrize("action", [TalkAction.MERGE, TalkAction.RETURN, TalkAction.LEAVE])
@pytest.mark.parametrize("seed", range(6))
def test_caller_has_somebody_when_anybody_is_gone_while_the_legs_move(action: TalkAction, seed: int) -> None:
    for phone in ("ani", "polres"):
        for cause in (16, LOST):
            stage = consulting(seed=seed)
            moves(stage.world, action)
            stage.world.run(0.003 * seed)
            stage.world.hang_up_phone(phone, cause)
            stage.world.run(30.0)
            if stage.call in stage.world.switchboard.state.calls:
                assert stage.state in (CallState.CONNECTED, CallState.THREE_WAY, CallState.AGENCY_ONLY)
            else:  # ani was told that she was back with the caller, and hung up
                assert (phone, cause) == ("ani", 16)


@pytest.mark.parametrize("command", ["HoldCaller", "RecordBridge", "AddLeg", "AddCaller", "DestroyBridge", "Play"])
@pytest.mark.parametrize("action", [TalkAction.MERGE, TalkAction.RETURN, TalkAction.LEAVE])
def test_caller_has_somebody_when_a_command_fails_on_the_way(command: str, action: TalkAction) -> None:
    stage = in_talk(outside={"polres": answers(0.5), "polsek": answers(0.5)})
    world, call = stage.world, stage.call
    for moment in ("before", "after"):
        world.pbx.failing[command] = 1 if moment == "before" else 0
        world.talk("ani", TalkAction.CONSULT, "polisi")
        world.run(3.0)
        world.pbx.failing[command] = 1
        world.talk("ani", action)
        world.run(20.0)
        assert world.call(call).state in (
            CallState.CONNECTED,
            CallState.CONSULTING,
            CallState.THREE_WAY,
            CallState.AGENCY_ONLY,
        )


def test_caller_is_reconnected_when_the_way_back_from_the_music_fails() -> None:
    stage = consulting()
    stage.world.pbx.failing["AddCaller"] = 1
    stage.world.talk("ani", TalkAction.RETURN)
    stage.world.run(8.0)
    assert stage.world.facts(CallQueued, stage.call)[-1].reason is QueueReason.PERSON_LOST
    assert stage.state is CallState.CONNECTED
