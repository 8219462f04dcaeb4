"""What follows when a leg, a command or an engine is lost: the caller stays, and gets a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import DestroyBridge, EndCall, HandBack, HoldCaller, JoinLegs, Play, PrepareCentre
from callflow.core.events import CommandFailed, KeyPressed, LegJoined, TimerFired
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallHandedBack,
    CallOpened,
    CallQueued,
    HangupParty,
    OfferMade,
    PersonLost,
    QueueReason,
    Stage,
)
from callflow.core.ids import CallId, ChannelId, PlaybackId, talk_bridge
from callflow.core.states import CallState, OperatorState
from callflow.core.timers import Timer, TimerKind

from .phones import LOST, answers, declines, never_answers, vanishes
from .stages import called_back
from .world import World


def test_caller_goes_to_the_head_and_hears_so_when_the_operators_leg_is_lost() -> None:
    world = World({"ani": [vanishes(1.0, talks_seconds=5.0), answers(3.0)], "budi": answers(1.0, talks_seconds=30.0)})
    first = world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    world.arrive("b", keys=[(0.5, "2")])
    world.run(2.0)
    waiting = world.arrive("c", keys=[(0.5, "2")])
    world.run(4.0)
    (lost,) = world.facts(PersonLost, first)
    assert lost.cause == LOST
    assert world.call(first).at_head
    assert world.heard(first)[-2:] == ["id/reconnecting", "en/reconnecting"]
    assert [fact.reason for fact in world.facts(CallQueued, first)] == [QueueReason.FLOW, QueueReason.PERSON_LOST]
    world.run(55.0)
    assert len(world.facts(CallConnected, first)) == 2
    assert len(world.facts(CallConnected, waiting)) <= 1
    reconnected, other = world.facts(CallConnected, first)[1], world.facts(CallConnected, waiting)
    assert all(reconnected.at < fact.at for fact in other)


@pytest.mark.parametrize("talks", [0.1, 1.9])
def test_caller_goes_on_to_the_next_when_the_phone_hangs_up_as_it_is_joined(talks: float) -> None:
    world = World({"ani": answers(1.0, talks_seconds=talks), "budi": answers(1.0, talks_seconds=20.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(6.0)
    assert world.offered(call) == ["ani", "budi"]
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("ani").pause == "no_answer"
    world.run(20.0)
    assert [fact.ended_by for fact in world.facts(CallEnded, call)] == [HangupParty.OPERATOR]


def test_caller_is_not_lost_when_every_phone_hangs_up_as_it_is_joined() -> None:
    world = World({"ani": [answers(1.0, talks_seconds=0.1)] * 6 + [answers(1.0, talks_seconds=9.0)]})
    call = world.arrive("a", keys=[(0.5, "2")])
    while len(world.facts(CallConnected, call)) < 7:
        world.run(1.0)
        assert world.call(call).state is not CallState.ENDED
        assert world.schedule.now - world.turns[0].event.at < timedelta(minutes=5)
    world.run(10.0)
    assert [fact.stage for fact in world.facts(CallEnded, call)] == [Stage.ANSWERED]


def test_operator_may_hang_up_at_once_on_a_citizen_who_was_called_back() -> None:
    stage = called_back(citizen=answers(2.0))
    stage.world.hang_up_phone("ani")
    stage.world.run(1.0)
    assert len(stage.world.facts(CallEnded, stage.call)) == 1


def test_call_stays_answered_when_the_caller_leaves_while_being_reconnected() -> None:
    world = World({"ani": vanishes(1.0, talks_seconds=5.0)})
    call = world.arrive("a", keys=[(0.5, "2")], hangs_up_after=9.0)
    world.run(20.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ANSWERED, HangupParty.CALLER)
    assert world.at_rest


@pytest.mark.parametrize("talks", [0.0, None])
def test_next_operator_is_sought_when_the_legs_cannot_be_joined(talks: float | None) -> None:
    world = World({"ani": answers(1.0, talks_seconds=talks), "budi": answers(1.0)})
    world.pbx.failing["JoinLegs"] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    assert world.offered(call)[:2] == ["ani", "budi"]
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("ani").pause == "no_answer"
    assert len(world.commands(DestroyBridge, call)) == 1


def test_next_operator_is_sought_when_the_join_is_never_reported() -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(JoinLegs, call):
        world.run(0.002)
    world.disconnect()
    world.run(3.1)
    world.pbx.connected = True
    assert len(world.facts(PersonLost, call)) == 1
    world.run(5.0)
    assert world.offered(call) == ["ani", "budi"]
    assert world.call(call).state is CallState.CONNECTED


def test_join_of_another_bridge_and_of_nobody_changes_nothing() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(0.8)
    now = world.schedule.now
    bridge, channel = talk_bridge(call), ChannelId("chan-a")
    assert world.take(LegJoined(at=now, call=call, channel=channel, bridge=bridge)) == ()
    assert world.take(LegJoined(at=now, call=CallId("x"), channel=channel, bridge=bridge)) == ()
    assert world.take(LegJoined(at=now, call=call, channel=ChannelId("chan-x"), bridge=bridge)) == ()
    world.run(5.0)
    assert world.take(LegJoined(at=world.schedule.now, call=call, channel=channel, bridge=bridge)) == ()


@pytest.mark.parametrize("command", ["AnswerCaller", "HoldCaller"])
def test_caller_is_handed_back_when_the_channel_cannot_be_served(command: str) -> None:
    world = World({"ani": never_answers()})
    world.pbx.failing[command] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    (handed,) = world.facts(CallHandedBack, call)
    assert handed.reason == f"{command} failed"
    assert len(world.commands(HandBack, call)) == 1
    assert not world.pbx.callers[call].ours


def test_caller_keeps_the_person_when_only_the_hold_before_failed() -> None:
    world = World({"ani": answers(0.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    assert world.call(call).state is CallState.CONNECTED
    late = CommandFailed(at=world.schedule.now, call=call, command=HoldCaller.__name__, reason="timed out")
    world.take(late)
    world.run(1.0)
    assert world.call(call).state is CallState.CONNECTED


def test_flow_goes_on_when_a_prompt_failed_that_is_over_already() -> None:
    world = World({"ani": answers(0.0)})
    call = world.arrive("a")
    world.run(0.2)
    before = world.call(call)
    assert before.playing is not None
    late = PlaybackId(f"{call}.p999")
    world.take(CommandFailed(at=world.schedule.now, call=call, command=Play.__name__, reason="late", playback=late))
    assert world.call(call) == before


@pytest.mark.parametrize("command", ["OfferCall", "DialDestination"])
def test_next_phone_is_rung_when_one_cannot_be_rung(command: str) -> None:
    world = World(
        {"ani": never_answers(), "budi": answers(1.0)}, outside={"posko": answers(1.0), "provinsi": answers(1.0)}
    )
    if command == "DialDestination":
        world.set_online("ani", online=False)
        world.set_online("budi", online=False)
    world.pbx.failing[command] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(6.0)
    assert len(world.offered(call)) == 2
    assert world.call(call).state is CallState.CONNECTED


@pytest.mark.parametrize(
    "command", ["Play", "StopPlayback", "ReadTrunkHeaders", "DestroyBridge", "ReleaseLeg", "EndCall"]
)
def test_caller_reaches_a_person_and_nothing_is_left_when_a_command_fails(command: str) -> None:
    world = World({"ani": [vanishes(1.0), answers(1.0, talks_seconds=5.0)]})
    world.pbx.failing[command] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(60.0)
    assert len(world.facts(CallConnected, call)) == 2
    world.run(60.0)
    assert world.at_rest
    assert {fact.stage for fact in world.facts(CallEnded, call)} == {Stage.ANSWERED}


def test_failure_of_a_command_for_nobody_only_alarms() -> None:
    world = World({"ani": answers()})
    for command in ("Play", "JoinLegs", "OfferCall", "HoldCaller"):
        world.take(CommandFailed(at=world.schedule.now, call=CallId("gone"), command=command, reason="404"))
    kinds = {alarm.kind for alarm in world.switchboard.state.alarms.values()}
    assert kinds == {AlarmKind.COMMAND_FAILED}


def test_caller_reaches_a_person_when_no_prompt_can_be_played() -> None:
    world = World({"ani": answers(1.0)})
    world.pbx.silent_prompts = True
    call = world.arrive("a")
    world.run(6.0)
    assert world.call(call).state is CallState.CONNECTED
    assert AlarmKind.PROMPT_FAILED in {alarm.kind for alarm in world.switchboard.state.alarms.values()}


def test_caller_reaches_a_person_when_the_end_of_a_prompt_is_never_reported() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a")
    world.disconnect()
    world.schedule.run(88.0)  # not heard by us: the prompt is long over
    world.pbx.connected = True
    world.schedule.run(10.0)
    assert world.call(call).state is CallState.CONNECTED


def test_call_goes_to_a_person_at_its_old_place_when_it_came_back_through_the_dialplan() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.take(CommandFailed(at=world.schedule.now, call=call, command="HoldCaller", reason="timed out"))
    world.run(1.0)
    assert call not in world.switchboard.state.calls
    world.return_through_dialplan(call)
    again = world.call(call)
    assert again.state is CallState.QUEUED
    assert again.arrived_at == world.facts(CallOpened, call)[0].arrived_at
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.HANDED_BACK
    legs = [fact.offer for fact in world.facts(OfferMade, call)]
    assert len(set(legs)) == len(legs) == 2


@pytest.mark.parametrize("seconds", [0.2, 1.0, 6.0])
def test_known_call_seeks_a_person_again_when_it_came_back_through_the_dialplan(seconds: float) -> None:
    """A watchdog took the caller from us in the flow, in the queue, or out of a talk."""
    world = World({"ani": answers(2.0), "budi": answers(2.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(seconds)
    before = world.call(call).state
    world.return_through_dialplan(call, step=str(before))
    assert world.call(call).state is CallState.QUEUED
    world.run(12.0)
    assert world.call(call).state is CallState.CONNECTED
    world.pbx.hang_up(call)
    world.run(60.0)
    assert world.at_rest
    assert {world.operator(name).state for name in ("ani", "budi")} == {OperatorState.AVAILABLE}


@pytest.mark.parametrize("seconds", [0.2, 1.0, 6.0])
def test_everybody_is_freed_when_the_caller_is_back_in_the_dialplan(seconds: float) -> None:
    world = World({"ani": answers(2.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(seconds)
    world.pbx.take_back(call)
    world.run(40.0)
    assert len(world.facts(CallHandedBack, call)) == 1
    assert not world.switchboard.state.calls
    assert not world.pbx.legs
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_call_that_is_over_is_not_hung_up_again_when_it_is_back_in_the_dialplan() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0)})
    world.pbx.failing["EndCall"] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    world.pbx.take_back(call)
    world.run(20.0)
    assert not world.switchboard.state.calls
    assert len(world.commands(EndCall, call)) == 1


def test_call_that_we_hung_up_begins_anew_when_it_comes_back() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0)})
    world.pbx.failing["EndCall"] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    assert world.call(call).state is CallState.ENDED
    world.return_through_dialplan(call)
    assert world.call(call).state is CallState.QUEUED
    assert len(world.facts(CallOpened, call)) == 2


def test_caller_is_hung_up_again_when_still_there_after_the_talk() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0)})
    world.pbx.failing["EndCall"] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    assert call in world.pbx.callers
    world.run(5.0)
    assert world.at_rest


def test_late_events_and_timers_change_nothing_when_their_call_is_gone() -> None:
    world = World({"ani": declines()})
    call = world.arrive("a", hangs_up_after=1.0)
    world.run(3.0)
    now = world.schedule.now
    of_the_call = set(TimerKind) - {TimerKind.CALLBACK}  # the call-back outlives it
    for event in (
        KeyPressed(at=now, call=call, key="1"),
        *(TimerFired(at=now, timer=Timer(kind, str(call))) for kind in sorted(of_the_call)),
    ):
        assert world.take(event) == ()


def test_timer_is_started_again_for_the_rest_when_it_fires_too_early() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    timer = Timer(TimerKind.ANNOUNCE, str(call))
    due = world.switchboard.state.timers[f"announce:{call}"].due
    (again,) = world.take(TimerFired(at=world.schedule.now, timer=timer))
    assert again.seconds == (due - world.schedule.now).total_seconds()  # type: ignore[attr-defined]
    world.run(40.0)
    assert "id/stay_on_line" in world.heard(call)


@pytest.mark.parametrize("command", ["OfferCall", "JoinLegs"])
def test_dialplan_serves_the_caller_when_asterisk_does_not_do_what_would_bring_a_person(command: str) -> None:
    world = World({"ani": [answers(0.5)] * 20, "budi": [answers(0.5)] * 20})
    world.pbx.failing[command] = 1000
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(30.0)
    (handed,) = world.facts(CallHandedBack, call)
    assert handed.reason.endswith("commands failed")
    assert not world.pbx.callers[call].ours


def test_caller_stays_with_us_when_nobody_is_registered_and_the_last_resort_cannot_be_dialled() -> None:
    world = World({"ani": answers(0.5)})
    world.set_online("ani", online=False)
    world.pbx.failing["DialDestination"] = 1000
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(30.0)
    assert world.facts(CallHandedBack, call) == []
    world.set_online("ani", online=True)
    world.run(10.0)
    assert world.call(call).state is CallState.CONNECTED


def test_caller_stays_while_another_phone_rings_when_many_cannot_be_rung() -> None:
    world = World({"ani": answers(14.0)} | {f"op{number}": answers(0.5) for number in range(6)})
    world.pbx.failing["OfferCall"] = 0
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.pbx.failing["OfferCall"] = 1000
    world.run(9.0)
    assert len(world.offered(call)) > 3
    assert world.facts(CallHandedBack, call) == []
    world.run(10.0)
    assert world.call(call).state is CallState.CONNECTED


def test_phones_are_watched_again_when_that_failed() -> None:
    world = World({"ani": answers(0.5)})
    asked = len(world.commands(PrepareCentre))
    world.take(CommandFailed(at=world.schedule.now, call=CallId(""), command="PrepareCentre", reason="503"))
    prepare = world.commands(PrepareCentre)[asked]
    assert prepare.endpoints == ("op-ani",)
