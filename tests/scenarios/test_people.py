"""Operators who come, go, take breaks, change phones, or use their phone for something else."""

from __future__ import annotations

import pytest

from callflow.core.centre_facts import AlarmKind, OperatorMoved
from callflow.core.commands import PrepareCentre, Refusal
from callflow.core.events import EndpointReported, TimerFired
from callflow.core.ids import ChannelId, EndpointName
from callflow.core.states import CallState, OperatorState
from callflow.core.timers import Timer, TimerKind

from .phones import answers, never_answers
from .world import World


def alarms(world: World) -> set[str]:
    return {alarm.kind for alarm in world.switchboard.state.alarms.values()}


def test_signing_in_and_out_twice_is_no_fault() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    assert [world.sign_in("ani"), world.sign_in("ani"), world.sign_in("budi")] == [None, None, None]
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert [world.sign_out("ani"), world.sign_out("ani")] == [None, None]
    assert world.operator("ani").state is OperatorState.SIGNED_OUT


def test_request_is_refused_when_the_operator_is_unknown_or_retired() -> None:
    world = World({"ani": answers()})
    world.change_operator("ani", active=False)
    for name in ("ani", "nobody"):
        answers_given = {world.sign_in(name), world.sign_out(name), world.pause(name), world.resume(name)}
        assert answers_given == {Refusal.UNKNOWN_OPERATOR}


def test_pause_and_resume_are_refused_when_not_signed_in() -> None:
    world = World({"ani": answers()}, signed_in=False)
    assert {world.pause("ani"), world.resume("ani")} == {Refusal.NOT_SIGNED_IN}


def test_last_present_operator_may_neither_leave_nor_pause_without_a_supervisor() -> None:
    world = World({"ani": answers(), "budi": answers()})
    assert world.pause("budi") is None
    assert (world.pause("ani"), world.sign_out("ani")) == (Refusal.LAST_PRESENT, Refusal.LAST_PRESENT)
    assert world.pause("ani", approved_by="supervisor") is None
    assert AlarmKind.NOBODY_READY in alarms(world)
    assert world.sign_out("ani") is None
    assert world.resume("budi") is None
    assert AlarmKind.NOBODY_READY not in alarms(world)


def test_last_operator_may_not_pause_when_the_other_is_about_to() -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.0)})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(4.0)
    assert world.operator("ani").state is OperatorState.ON_CALL
    assert world.pause("ani") is None
    assert world.pause("budi") is Refusal.LAST_PRESENT


def test_last_one_may_not_leave_alone_when_only_the_phone_is_gone() -> None:
    world = World({"ani": answers()})
    world.set_online("ani", online=False)
    world.run(1.0)
    assert {AlarmKind.NOBODY_READY, AlarmKind.NO_PHONE_REGISTERED} <= alarms(world)
    assert world.sign_out("ani") is Refusal.LAST_PRESENT
    assert world.sign_out("ani", approved_by="supervisor") is None


def test_sign_out_is_refused_during_a_call_and_a_pause_begins_after_it() -> None:
    world = World({"ani": answers(1.0, talks_seconds=10.0), "budi": answers()})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    assert world.sign_out("ani") is Refusal.ON_CALL
    world.run(4.0)
    assert world.sign_out("ani") is Refusal.ON_CALL
    assert world.pause("ani", "ibadah") is None
    assert world.operator("ani").state is OperatorState.ON_CALL
    world.run(10.0)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.run(30.0)
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.PAUSED, "ibadah")
    assert world.resume("ani") is None
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_wrap_up_ends_at_once_when_the_operator_is_ready_or_leaves() -> None:
    for leave, state in ((World.resume, OperatorState.AVAILABLE), (World.sign_out, OperatorState.SIGNED_OUT)):
        world = World({"ani": answers(1.0, talks_seconds=3.0), "budi": answers()})
        world.arrive("a", keys=[(0.5, "2")])
        world.run(6.0)
        assert world.operator("ani").state is OperatorState.WRAP_UP
        assert leave(world, "ani") is None
        assert world.operator("ani").state is state
        world.run(60.0)
        assert world.operator("ani").state is state


def test_pause_reason_is_never_empty() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.pause("ani", "")
    assert world.operator("ani").pause == "pause"
    world.pause("ani", "makan")
    assert world.operator("ani").pause == "makan"


def test_set_aside_ends_when_the_operator_is_ready_again() -> None:
    world = World({"ani": never_answers(), "budi": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(17.0)
    assert world.operator("ani").pause == "no_answer"
    world.set_online("budi", online=False)
    assert world.resume("ani") is None
    assert world.operator("ani").state is OperatorState.OFFERED
    world.pbx.hang_up(call)
    world.run(60.0)
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.AVAILABLE, "")


def test_set_aside_that_ends_while_the_operator_is_rung_leaves_the_ringing() -> None:
    world = World({"ani": never_answers()})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(17.0)
    assert world.operator("ani").pause == "no_answer"
    world.run(5.0)  # everyone is rung for want of others
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.OFFERED, "no_answer")
    while world.operator("ani").pause:
        world.run(0.5)
    moves = [fact.state for fact in world.facts(OperatorMoved) if fact.operator == "ani"]
    assert OperatorState.PAUSED in moves


def test_operator_is_rung_as_soon_as_the_pause_ends() -> None:
    world = World({"ani": answers(1.0), "budi": never_answers()})
    world.pause("ani")
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    assert world.offered(call) == ["budi"]
    second = world.arrive("b", keys=[(0.5, "2")])
    world.run(1.0)
    assert world.offered(second) == []
    world.resume("ani")
    assert world.offered(second) == ["ani"]


def test_operator_who_signs_in_while_rung_stays_present_after_the_call() -> None:
    world = World({"ani": answers(3.0, talks_seconds=5.0)}, signed_in=False)
    world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.OFFERED
    assert world.sign_in("ani") is None
    assert world.operator("ani").state is OperatorState.OFFERED
    world.run(45.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_resume_while_rung_only_ends_the_pause() -> None:
    world = World({"ani": answers(3.0)})
    world.pause("ani", approved_by="supervisor")
    world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    assert world.resume("ani") is None
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.OFFERED, "")


@pytest.mark.parametrize("signed_in", [True, False])
def test_phone_is_not_rung_while_it_is_used_elsewhere(signed_in: bool) -> None:
    world = World({"ani": answers(1.0)}, signed_in=signed_in)
    world.use_elsewhere("ani", using=True)
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.BUSY_ELSEWHERE
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(10.0)
    assert world.offered(call) == []
    world.use_elsewhere("ani", using=False)
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED


def test_operator_elsewhere_may_sign_out_pause_and_come_back() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.use_elsewhere("ani", using=True)
    world.run(1.0)
    assert [world.pause("ani"), world.resume("ani"), world.sign_out("ani")] == [None, None, None]
    assert world.operator("ani").state is OperatorState.BUSY_ELSEWHERE
    world.use_elsewhere("ani", using=False)
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.SIGNED_OUT


def test_operator_is_elsewhere_after_the_call_when_the_phone_was_used_during_it() -> None:
    world = World({"ani": answers(1.0, talks_seconds=10.0), "budi": answers()})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    world.use_elsewhere("ani", using=True)
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.ON_CALL
    world.run(45.0)
    assert world.operator("ani").state is OperatorState.BUSY_ELSEWHERE


def test_operator_is_elsewhere_after_the_wrap_up_when_the_phone_is_used_during_it() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0), "budi": answers()})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(6.0)
    world.use_elsewhere("ani", using=True)
    world.run(0.1)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.run(30.0)
    assert world.operator("ani").state is OperatorState.BUSY_ELSEWHERE


def test_our_own_leg_on_the_phone_is_not_elsewhere() -> None:
    world = World({"ani": answers(1.0)})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    (leg,) = world.pbx.legs
    endpoint = EndpointName("op-ani")
    seen = EndpointReported(at=world.schedule.now, endpoint=endpoint, online=True, channels=(ChannelId(str(leg)),))
    assert world.take(seen) == ()


def test_report_of_an_unknown_phone_changes_nothing() -> None:
    world = World({"ani": answers()})
    assert world.take(EndpointReported(at=world.schedule.now, endpoint=EndpointName("op-x"), online=True)) == ()


def test_new_phone_is_not_rung_before_it_is_seen() -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.0)})
    world.use_elsewhere("ani", using=True)
    world.run(0.5)
    world.pbx.phones["op-meja9"] = world.pbx.phones["op-ani"]
    world.change_operator("ani", endpoint="op-meja9")
    assert (world.operator("ani").state, world.operator("ani").online) == (OperatorState.AVAILABLE, False)
    assert world.commands(PrepareCentre)[-1].endpoints == ("op-meja9",)
    world.run(0.5)
    assert world.operator("ani").online


def test_each_has_the_right_phone_when_two_operators_change_places() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.change_operator("ani", endpoint="op-budi")
    world.change_operator("budi", endpoint="op-ani")
    world.run(1.0)
    world.pbx.phones["op-ani"].online = False
    world.pbx.report("op-ani")
    world.run(1.0)
    assert (world.operator("ani").online, world.operator("budi").online) == (True, False)


def test_retired_operator_finishes_the_call_and_is_rung_no_more() -> None:
    world = World({"ani": answers(1.0, talks_seconds=5.0), "budi": never_answers()})
    first = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    world.change_operator("ani", active=False)
    assert world.call(first).state is CallState.CONNECTED
    world.run(60.0)
    second = world.arrive("b", keys=[(0.5, "2")])
    world.run(40.0)
    assert "ani" not in world.offered(second)


@pytest.mark.parametrize("kind", [TimerKind.WRAP_UP, TimerKind.SET_ASIDE])
def test_deadline_of_an_operator_changes_nothing_when_it_stands_no_more(kind: TimerKind) -> None:
    world = World({"ani": answers()})
    assert world.take(TimerFired(at=world.schedule.now, timer=Timer(kind, "ani"))) == ()
