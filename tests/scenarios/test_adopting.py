"""Talks that Asterisk has and we do not know, or know otherwise: who talks goes on talking, with whom we can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.events import SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.facts import (
    CallConnected,
    CallOpened,
    ConsultationEnded,
    Direction,
    PartyGone,
    PartyJoined,
    PartyKind,
    PartySought,
)
from callflow.core.ids import OfferId
from callflow.core.requests import TalkAction
from callflow.core.state import SET_ASIDE
from callflow.core.states import CallState, OfferState, OperatorState

from .phones import answers, never_answers
from .stages import Stage, called_back, consulting, in_talk, left_with_party, three_way, with_colleague
from .world import World


def talking(stage: Stage) -> set[OfferId]:
    return {leg.offer for leg in stage.world.pbx.legs.values() if leg.where is Whereabouts.TALKING}


@pytest.mark.parametrize(
    ("target", "name", "kind"),
    [
        ("polisi", "polisi", PartyKind.AGENCY),
        ("damkar", "damkar", PartyKind.AGENCY),
        ("medical", "medical", PartyKind.MEDICAL),
        ("+62215550", "trunk-city", PartyKind.NUMBER),
        ("budi", "budi", PartyKind.COLLEAGUE),
    ],
)
def test_talk_of_three_is_taken_as_such_when_nothing_is_known_of_it(target: str, name: str, kind: PartyKind) -> None:
    outside = dict.fromkeys(("polres", "damkar", "psc119", "+62215550"), answers(0.5))
    stage = three_way(target, outside=outside)
    legs = talking(stage)
    stage.world.restart()
    stage.world.run(30.0)
    assert stage.state is CallState.THREE_WAY
    assert talking(stage) == legs
    sought, joined = stage.world.facts(PartySought)[-1], stage.world.facts(PartyJoined)[-1]
    assert (sought.name, sought.kind, joined.name) == (name, kind, name)
    assert stage.world.operator("ani").call == stage.call
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(1.0)
    assert len(stage.world.pbx.legs) == 1


def test_agency_alone_with_the_caller_is_a_party_and_an_operator_is_sought() -> None:
    stage = left_with_party()
    legs = talking(stage)
    stage.world.restart()
    assert stage.state is CallState.AGENCY_ONLY
    assert stage.world.call(stage.call).seeks
    assert talking(stage) == legs
    stage.world.run(5.0)
    assert stage.state is CallState.THREE_WAY


def test_any_other_number_alone_with_the_caller_is_the_party_and_an_operator_joins() -> None:
    stage = in_talk(outside={"+62215550": answers(0.5)})
    stage.world.talk("ani", TalkAction.TRANSFER, "+62215550")
    stage.world.run(3.0)
    legs = talking(stage)
    stage.world.restart()
    stage.world.run(5.0)
    assert stage.state is CallState.THREE_WAY
    assert legs < talking(stage)
    assert stage.world.facts(CallConnected, stage.call)[-2].destination == "trunk-city"


def test_party_of_before_is_kept_when_it_is_the_one_that_talks() -> None:
    """The checkpoint knows the police ringing; meanwhile they joined, and ani left."""
    stage = in_talk(outside={"polres": answers(1.0), "polsek": answers(0.5)})
    world = stage.world
    world.talk("ani", TalkAction.JOIN, "polisi")
    world.run(0.5)
    checkpoint = world.checkpoint()
    world.run(2.0)
    world.talk("ani", TalkAction.LEAVE)
    world.run(1.0)
    legs = talking(stage)
    world.restart(checkpoint)
    world.run(5.0)
    assert talking(stage) >= legs
    assert stage.state in (CallState.AGENCY_ONLY, CallState.THREE_WAY)
    assert not [fact for fact in world.facts(PartySought)[1:] if fact.kind is not PartyKind.AGENCY]


def test_consultation_and_party_of_before_are_over_when_others_are_found_talking() -> None:
    """The checkpoint knows ani consulting the police; meanwhile she returned, and called the fire brigade."""
    stage = consulting(outside={"polres": answers(0.5), "damkar": answers(0.5)})
    world = stage.world
    checkpoint = world.checkpoint()
    world.talk("ani", TalkAction.RETURN)
    world.run(1.0)
    world.talk("ani", TalkAction.JOIN, "damkar")
    world.run(2.0)
    legs = talking(stage)
    before = len(world.facts(ConsultationEnded)), len(world.facts(PartyGone))
    world.restart(checkpoint)
    world.run(5.0)
    assert stage.state is CallState.THREE_WAY
    assert talking(stage) == legs
    assert world.call(stage.call).party.name == "damkar"  # type: ignore[union-attr]
    assert (len(world.facts(ConsultationEnded)), len(world.facts(PartyGone))) == (before[0] + 1, before[1] + 1)


def test_fourth_in_a_talk_is_let_go() -> None:
    """Nothing of ours makes a talk of four; what it would be is not guessed at."""
    stage = three_way()
    world = stage.world
    now = world.schedule.now
    channels = world.pbx.snapshot(now).channels
    stranger = replace(channels[-1], offer=OfferId(f"{stage.call}.o9"), channel=f"{stage.call}.o9")
    world.restart()
    for offer in tuple(world.switchboard.state.offers):
        assert offer in talking(stage)
    world.take(SnapshotTaken(at=now, channels=(*channels, stranger)))
    assert stage.state is CallState.THREE_WAY
    world.run(1.0)
    assert OfferId(f"{stage.call}.o9") not in world.switchboard.state.offers


def test_last_resort_number_that_rang_is_the_person_when_it_was_joined_meanwhile() -> None:
    world = World({}, outside={"posko": answers(3.0)})
    call = world.arrive("a", keys=[(0.2, "2")])
    world.run(1.0)
    checkpoint = world.checkpoint()
    world.run(4.0)
    assert world.call(call).state is CallState.CONNECTED
    world.restart(checkpoint)
    assert world.call(call).state is CallState.CONNECTED
    assert world.facts(CallConnected, call)[-1].destination == "posko"


def test_leg_that_rang_out_and_is_still_there_is_hung_up_again_when_another_talks() -> None:
    world = World({"ani": never_answers(), "budi": answers(8.0)})
    world.pbx.failing["ReleaseLeg"] = 1
    call = world.arrive("a", keys=[(0.2, "2")])
    world.run(15.4)
    checkpoint = world.checkpoint()
    assert [offer.state for offer in checkpoint.offers.values()] == [OfferState.TIMED_OUT, OfferState.RINGING]
    world.run(1.0)
    assert world.call(call).state is CallState.CONNECTED
    world.restart(checkpoint)
    world.run(10.0)
    assert world.call(call).state is CallState.CONNECTED
    assert [leg.phone for leg in world.pbx.legs.values()] == ["op-budi"]


def test_operator_held_elsewhere_is_taken_as_a_number_when_found_talking() -> None:
    stage = in_talk()
    world = stage.world
    checkpoint = world.checkpoint()
    world.run(2.0)
    world.hang_up_phone("ani")
    world.run(40.0)
    other = world.arrive("b", keys=[(0.1, "2")], number=None)
    world.set_online("budi", online=False)
    world.run(3.0)
    assert world.operator("ani").call == other
    world.pbx.arrive(world.pbx.callers[other])
    seen = world.pbx.snapshot(world.schedule.now)
    assert all(isinstance(channel, SeenChannel) for channel in seen.channels)
    world.restart(checkpoint)
    assert world.call(other).state is CallState.CONNECTED
    assert world.operator("ani").call == other


def test_citizen_who_came_back_from_the_dialplan_is_joined_when_we_did_not_hear_of_it() -> None:
    stage = called_back(citizen=answers(2.0))
    checkpoint = stage.world.checkpoint()
    stage.world.run(1.55)
    while stage.call not in stage.world.pbx.callers:
        stage.world.run(0.002)
    stage.world.restart(checkpoint)
    stage.world.run(2.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.operator("ani").call == stage.call


def test_citizen_who_talks_is_found_when_all_was_lost() -> None:
    stage = called_back(citizen=answers(0.5))
    stage.world.run(2.0)
    legs = talking(stage)
    stage.world.restart()
    stage.world.run(2.0)
    assert stage.state is CallState.CONNECTED
    assert talking(stage) == legs
    opened = stage.world.facts(CallOpened, stage.call)[-1]
    assert (opened.direction, opened.callback_of) == (Direction.OUTBOUND, "node1-a")


# --- people who are not where we think ------------------------------------------------------------------------------


def test_operator_is_brought_back_when_the_consultation_fell_apart() -> None:
    stage = consulting()
    for leg in stage.world.pbx.legs.values():
        leg.where = Whereabouts.ALONE
    stage.world.reconnect()
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.operator("ani").call == stage.call


def test_caller_seeks_a_person_when_the_party_alone_with_them_is_not_in_the_talk() -> None:
    stage = left_with_party()
    (leg,) = stage.world.pbx.legs.values()
    leg.where = Whereabouts.ALONE
    stage.world.reconnect()
    assert stage.state is CallState.QUEUED
    stage.world.run(3.0)
    assert stage.world.operator("budi").call == stage.call


@pytest.mark.parametrize("builder", [three_way, with_colleague])
def test_the_others_talk_on_when_the_operator_is_not_in_the_talk_of_three(builder: object) -> None:
    stage = builder()  # type: ignore[operator]
    (leg,) = [leg for leg in stage.world.pbx.legs.values() if leg.phone == "op-ani"]
    leg.where = Whereabouts.ALONE
    stage.world.reconnect()
    stage.world.run(0.2)
    assert stage.state in (CallState.AGENCY_ONLY, CallState.CONNECTED)
    assert len(talking(stage)) == 1


def test_operator_talks_on_when_the_party_is_not_in_the_talk_of_three() -> None:
    stage = three_way()
    (leg,) = [leg for leg in stage.world.pbx.legs.values() if leg.phone == "110"]
    leg.where = Whereabouts.ALONE
    stage.world.reconnect()
    stage.world.run(1.0)
    assert stage.call in stage.world.switchboard.state.calls
    stage.world.run(20.0)
    assert stage.state in (CallState.CONNECTED, CallState.THREE_WAY)


def test_operator_found_in_the_wrap_up_or_aside_is_held_again() -> None:
    stage = in_talk(operators={"ani": answers(0.5)})
    world = stage.world
    world.run(2.0)
    world.hang_up_phone("ani")
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    checkpoint = world.checkpoint()
    world.resume("ani")
    call = world.arrive("b", keys=[(0.2, "2")], number=None)
    world.run(2.0)
    world.restart(checkpoint)
    assert (world.operator("ani").state, world.operator("ani").call) == (OperatorState.ON_CALL, call)
    assert world.operator("ani").pause != SET_ASIDE
