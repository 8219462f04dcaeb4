"""Blind transfers: the operator goes at once, the caller waits with music until who is meant answers, or anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.commands import EndCall, Refusal
from callflow.core.facts import CallQueued, OperatorLeft, PartyEnd, PartyGone, QueueReason
from callflow.core.requests import TalkAction
from callflow.core.states import CallState, OperatorState

from .centre import SETTINGS
from .phones import Behaviour, answers, busy, declines, never_answers, says_nothing, unregistered
from .stages import in_talk, transferred_outside, transferred_to_colleague


def test_colleague_gets_the_caller() -> None:
    stage = transferred_to_colleague()
    world, call = stage.world, stage.call
    assert world.operator("ani").state is OperatorState.WRAP_UP
    assert [fact.confirmed for fact in world.facts(OperatorLeft, call)] == [True]
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.TRANSFERRED
    assert world.call(call).at_head
    (leg,) = world.pbx.legs
    world.pbx.leave_leg(leg, 21)
    world.run(0.1)
    assert world.operator("budi").pause == "no_answer"
    world.phone("budi").behaviours = (answers(0.5),)
    world.resume("budi")
    world.run(2.0)
    assert (stage.state, world.operator("budi").call) == (CallState.CONNECTED, call)


def test_colleague_is_rung_before_one_idle_longer() -> None:
    stage = in_talk(operators={"ani": answers(0.5), "budi": answers(0.5), "citra": answers(0.5)})
    stage.world.talk("ani", TalkAction.TRANSFER, "citra")
    stage.world.run(2.0)
    assert stage.world.offered(stage.call) == ["ani", "citra"]
    assert stage.state is CallState.CONNECTED


@pytest.mark.parametrize("colleague", [never_answers(), declines(), busy(), unregistered()])
def test_another_operator_gets_the_caller_when_the_colleague_does_not_answer(colleague: Behaviour) -> None:
    stage = in_talk(operators={"ani": answers(0.5), "budi": answers(0.5), "citra": colleague})
    stage.world.talk("ani", TalkAction.TRANSFER, "citra")
    stage.world.run(20.0)
    assert (stage.state, stage.world.operator("budi").call) == (CallState.CONNECTED, stage.call)


@pytest.mark.parametrize("away", ["offline", "talks", "herself"])
def test_transfer_is_refused_and_the_operator_talks_on_when_the_colleague_cannot_be_rung(away: str) -> None:
    stage = in_talk()
    if away == "offline":
        stage.world.set_online("budi", online=False)
    elif away == "talks":
        stage.world.arrive("b", keys=[(0.1, "2")], number=None)
    stage.world.run(2.0)
    target = "ani" if away == "herself" else "budi"
    assert stage.world.talk("ani", TalkAction.TRANSFER, target) is Refusal.TARGET_NOT_READY
    assert stage.state is CallState.CONNECTED


def test_agency_talks_with_the_caller_when_it_answers() -> None:
    stage = transferred_outside()
    stage.world.run(25.0)
    assert stage.world.offered(stage.call) == ["ani", "polres", "polsek"]
    assert stage.state is CallState.AGENCY_ONLY
    stage.world.run(60.0)
    assert stage.world.offered(stage.call) == ["ani", "polres", "polsek"]


@pytest.mark.parametrize("agency", [never_answers(), declines(), busy(), unregistered(), says_nothing(0.5)])
def test_caller_hears_so_and_gets_an_operator_when_no_number_of_the_agency_can_be_joined(agency: Behaviour) -> None:
    stage = in_talk(outside={"polres": agency, "polsek": agency})
    world, call = stage.world, stage.call
    assert world.talk("ani", TalkAction.TRANSFER, "polisi") is None
    world.run(50.0)
    assert world.facts(PartyGone, call)[-1].reason is PartyEnd.NOT_REACHED
    assert (stage.state, world.operator("budi").call) == (CallState.CONNECTED, call)
    assert not world.commands(EndCall, call)


def test_ambulance_service_is_three_way_first() -> None:
    stage = in_talk(outside={"psc119": answers(0.5)})
    for target in ("medical", "119"):
        assert stage.world.talk("ani", TalkAction.TRANSFER, target) is Refusal.THREE_WAY_FIRST
    assert stage.state is CallState.CONNECTED


def test_last_resort_rings_no_more_when_the_agency_answers_after_all() -> None:
    stage = in_talk(outside={"polres": answers(5.0), "posko": never_answers()},
                    settings=replace(SETTINGS, last_resort_after_seconds=2.0))  # fmt: skip
    stage.world.talk("ani", TalkAction.TRANSFER, "polisi")
    stage.world.run(4.0)
    assert stage.world.offered(stage.call)[-1] == "posko"
    stage.world.run(2.0)
    assert stage.state is CallState.AGENCY_ONLY
    assert [leg.phone for leg in stage.world.pbx.legs.values()] == ["110"]


def test_wait_for_the_transferred_number_has_the_limit_of_every_wait() -> None:
    stage = in_talk(outside={"polres": never_answers(), "polsek": never_answers(), "posko": answers(0.5)})
    stage.world.set_online("ani", online=False)
    stage.world.set_online("budi", online=False)
    stage.world.run(0.5)
    stage.world.talk("ani", TalkAction.TRANSFER, "polisi")
    stage.world.run(60.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.offered(stage.call)[-1] == "posko"
