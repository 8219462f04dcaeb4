"""The medical branch: health operators, then the ambulance services in order, and nobody left alone (rule 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import DialDestination, EndCall, Refusal
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallQueued,
    HangupParty,
    OperatorLeft,
    PartyEnd,
    PartyGone,
    PartyJoined,
    PartySought,
    PartySpoke,
    QueueReason,
)
from callflow.core.facts import Stage as Funnel
from callflow.core.ids import CallId
from callflow.core.requests import TalkAction
from callflow.core.states import CallState, OperatorState

from .centre import SETTINGS
from .phones import LOST, Behaviour, answers, busy, declines, never_answers, says_nothing, unregistered, vanishes
from .stages import CITIZEN, ambulance_rings, with_ambulance
from .world import World

HEALTH = {"ani": ["health"]}


def medical_call(world: World, name: str = "a") -> CallId:
    """A citizen presses 1."""
    return world.arrive(name, keys=[(0.2, "1")], number=CITIZEN)


def test_health_operator_joins_the_ambulance_and_leaves_when_it_has_spoken() -> None:
    """Key 1 → health operator → 118 three-way → the operator leaves, they talk on."""
    world = World({"budi": answers(1.0), "ani": answers(1.0)}, outside={"psc119": answers(2.0)}, skills=HEALTH)
    call = medical_call(world)
    world.run(3.0)
    assert world.offered(call) == ["ani"]
    world.press_code("ani", "*31")
    world.run(5.0)
    assert world.call(call).state is CallState.THREE_WAY
    assert [fact.name for fact in world.facts(PartySpoke, call)] == ["medical"]
    world.press_code("ani", "*36")
    world.run(30.0)
    assert world.call(call).state is CallState.AGENCY_ONLY
    assert len(world.pbx.legs) == 1
    assert [fact.confirmed for fact in world.facts(OperatorLeft, call)] == [True]
    world.pbx.hang_up(call)
    world.run(5.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Funnel.ANSWERED, HangupParty.CALLER)
    assert world.at_rest


def test_operator_without_the_skill_is_waited_with_while_somebody_at_work_has_it() -> None:
    busy_health = answers(0.5, talks_seconds=60.0)
    world = World({"ani": busy_health, "budi": answers(0.5)}, outside={"psc119": answers(1.0)}, skills=HEALTH)
    world.arrive("first", keys=[(0.1, "1")], number=None)
    world.run(2.0)
    call = medical_call(world)
    world.run(4.5)
    assert world.offered(call) == []
    world.run(2.0)
    assert world.offered(call) == ["budi"]  # the centre waits 5 s for the skill
    assert world.call(call).state is CallState.CONNECTED


def test_ambulance_is_joined_after_the_configured_time_when_no_operator_is_free() -> None:
    world = World({"ani": answers(0.5)}, outside={"psc119": answers(1.0)})
    world.arrive("first", keys=[(0.1, "2")], number=None)
    world.run(2.0)
    call = medical_call(world)
    world.run(10.0)
    assert world.call(call).state is CallState.QUEUED
    world.run(4.0)
    assert world.call(call).state is CallState.AGENCY_ONLY
    (sought,) = world.facts(PartySought, call)
    assert 10.0 <= (sought.at - world.facts(CallQueued, call)[0].at).total_seconds() < 10.1
    assert sought.operator is None
    assert world.commands(DialDestination, call)[0].caller_number == CITIZEN
    assert world.call(call).seeks


def test_ambulance_is_rung_at_once_when_nobody_is_present() -> None:
    """Nobody ready, key 1 → 118."""
    stage = with_ambulance()
    (sought,) = stage.world.facts(PartySought, stage.call)
    assert (sought.at - stage.world.facts(CallQueued, stage.call)[0].at).total_seconds() < 0.1
    assert "id/medical_joining" in stage.world.heard(stage.call)
    (joined,) = stage.world.facts(PartyJoined, stage.call)
    assert (joined.destination, joined.three_way) == ("psc119", False)


FAILING = [
    busy(),
    declines(1.0),
    never_answers(),
    unregistered(),
    says_nothing(0.5),
    answers(0.5, talks_seconds=0.0),
    vanishes(0.5, talks_seconds=0.0),
    replace(says_nothing(0.5), talks_seconds=4.0),
]


@pytest.mark.parametrize("first", FAILING)
def test_next_ambulance_service_is_joined_when_the_first_fails(first: Behaviour) -> None:
    """First 118 busy → second."""
    world = World({"ani": never_answers()}, outside={"psc119": first, "rsud": answers(1.0)}, signed_in=False)
    call = medical_call(world)
    world.run(30.0)
    assert [name for name in world.offered(call) if name in {"psc119", "rsud"}] == ["psc119", "rsud"]
    assert world.call(call).state is CallState.AGENCY_ONLY
    assert world.facts(PartyJoined, call)[-1].destination == "rsud"


@pytest.mark.parametrize("service", FAILING)
def test_caller_waits_for_an_operator_when_no_ambulance_service_can_be_joined(service: Behaviour) -> None:
    world = World({"ani": never_answers()}, outside={"psc119": service, "rsud": service}, signed_in=False)
    call = medical_call(world)
    while AlarmKind.MEDICAL_NOT_REACHED not in world.alarms():
        world.run(1.0)
    assert world.call(call).state is CallState.QUEUED
    assert world.facts(PartyGone, call)[-1].reason is PartyEnd.NOT_REACHED
    assert AlarmKind.MEDICAL_NOT_REACHED in world.alarms()
    assert not world.commands(EndCall, call)
    world.phone("ani").behaviours = (answers(0.5),)
    world.run(20.0)
    assert world.call(call).state is CallState.CONNECTED


def test_ambulance_services_are_rung_again_when_nobody_took_the_caller_meanwhile() -> None:
    outside = {"psc119": [busy(), answers(0.5)], "rsud": busy()}
    world = World({"ani": never_answers()}, outside=outside, signed_in=False)
    call = medical_call(world)
    world.run(25.0)
    assert world.call(call).state is CallState.QUEUED
    world.run(15.0)
    assert world.call(call).state is CallState.AGENCY_ONLY
    services = [name for name in world.offered(call) if name in {"psc119", "rsud"}]
    assert services == ["psc119", "rsud", "psc119"]


def test_silent_ambulance_service_is_given_up_after_eight_seconds() -> None:
    world = World({"ani": never_answers()}, outside={"psc119": says_nothing(0.5), "rsud": busy()}, signed_in=False)
    call = medical_call(world)
    world.run(20.0)
    (joined,), (silent, _) = world.facts(PartyJoined, call), world.facts(PartyGone, call)
    assert silent.reason is PartyEnd.SILENT
    assert 8.0 <= (silent.at - joined.at).total_seconds() < 8.1
    assert not world.facts(CallConnected, call)  # nobody spoke with the caller


def test_alarm_is_raised_and_operators_are_sought_when_the_centre_has_no_ambulance_service() -> None:
    world = World({"ani": answers(20.0)}, settings=replace(SETTINGS, medical=()), signed_in=False)
    call = medical_call(world)
    world.run(2.0)
    assert AlarmKind.MEDICAL_NOT_REACHED in world.alarms()
    assert world.offered(call) == ["ani"]


def test_operator_has_the_caller_and_the_ambulance_is_not_needed_when_answering_while_it_rings() -> None:
    stage = ambulance_rings()
    world, call = stage.world, stage.call
    world.phone("ani").behaviours = (answers(0.3),)
    (offer,) = [leg.offer for leg in world.pbx.legs.values() if leg.phone == "op-ani"]
    world.pbx.leave_leg(offer, 21)
    world.run(6.0)
    assert world.operator("ani").call == call
    assert world.call(call).state is CallState.CONNECTED
    assert [fact.reason for fact in world.facts(PartyGone, call)] == [PartyEnd.DROPPED]
    assert [leg.phone for leg in world.pbx.legs.values()] == ["op-ani"]


def test_operator_comes_third_when_answering_after_the_ambulance_joined() -> None:
    stage = with_ambulance()
    world, call = stage.world, stage.call
    world.phone("ani").behaviours = (answers(0.3),)
    world.run(20.0)
    assert world.call(call).state is CallState.THREE_WAY
    assert world.operator("ani").call == call
    assert len(world.facts(CallConnected, call)) == 2
    assert world.talk("ani", TalkAction.LEAVE) is None
    world.run(10.0)
    assert world.call(call).state is CallState.AGENCY_ONLY
    assert not world.call(call).seeks


@pytest.mark.parametrize("cause", [16, LOST])
def test_caller_is_told_and_waits_on_when_the_ambulance_leaves_before_an_operator_came(cause: int) -> None:
    stage = with_ambulance()
    world, call = stage.world, stage.call
    world.hang_up_phone("psc119", cause)
    world.run(0.5)
    assert world.call(call).state is CallState.QUEUED
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.PARTY_GONE
    assert world.heard(call)[-1] == "en/party_over"
    world.phone("ani").behaviours = (answers(0.3),)
    world.run(20.0)
    assert world.call(call).state is CallState.CONNECTED


def test_caller_without_a_number_reaches_the_ambulance_too() -> None:
    world = World({"ani": never_answers()}, outside={"psc119": answers(1.0)}, signed_in=False)
    call = world.arrive("a", keys=[(0.2, "1")], number=None)
    world.run(8.0)
    assert world.call(call).state is CallState.AGENCY_ONLY
    assert world.commands(DialDestination, call)[0].caller_number is None


def test_operator_cannot_leave_before_the_ambulance_has_spoken() -> None:
    world = World({"ani": answers(0.5)}, outside={"psc119": says_nothing(0.5), "rsud": answers(0.5)}, skills=HEALTH)
    call = medical_call(world)
    world.run(2.0)
    assert world.talk("ani", TalkAction.JOIN, "medical") is None
    world.run(3.0)
    assert world.talk("ani", TalkAction.LEAVE) is Refusal.NOT_SPOKEN
    world.run(8.0)
    assert world.talk("ani", TalkAction.LEAVE) is None
    assert world.operator("ani").state in (OperatorState.ON_CALL, OperatorState.WRAP_UP)
    assert world.call(call).state is CallState.AGENCY_ONLY


def test_nobody_is_lost_when_operator_and_ambulance_answer_at_the_same_instant() -> None:
    for seed in range(20):
        world = World(
            {"ani": answers(1.5)}, outside={"psc119": answers(1.5), "rsud": answers(0.5)}, signed_in=False, seed=seed
        )
        call = medical_call(world)
        world.run(20.0)
        assert world.call(call).state in (CallState.CONNECTED, CallState.THREE_WAY)
        assert world.operator("ani").call == call
        world.pbx.hang_up(call)
        world.run(60.0)
        assert world.at_rest
