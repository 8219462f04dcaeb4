"""Parties that an operator brings into a call: agencies, numbers, colleagues; how each may fail, and who may leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import AddLeg, DialDestination, EndCall, OfferCall, Refusal
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallQueued,
    HangupParty,
    LegPurpose,
    OfferMade,
    OperatorLeft,
    PartyEnd,
    PartyGone,
    PartyJoined,
    PartyKind,
    PartySought,
    PartySpoke,
    QueueReason,
    Stage,
)
from callflow.core.requests import TalkAction
from callflow.core.states import CallState, OperatorState

from .centre import SETTINGS
from .phones import (
    LOST,
    Behaviour,
    answers,
    busy,
    declines,
    never_answers,
    says_nothing,
    unregistered,
    vanishes,
)
from .stages import (
    CITIZEN,
    STAGES,
    colleague_rings,
    in_talk,
    left_with_party,
    party_rings,
    sought_beside_party,
    three_way,
    with_colleague,
)
from .world import World


def gone(world: World) -> list[tuple[str, PartyEnd]]:
    return [(fact.name, fact.reason) for fact in world.facts(PartyGone)]


# --- who may be brought in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "name", "kind"),
    [
        ("medical", "medical", PartyKind.MEDICAL),
        ("119", "medical", PartyKind.MEDICAL),
        ("polisi", "polisi", PartyKind.AGENCY),
        ("110", "polisi", PartyKind.AGENCY),
        ("113", "damkar", PartyKind.AGENCY),
        ("+62215550", "+62215550", PartyKind.NUMBER),
        ("115", "115", PartyKind.NUMBER),
        ("budi", "budi", PartyKind.COLLEAGUE),
        ("202", "budi", PartyKind.COLLEAGUE),
    ],
)
def test_all_three_talk_when_the_party_answers(target: str, name: str, kind: PartyKind) -> None:
    outside = dict.fromkeys(("psc119", "polres", "damkar", "+62215550", "115"), answers(2.0))
    world, call = (stage := in_talk(outside=outside)).world, stage.call
    assert world.talk("ani", TalkAction.JOIN, target) is None
    world.run(0.3)
    assert stage.state is CallState.CONNECTED  # the two talk on while it rings
    world.run(3.0)
    assert stage.state is CallState.THREE_WAY
    (sought,), (joined,) = world.facts(PartySought, call), world.facts(PartyJoined, call)
    assert (sought.name, sought.kind, sought.operator) == (name, kind, "ani")
    assert (joined.name, joined.three_way) == (name, True)
    (offer,) = [fact for fact in world.facts(OfferMade, call) if fact.purpose is LegPurpose.PARTY]
    assert offer.offer == joined.offer
    assert len(world.facts(CallConnected, call)) == 1


def test_citizens_number_goes_with_the_leg_and_only_operators_keys_are_absorbed() -> None:
    world = three_way().world
    assert [command.caller_number for command in world.commands(DialDestination)] == [CITIZEN]
    assert [command.absorb_keys for command in world.commands(AddLeg)] == [False]
    world = with_colleague().world
    assert [command.caller_number for command in world.commands(OfferCall)] == [CITIZEN, CITIZEN]
    assert [command.absorb_keys for command in world.commands(AddLeg)] == [True]


@pytest.mark.parametrize(
    ("target", "refusal"),
    [
        ("", Refusal.UNKNOWN_TARGET),
        ("7", Refusal.UNKNOWN_TARGET),
        ("kantor", Refusal.UNKNOWN_TARGET),
        ("ani", Refusal.TARGET_NOT_READY),
        ("201", Refusal.TARGET_NOT_READY),
        ("citra", Refusal.TARGET_NOT_READY),
        ("dewi", Refusal.TARGET_NOT_READY),
    ],
)
def test_party_is_refused_when_it_is_nobody_or_cannot_be_rung(target: str, refusal: Refusal) -> None:
    """Citra is in another call, dewi's phone is off."""
    operators = {"ani": answers(0.5), "citra": answers(0.5), "dewi": never_answers()}
    world = in_talk(operators=operators).world
    world.set_online("dewi", online=False)
    world.arrive("b", keys=[(0.1, "2")], number=None)
    world.run(2.0)
    assert world.operator("citra").state is OperatorState.ON_CALL
    assert world.talk("ani", TalkAction.JOIN, target) is refusal


def test_colleague_on_a_break_may_be_asked_and_is_on_the_break_afterwards() -> None:
    world = in_talk().world
    assert world.pause("budi") is None
    assert world.talk("ani", TalkAction.JOIN, "budi") is None
    world.run(2.0)
    assert world.operator("budi").state is OperatorState.ON_CALL
    world.hang_up_phone("budi")
    world.run(40.0)
    assert (world.operator("budi").state, world.operator("budi").pause) == (OperatorState.PAUSED, "makan")


def test_number_is_refused_when_no_trunk_leads_outside() -> None:
    world = in_talk(settings=replace(SETTINGS, outside_trunk=None, medical=())).world
    assert world.talk("ani", TalkAction.JOIN, "+62215550") is Refusal.NO_OUTSIDE_TRUNK
    assert world.talk("ani", TalkAction.JOIN, "medical") is Refusal.UNKNOWN_TARGET


def test_nobody_but_the_calls_operator_may_ask() -> None:
    world = in_talk().world
    assert world.talk("budi", TalkAction.JOIN, "polisi") is Refusal.NO_CALL
    assert world.talk("nobody", TalkAction.JOIN, "polisi") is Refusal.UNKNOWN_OPERATOR
    world = with_colleague().world
    assert world.talk("budi", TalkAction.LEAVE) is Refusal.NO_CALL


ALLOWED: dict[str, set[TalkAction]] = {
    "in_talk": {TalkAction.JOIN, TalkAction.CONSULT, TalkAction.TRANSFER, TalkAction.CHALLENGE, TalkAction.END},
    "party_rings": {TalkAction.DROP, TalkAction.CHALLENGE},
    "consultation_rings": {TalkAction.DROP, TalkAction.CHALLENGE},
    "consulting": {TalkAction.MERGE, TalkAction.RETURN, TalkAction.DROP, TalkAction.LEAVE},
    "three_way": {TalkAction.DROP, TalkAction.LEAVE},
    "left_with_party": set(),
    "sought_beside_party": set(),
    "colleague_rings": {TalkAction.DROP, TalkAction.CHALLENGE},
    "with_colleague": {TalkAction.DROP, TalkAction.LEAVE},
    "consulting_colleague": {TalkAction.MERGE, TalkAction.RETURN, TalkAction.DROP, TalkAction.LEAVE},
    "transferred_outside": set(),
    "transferred_to_colleague": set(),
    "ambulance_rings": set(),
    "with_ambulance": set(),
    "called_back": set(),
    "talking_back": {TalkAction.JOIN, TalkAction.CONSULT, TalkAction.TRANSFER, TalkAction.END},
}
"""What ani may ask for at each stage; the target is the fire brigade."""


@pytest.mark.parametrize("action", TalkAction)
@pytest.mark.parametrize("name", STAGES)
def test_request_is_done_or_refused_at_every_stage(name: str, action: TalkAction) -> None:
    stage = STAGES[name]()
    refusal = stage.world.talk("ani", action, "damkar")
    assert (refusal is None) == (action in ALLOWED[name]), refusal
    stage.world.run(30.0)


# --- how each destination may fail ----------------------------------------------------------------------------------

FAILING = [
    pytest.param(busy(), id="busy"),
    pytest.param(declines(1.0), id="declines"),
    pytest.param(never_answers(), id="never answers"),
    pytest.param(unregistered(), id="cannot be rung"),
    pytest.param(answers(0.5, talks_seconds=0.0), id="hangs up as it answers"),
    pytest.param(vanishes(0.5, talks_seconds=0.0), id="is lost as it answers"),
    pytest.param(replace(says_nothing(0.5), talks_seconds=3.0), id="hangs up without a word"),
    pytest.param(says_nothing(0.5), id="says nothing"),
]


@pytest.mark.parametrize("first", FAILING)
def test_next_destination_is_joined_when_the_first_fails(first: Behaviour) -> None:
    stage = in_talk(outside={"polres": first, "polsek": answers(0.5)})
    world, call = stage.world, stage.call
    assert world.talk("ani", TalkAction.JOIN, "polisi") is None
    world.run(25.0)
    assert world.offered(call)[-2:] == ["polres", "polsek"]
    assert stage.state is CallState.THREE_WAY
    assert world.facts(PartySpoke, call)[-1].name == "polisi"
    assert not world.phone("polres").legs
    assert world.operator("ani").call == call


@pytest.mark.parametrize("first", FAILING)
def test_operator_is_told_and_talks_on_when_no_destination_can_be_joined(first: Behaviour) -> None:
    stage = in_talk(outside={"polres": first, "polsek": first})
    world = stage.world
    assert world.talk("ani", TalkAction.JOIN, "polisi") is None
    world.run(50.0)
    assert stage.state is CallState.CONNECTED
    assert gone(world)[-1] == ("polisi", PartyEnd.NOT_REACHED)
    assert "party_not_reached" in world.phone("ani").whispers
    assert AlarmKind.PARTY_NOT_REACHED in world.alarms()
    assert world.talk("ani", TalkAction.JOIN, "damkar") is None


@pytest.mark.parametrize("colleague", [never_answers(), declines(), busy(), answers(0.5, talks_seconds=0.0)])
def test_operator_is_told_and_talks_on_when_the_colleague_does_not_come(colleague: Behaviour) -> None:
    stage = in_talk(operators={"ani": answers(0.5), "budi": colleague})
    assert stage.world.talk("ani", TalkAction.JOIN, "budi") is None
    stage.world.run(20.0)
    assert stage.state is CallState.CONNECTED
    assert "party_not_reached" in stage.world.phone("ani").whispers
    assert gone(stage.world) == [("budi", PartyEnd.NOT_REACHED)]
    assert stage.world.operator("budi").pause == ""  # asked by a colleague, not by a caller


@pytest.mark.parametrize("command", ["DialDestination", "AddLeg"])
def test_next_destination_is_joined_when_a_command_fails(command: str) -> None:
    stage = in_talk(outside={"polres": answers(0.5), "polsek": answers(0.5)})
    stage.world.pbx.failing[command] = 1
    assert stage.world.talk("ani", TalkAction.JOIN, "polisi") is None
    stage.world.run(6.0)
    assert stage.world.offered(stage.call)[-2:] == ["polres", "polsek"]
    assert stage.state is CallState.THREE_WAY


def test_next_destination_is_rung_when_the_operator_asks_again() -> None:
    stage = party_rings()
    assert stage.world.talk("ani", TalkAction.JOIN, "damkar") is Refusal.PARTY_THERE
    assert stage.world.talk("ani", TalkAction.JOIN, "polisi") is None
    stage.world.run(1.5)
    assert stage.world.offered(stage.call)[-2:] == ["polres", "polsek"]
    assert stage.state is CallState.THREE_WAY
    assert stage.world.talk("ani", TalkAction.JOIN, "polisi") is Refusal.PARTY_THERE


def test_asking_again_is_refused_when_the_last_destination_rings() -> None:
    stage = party_rings(outside={"polres": busy(), "polsek": never_answers()})
    assert stage.world.talk("ani", TalkAction.JOIN, "polisi") is Refusal.PARTY_THERE


# --- the operator leaves, or is lost --------------------------------------------------------------------------------


def test_caller_and_party_talk_on_when_the_operator_leaves_after_the_party_spoke() -> None:
    stage = left_with_party()
    world, call = stage.world, stage.call
    (left,) = world.facts(OperatorLeft, call)
    assert (left.operator, left.confirmed) == ("ani", True)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.run(120.0)
    assert stage.state is CallState.AGENCY_ONLY
    assert world.offered(call) == ["ani", "polres"]


def test_leaving_is_refused_and_told_when_the_party_has_not_spoken() -> None:
    stage = in_talk(outside={"polres": says_nothing(0.5), "polsek": answers(0.5)})
    stage.world.talk("ani", TalkAction.JOIN, "polisi")
    stage.world.run(2.0)
    assert stage.state is CallState.THREE_WAY
    assert stage.world.talk("ani", TalkAction.LEAVE) is Refusal.NOT_SPOKEN
    stage.world.press_code("ani", "*36")
    assert stage.world.phone("ani").whispers[-1] == "party_not_spoken"
    stage.world.run(8.0)
    assert stage.world.talk("ani", TalkAction.LEAVE) is None  # the next one is there, and spoke


def test_colleague_has_the_call_when_the_operator_leaves() -> None:
    stage = with_colleague()
    world = stage.world
    assert world.talk("ani", TalkAction.LEAVE) is None
    world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert (world.operator("ani").state, world.operator("budi").call) == (OperatorState.WRAP_UP, stage.call)
    assert gone(world) == [("budi", PartyEnd.BECAME_PERSON)]
    assert world.talk("budi", TalkAction.END) is None
    world.run(1.0)
    assert [fact.ended_by for fact in world.facts(CallEnded, stage.call)] == [HangupParty.OPERATOR]


@pytest.mark.parametrize("cause", [16, LOST])
def test_colleague_has_the_call_when_the_operators_leg_is_gone(cause: int) -> None:
    stage = with_colleague()
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.operator("budi").call == stage.call


@pytest.mark.parametrize("cause", [16, LOST])
def test_another_operator_joins_caller_and_party_when_the_first_is_gone_without_leaving(cause: int) -> None:
    stage = three_way()
    world, call = stage.world, stage.call
    world.hang_up_phone("ani", cause)
    world.set_online("ani", online=False)
    world.run(0.2)
    assert stage.state is CallState.AGENCY_ONLY
    assert [fact.confirmed for fact in world.facts(OperatorLeft, call)] == [False]
    world.run(3.0)
    assert stage.state is CallState.THREE_WAY
    assert world.operator("budi").call == call
    assert len(world.phone("polres").legs) == 1


@pytest.mark.parametrize("cause", [16, LOST])
def test_caller_is_served_by_others_when_the_operator_is_gone_while_the_party_rings(cause: int) -> None:
    """The police that were asked for ring on, and an operator is sought; whoever comes has the caller."""
    for budi, state in ((answers(1.5), CallState.CONNECTED), (never_answers(), CallState.AGENCY_ONLY)):
        stage = party_rings(operators={"ani": answers(0.5), "budi": budi})
        stage.world.set_online("ani", online=False)
        stage.world.hang_up_phone("ani", cause)
        stage.world.run(1.0)
        assert stage.state is CallState.QUEUED
        stage.world.run(40.0)
        assert stage.state is state


@pytest.mark.parametrize("cause", [16, LOST])
def test_caller_is_served_by_others_when_the_operator_is_gone_while_the_colleague_rings(cause: int) -> None:
    stage = colleague_rings()
    stage.world.phone("budi").behaviours = (answers(1.0),)
    stage.world.set_online("ani", online=False)
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(5.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.operator("budi").call == stage.call


# --- the party leaves, or is let go ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [16, LOST])
def test_operator_is_told_and_talks_on_when_the_party_leaves(cause: int) -> None:
    stage = three_way()
    stage.world.hang_up_phone("polres", cause)
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert gone(stage.world) == [("polisi", PartyEnd.HUNG_UP)]
    assert stage.world.phone("ani").whispers == ["party_left"]


@pytest.mark.parametrize("cause", [16, LOST])
def test_caller_is_told_and_goes_to_an_operator_when_the_party_leaves_the_two(cause: int) -> None:
    stage = left_with_party()
    world, call = stage.world, stage.call
    world.hang_up_phone("polres", cause)
    world.run(0.3)
    assert (stage.state, world.call(call).at_head) == (CallState.QUEUED, True)
    assert world.heard(call)[-2:] == ["id/party_over", "en/party_over"]
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.PARTY_GONE
    assert not world.commands(EndCall, call)
    world.run(2.0)
    assert (stage.state, world.operator("budi").call) == (CallState.CONNECTED, call)


def test_caller_is_told_and_goes_on_waiting_when_the_party_leaves_while_an_operator_is_sought() -> None:
    stage = sought_beside_party()
    stage.world.hang_up_phone("polres")
    stage.world.run(1.0)
    assert stage.state is CallState.QUEUED
    assert stage.world.heard(stage.call)[-1] == "en/party_over"


def test_caller_keeps_the_operator_who_is_joining_when_the_party_leaves() -> None:
    for seed in range(8):
        stage = sought_beside_party()
        world, call = stage.world, stage.call
        world.phone("budi").behaviours = (answers(0.4),)
        world.schedule.run(15.0)
        world.rng.seed(seed)
        while world.call(call).person is None:
            world.run(0.002)
        world.hang_up_phone("polres")
        world.run(4.0)
        assert stage.state is CallState.CONNECTED
        assert world.operator("budi").call == call


@pytest.mark.parametrize("builder", [party_rings, three_way, colleague_rings, with_colleague])
def test_operator_talks_on_when_the_party_is_dropped(builder: object) -> None:
    stage = builder()  # type: ignore[operator]
    assert stage.world.talk("ani", TalkAction.DROP) is None
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert [reason for _, reason in gone(stage.world)] == [PartyEnd.DROPPED]
    assert len(stage.world.pbx.legs) == 1


# --- the caller leaves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAGES)
def test_everybody_is_let_go_when_the_caller_hangs_up_at_any_stage(name: str) -> None:
    stage = STAGES[name]()
    world, call = stage.world, stage.call
    world.pbx.hang_up(call)
    world.run(60.0)
    assert world.at_rest
    assert not world.pbx.bridges
    ended = [fact.stage for fact in world.facts(CallEnded, call)]
    assert len(ended) == 1
    busy_states = {OperatorState.OFFERED, OperatorState.ON_CALL}
    assert not busy_states & {operator.state for operator in world.switchboard.state.operators.values()}


def test_call_with_the_ambulance_alone_counts_as_answered_once_it_spoke() -> None:
    world = STAGES["with_ambulance"]().world
    (call,) = world.pbx.callers
    world.pbx.hang_up(call)
    world.run(1.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ANSWERED, HangupParty.CALLER)


# --- commands that fail ---------------------------------------------------------------------------------------------

COMMANDS: Sequence[str] = (
    "AddCaller",
    "AddLeg",
    "DestroyBridge",
    "DialDestination",
    "HoldCaller",
    "JoinLegs",
    "OfferCall",
    "Play",
    "RecordBridge",
    "ReleaseLeg",
    "StopPlayback",
    "Whisper",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", STAGES)
def test_caller_is_never_alone_when_a_command_fails_at_any_stage(name: str, command: str) -> None:
    """Whatever ani asks for then; the world measures what the caller hears."""
    for action in (TalkAction.MERGE, TalkAction.RETURN, TalkAction.LEAVE, TalkAction.CONSULT, TalkAction.DROP):
        stage = STAGES[name]()
        stage.world.pbx.failing[command] = 1
        stage.world.talk("ani", action, "damkar")
        stage.world.run(45.0)
        for call in tuple(stage.world.pbx.callers):
            stage.world.pbx.hang_up(call)
        stage.world.run(60.0)
        assert stage.world.at_rest
