"""Call-backs of abandoned calls: an owner, a deadline, an outcome; and the outbound calls that answer them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.centre_facts import AlarmKind, CallbackAssigned, CallbackClosed, CallbackOpened, CallbackTried
from callflow.core.commands import BeginOutbound, CallCitizen, EndCall, Refusal
from callflow.core.events import CallArrived, CitizenAnswered, CitizenNotReached
from callflow.core.facts import CallConnected, CallEnded, CallOpened, Direction, HangupParty, PersonLost
from callflow.core.facts import Stage as Funnel
from callflow.core.ids import CallId, callback_call, citizen_channel, was_call_back_to
from callflow.core.requests import CallbackAction, CallbackOutcome
from callflow.core.state import Callback
from callflow.core.states import CallState, OperatorState

from .centre import SETTINGS
from .phones import LOST, answers, busy, declines, never_answers, says_nothing, unregistered
from .stages import CITIZEN, called_back, gave_up, talking_back
from .world import World


def abandon(world: World, name: str = "a", number: str | None = CITIZEN, seconds: float = 5.0) -> CallId:
    """A citizen waits and gives up."""
    call = world.arrive(name, keys=[(0.2, "2")], number=number, hangs_up_after=seconds)
    world.run(seconds + 1.0)
    return call


def open_callbacks(world: World) -> list[Callback]:
    return list(world.switchboard.state.callbacks.values())


def test_callback_is_opened_with_a_deadline_when_a_citizen_gives_up() -> None:
    world = World({"ani": never_answers()})
    call = abandon(world)
    (opened,), (ended,) = world.facts(CallbackOpened, call), world.facts(CallEnded, call)
    assert opened.number == CITIZEN
    assert (opened.deadline - ended.at).total_seconds() == SETTINGS.callback_within_seconds == 120.0


def test_callback_is_opened_too_when_the_citizen_gives_up_in_the_flow() -> None:
    world = World({"ani": answers()})
    call = world.arrive("a", hangs_up_after=2.0)
    world.run(3.0)
    assert [callback.call for callback in open_callbacks(world)] == [call]


def test_no_callback_is_opened_when_nobody_can_be_called_or_a_person_answered() -> None:
    world = World({"ani": answers(0.5)}, settings=replace(SETTINGS, callback_least_wait_seconds=3.0))
    world.arrive("unknown", number=None, hangs_up_after=4.0)
    world.arrive("brief", number="+6281200002", hangs_up_after=1.0)
    world.arrive("answered", number="+6281200003", keys=[(0.1, "2")], hangs_up_after=4.0)
    world.run(10.0)
    assert open_callbacks(world) == []


def test_one_callback_stands_when_the_same_citizen_gives_up_again() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    abandon(world, "a")
    abandon(world, "b")
    assert len(open_callbacks(world)) == 1


def test_each_ready_operator_gets_one_oldest_first() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.set_online("ani", online=False)
    world.set_online("budi", online=False)
    calls = [abandon(world, str(number), f"+628120000{number}") for number in range(3)]
    assert not world.facts(CallbackAssigned)
    for name in ("ani", "budi"):
        world.set_online(name, online=True)
        world.sign_in(name)
        world.run(1.0)
    assigned = [(fact.call, fact.operator) for fact in world.facts(CallbackAssigned)]
    assert assigned == [(calls[0], "ani"), (calls[1], "budi")]


def test_alarm_is_raised_and_another_may_have_it_when_the_deadline_passes() -> None:
    stage = gave_up({"ani": answers(0.5), "budi": answers(0.5)})
    world = stage.world
    world.run(121.0)
    assert AlarmKind.CALLBACK_OVERDUE in world.alarms()
    assert world.callback(CallbackAction.TAKE, "budi", callback=stage.call) is None
    assert world.switchboard.state.callbacks[stage.call].owner == "budi"
    assert (
        world.callback(CallbackAction.CLOSE, "budi", callback=stage.call, outcome=CallbackOutcome.NOT_REACHED) is None
    )
    assert AlarmKind.CALLBACK_OVERDUE not in world.alarms()
    (closed,) = world.facts(CallbackClosed, stage.call)
    assert (closed.outcome, closed.by) == (CallbackOutcome.NOT_REACHED, "budi")


def test_callback_is_settled_when_the_citizen_calls_again() -> None:
    stage = gave_up()
    again = stage.world.arrive("b", keys=[(0.1, "2")], number=CITIZEN)
    stage.world.run(3.0)
    (closed,) = stage.world.facts(CallbackClosed, stage.call)
    assert (closed.outcome, closed.by) == (CallbackOutcome.REDIALLED, again)
    assert open_callbacks(stage.world) == []


def test_citizen_is_called_back_recorded_and_joined() -> None:
    """Call back of an abandoned call."""
    stage = talking_back()
    world, call = stage.world, stage.call
    abandoned = CallId("node1-a")
    assert was_call_back_to(call) == abandoned
    (opened,) = world.facts(CallOpened, call)
    assert (opened.direction, opened.callback_of, opened.caller.number) == (Direction.OUTBOUND, abandoned, CITIZEN)
    (tried,) = world.facts(CallbackTried)
    assert (tried.call, tried.attempt, tried.operator) == (abandoned, call, "ani")
    (dialled,) = world.commands(CallCitizen, call)
    assert (dialled.channel, dialled.destination.number) == (citizen_channel(call), CITIZEN)
    assert len(world.commands(BeginOutbound, call)) == 1
    (connected,) = world.facts(CallConnected, call)
    assert connected.operator == "ani"
    (closed,) = world.facts(CallbackClosed, abandoned)
    assert (closed.outcome, closed.by) == (CallbackOutcome.REACHED, call)
    world.hang_up_phone("ani")
    world.run(1.0)
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Funnel.OUTBOUND_REACHED, HangupParty.OPERATOR)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    assert world.at_rest


@pytest.mark.parametrize(
    "citizen", [never_answers(), declines(), busy(), unregistered(), answers(0.5, talks_seconds=0.0)]
)
def test_operator_is_freed_and_the_callback_stays_open_when_the_citizen_is_not_reached(citizen: object) -> None:
    stage = called_back(citizen=citizen)  # type: ignore[arg-type]
    world, call = stage.world, stage.call
    world.run(60.0)
    (ended,) = world.facts(CallEnded, call)
    assert ended.stage is Funnel.OUTBOUND_NOT_REACHED
    (callback,) = open_callbacks(world)
    assert (callback.attempts, callback.attempt, callback.owner) == (1, None, "ani")
    assert not world.pbx.legs
    world.run(30.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert world.callback(CallbackAction.DIAL, "ani") is None
    first, second = world.facts(CallbackTried, callback.call)
    assert first.attempt != second.attempt


@pytest.mark.parametrize("ani", [never_answers(), declines(), busy(), unregistered()])
def test_nobody_is_rung_and_the_callback_stays_open_when_the_operators_phone_is_not_answered(ani: object) -> None:
    stage = called_back(ani=ani)  # type: ignore[arg-type]
    stage.world.run(20.0)
    assert not stage.world.commands(CallCitizen)
    assert [callback.attempt for callback in open_callbacks(stage.world)] == [None]
    assert stage.world.at_rest


@pytest.mark.parametrize("cause", [16, LOST])
def test_citizens_phone_stops_ringing_when_the_operator_is_gone(cause: int) -> None:
    stage = called_back()
    assert stage.world.pbx.citizens
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(1.0)
    assert stage.world.at_rest
    assert [fact.stage for fact in stage.world.facts(CallEnded, stage.call)] == [Funnel.OUTBOUND_NOT_REACHED]


@pytest.mark.parametrize("cause", [16, LOST])
def test_citizen_who_answered_gets_another_operator_when_the_first_is_gone(cause: int) -> None:
    for seed in range(10):
        stage = called_back()
        world, call = stage.world, stage.call
        world.rng.seed(seed)
        world.set_online("ani", online=False)
        citizen = world.pbx.citizens[call]
        citizen.answered_at = world.schedule.now
        world.pbx._tell(citizen.channel, CitizenAnswered, call=call, channel=citizen.channel)
        world.run(0.004 * seed)
        world.hang_up_phone("ani", cause)
        world.run(5.0)
        if call in world.switchboard.state.calls:
            assert world.call(call).state is CallState.CONNECTED
            assert world.operator("budi").call == call
        else:  # the hang-up came first, or after the two had met
            assert call not in world.pbx.callers


@pytest.mark.parametrize("cause", [16, LOST])
def test_citizen_in_talk_is_served_like_any_caller_when_the_operator_is_gone(cause: int) -> None:
    stage = talking_back()
    stage.world.set_online("ani", online=False)
    stage.world.hang_up_phone("ani", cause)
    stage.world.run(3.0)
    if cause == LOST:
        assert stage.world.facts(PersonLost, stage.call)
        assert (stage.state, stage.world.operator("budi").call) == (CallState.CONNECTED, stage.call)
    else:
        assert stage.world.at_rest


@pytest.mark.parametrize("command", ["OfferCall", "CallCitizen", "BeginOutbound", "JoinLegs", "EndCall", "ReleaseLeg"])
def test_nobody_is_left_alone_when_a_command_of_a_callback_fails(command: str) -> None:
    stage = gave_up({"ani": answers(0.5), "budi": answers(0.5)}, answers(1.0))
    stage.world.pbx.failing[command] = 1
    assert stage.world.callback(CallbackAction.DIAL, "ani") is None
    stage.world.run(60.0)
    for call, citizen in stage.world.pbx.callers.items():
        assert not citizen.ours or stage.world.call(call).state is CallState.CONNECTED
    for call in (*stage.world.pbx.callers, *stage.world.pbx.citizens):  # the dialplan has whom we could not take
        stage.world.pbx.hang_up(call)
    stage.world.run(90.0)
    assert stage.world.at_rest


def test_citizen_who_says_nothing_is_joined_all_the_same() -> None:
    stage = called_back(citizen=says_nothing(0.5))
    stage.world.run(3.0)
    assert stage.state is CallState.CONNECTED


def test_callback_is_dialled_out_of_the_wrap_up() -> None:
    stage = gave_up({"ani": answers(0.5, talks_seconds=3.0)}, answers(0.5))
    stage.world.arrive("b", keys=[(0.1, "2")], number=None)
    stage.world.run(5.0)
    assert stage.world.operator("ani").state is OperatorState.WRAP_UP
    assert stage.world.callback(CallbackAction.DIAL, "ani") is None
    stage.world.run(1.8)
    (tried,) = stage.world.facts(CallbackTried, stage.call)
    assert stage.world.operator("ani").call == tried.attempt


# --- who may do what ------------------------------------------------------------------------------------------------


def test_request_is_refused_when_it_names_nobody_or_nothing() -> None:
    stage = gave_up()
    world = stage.world
    for action in CallbackAction:
        assert world.callback(action, "ani", callback=CallId("node1-x")) is Refusal.UNKNOWN_CALLBACK
    for action in (CallbackAction.TAKE, CallbackAction.DIAL):
        assert world.callback(action, "nobody", callback=stage.call) is Refusal.UNKNOWN_OPERATOR
        assert world.callback(action, callback=stage.call) is Refusal.UNKNOWN_OPERATOR


def test_dialling_is_refused_when_the_operator_cannot_talk_now() -> None:
    stage = gave_up()
    world = stage.world
    world.use_elsewhere("ani", using=True)
    world.run(0.5)
    assert world.callback(CallbackAction.DIAL, "ani", callback=stage.call) is Refusal.NOT_NOW
    world.use_elsewhere("ani", using=False)
    world.run(0.5)
    world.sign_out("ani", approved_by="supervisor")
    assert world.callback(CallbackAction.DIAL, "ani", callback=stage.call) is Refusal.NOT_NOW


def test_dialling_is_refused_when_no_trunk_leads_outside() -> None:
    stage = gave_up()
    stage.world.change_settings(outside_trunk=None)
    assert stage.world.callback(CallbackAction.DIAL, "ani") is Refusal.NO_OUTSIDE_TRUNK


def test_callback_under_way_can_neither_be_dialled_again_nor_closed() -> None:
    stage = called_back()
    abandoned = CallId("node1-a")
    for action in (CallbackAction.DIAL, CallbackAction.CLOSE):
        assert stage.world.callback(action, "ani", callback=abandoned) is Refusal.NOT_NOW
    assert stage.world.callback(CallbackAction.DIAL, "ani") is Refusal.UNKNOWN_CALLBACK


def test_supervisor_settles_the_oldest_that_nobody_has() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    call = abandon(world)
    assert world.callback(CallbackAction.CLOSE, by="sari") is None
    assert [(fact.call, fact.outcome, fact.by) for fact in world.facts(CallbackClosed)] == [
        (call, CallbackOutcome.NOT_NEEDED, "sari")
    ]


# --- what comes late, or is missed ----------------------------------------------------------------------------------


def test_citizen_whom_nobody_waits_for_any_more_is_sent_through_the_dialplan_to_a_person() -> None:
    world = World({"ani": answers(0.5)})
    call = callback_call(CallId("node1-x"), 1)
    channel = citizen_channel(call)
    assert world.take(CitizenAnswered(at=world.schedule.now, call=call, channel=channel)) == (
        BeginOutbound(call=call, channel=channel),
    )
    assert world.take(CitizenNotReached(at=world.schedule.now, call=call, cause=19)) == ()


@pytest.mark.parametrize("seconds", [0.2, 1.0, 6.0])
def test_nothing_is_left_of_a_callback_when_events_are_missed(seconds: float) -> None:
    for citizen in (answers(1.0), never_answers(), busy()):
        stage = gave_up({"ani": answers(0.5), "budi": answers(0.5)}, citizen)
        world = stage.world
        world.callback(CallbackAction.DIAL, "ani")
        world.run(seconds)
        world.disconnect()
        world.run(3.0)
        world.reconnect()
        world.run(60.0)
        for call in tuple(world.pbx.callers):
            if world.pbx.callers[call].ours:
                assert world.call(call).state is CallState.CONNECTED
            world.pbx.hang_up(call)
        world.run(60.0)
        assert world.at_rest


def test_attempt_is_over_when_the_dialplan_does_not_bring_the_citizen_back() -> None:
    """Nobody claimed the call in time: the dialplan rings everybody for the citizen."""
    stage = called_back(citizen=answers(1.0))
    world, call = stage.world, stage.call
    while not world.commands(BeginOutbound, call):
        world.run(0.002)
    world.disconnect()
    world.run(0.1)
    assert not world.pbx.callers[call].ours
    world.pbx.connected = True  # without a snapshot
    world.run(6.0)
    assert len(world.facts(CallEnded, call)) == 1
    assert [callback.attempt for callback in open_callbacks(world)] == [None]
    assert not world.pbx.legs


def test_attempt_goes_on_when_the_connection_comes_back_while_the_citizen_rings() -> None:
    stage = called_back(citizen=answers(3.0))
    stage.world.disconnect()
    stage.world.run(0.3)
    stage.world.reconnect()
    stage.world.run(4.0)
    assert stage.state is CallState.CONNECTED
    assert stage.world.operator("ani").call == stage.call


def test_attempt_is_over_when_the_citizen_left_just_after_coming_back_and_we_did_not_hear_of_it() -> None:
    stage = called_back(citizen=answers(1.0))
    while stage.call not in stage.world.pbx.callers:
        stage.world.run(0.002)
    stage.world.run(0.021)
    stage.world.disconnect()
    stage.world.pbx.hang_up(stage.call)
    stage.world.run(0.1)
    stage.world.reconnect()
    stage.world.run(40.0)
    assert stage.world.at_rest


def test_callbacks_of_other_citizens_stay_open_when_one_calls_again() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    first = abandon(world, "a", "+6281200001")
    abandon(world, "b", "+6281200002")
    again = world.arrive("c", number="+6281200002")
    assert [callback.redial for callback in open_callbacks(world)] == [None, again]
    world.phone("ani").behaviours = (answers(0.5),)
    world.run(60.0)
    assert world.call(again).state is CallState.CONNECTED
    assert [callback.call for callback in open_callbacks(world)] == [first]


def test_callback_is_due_as_before_when_the_citizen_gives_up_again() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    call = abandon(world, "a")
    again = world.arrive("b", number=CITIZEN)
    world.run(3.0)
    assert [callback.redial for callback in open_callbacks(world)] == [again]
    world.pbx.hang_up(again)
    world.run(1.0)
    (callback,) = open_callbacks(world)
    assert (callback.call, callback.redial) == (call, None)
    assert not world.facts(CallbackClosed)


def test_next_attempt_has_a_new_name_when_the_end_of_the_journal_was_lost() -> None:
    stage = gave_up({"ani": answers(0.5), "budi": answers(0.5)}, never_answers())
    checkpoint = stage.world.checkpoint()
    stage.world.callback(CallbackAction.DIAL, "ani")
    stage.world.run(3.0)
    first = set(stage.world.pbx.citizens)
    stage.world.restart(checkpoint)
    stage.world.run(2.0)
    stage.world.callback(CallbackAction.DIAL, "ani", callback=stage.call)
    stage.world.run(3.0)
    assert first.isdisjoint(fact.attempt for fact in stage.world.facts(CallbackTried)[1:])


def test_redial_while_the_operator_calls_back_closes_the_callback_and_both_calls_come_to_an_end() -> None:
    stage = called_back()
    world = stage.world
    again = world.arrive("b", keys=[(0.1, "2")], number=CITIZEN)
    world.run(3.0)
    assert world.call(again).state is CallState.CONNECTED
    assert [fact.outcome for fact in world.facts(CallbackClosed)] == [CallbackOutcome.REDIALLED]
    world.pbx.hang_up(stage.call, cause=17)
    world.pbx.hang_up(again)
    world.run(60.0)
    assert world.at_rest


def test_arrival_of_an_outbound_call_that_nobody_knows_seeks_a_person() -> None:
    """A crash lost all that was known of it."""
    world = World({"ani": answers(0.5)})
    call = callback_call(CallId("node1-x"), 1)
    arrival = CallArrived(
        at=world.schedule.now,
        call=call,
        channel=citizen_channel(call),
        caller=world.pbx.callers[world.arrive("b", number=CITIZEN)].caller,
        dialled=CITIZEN,
        trunk="trunk-city",
        arrived_at=world.schedule.now,
    )
    world.take(arrival)
    assert world.call(call).direction is Direction.OUTBOUND
    assert not world.commands(EndCall, call)
    assert world.offered(call) == ["ani"]
