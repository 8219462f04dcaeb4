"""What a snapshot of Asterisk brings in line: after a blackout, a crash, or a lost tail of the journal."""

from __future__ import annotations

import copy

from callflow.core.commands import EndCall, JoinLegs, OfferCall, ReleaseLeg, StopPlayback
from callflow.core.events import Caller, SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallHandedBack,
    CallOpened,
    CallQueued,
    OfferMade,
    PersonLost,
    QueueReason,
)
from callflow.core.ids import CallId, ChannelId, OfferId, playback_id
from callflow.core.states import CallState, OperatorState

from .phones import answers, declines, never_answers, vanishes
from .world import World


def connected_world() -> tuple[World, CallId]:
    world = World({"ani": answers(1.0), "budi": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(4.0)
    assert world.call(call).state is CallState.CONNECTED
    return world, call


def test_nothing_changes_when_the_snapshot_says_what_we_know() -> None:
    world, call = connected_world()
    waiting = world.arrive("b", keys=[(0.5, "2")])
    world.phone("budi").online = False
    world.run(1.0)
    before = {name: world.call(name).state for name in (call, waiting)}
    world.reconnect()
    assert {name: world.call(name).state for name in (call, waiting)} == before
    assert len(world.facts(CallConnected, call)) == 1
    assert not world.facts(PersonLost)


def test_unknown_waiting_caller_is_adopted() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    arrived_at = world.call(call).arrived_at
    world.phone("ani").behaviours = (answers(1.0),)
    world.restart()
    assert world.call(call).state is CallState.QUEUED
    assert world.call(call).arrived_at == arrived_at
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.HANDED_BACK
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED


def test_unknown_caller_in_the_flow_is_adopted_into_the_queue() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a")
    world.run(1.0)
    world.restart()
    world.run(8.0)
    assert world.call(call).state is CallState.CONNECTED


def test_unknown_talk_goes_on_undisturbed() -> None:
    world, call = connected_world()
    world.restart()
    adopted = world.call(call)
    assert adopted.state is CallState.CONNECTED
    assert world.operator("ani").state is OperatorState.ON_CALL
    assert len(world.commands(JoinLegs, call)) == 1
    world.run(5.0)
    assert len(world.pbx.legs) == 1
    world.pbx.leave_leg(next(iter(world.pbx.legs)), 16)
    world.run(10.0)
    assert len(world.facts(CallEnded, call)) == 1
    assert world.at_rest
    assert world.operator("ani").state is OperatorState.SIGNED_OUT


def test_unknown_talk_with_a_number_outside_goes_on_while_an_operator_is_sought() -> None:
    world = World({}, outside={"posko": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(4.0)
    world.restart()
    assert world.facts(OfferMade, call)[-1].operator is None
    assert world.facts(OfferMade, call)[-1].destination == "trunk-posko"
    assert world.call(call).state is CallState.AGENCY_ONLY
    assert world.call(call).seeks


def test_operator_in_wrap_up_is_held_when_found_talking() -> None:
    world = World({"ani": [answers(1.0, talks_seconds=3.0), answers(1.0)]})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(6.0)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    checkpoint = world.checkpoint()
    world.resume("ani")
    call = world.arrive("b", keys=[(0.5, "2")])
    world.run(4.0)
    assert world.call(call).state is CallState.CONNECTED
    world.restart(checkpoint)
    assert world.operator("ani").state is OperatorState.ON_CALL
    assert world.call(call).state is CallState.CONNECTED


def test_operator_held_by_another_call_is_not_held_twice_when_found_talking() -> None:
    world, call = connected_world()
    other = CallId("node1-z")
    caller = Caller(number=None, raw="")
    seen = [
        SeenChannel(
            call=other,
            channel=ChannelId(channel),
            offer=offer,
            where=Whereabouts.TALKING,
            caller=caller,
            dialled="112",
            endpoint=endpoint,
            arrived_at=world.schedule.now,
        )
        for channel, offer, endpoint in (
            ("chan-z", None, "trunk-city"),
            ("node1-z.o4", OfferId("node1-z.o4"), "op-ani"),
        )
    ]
    now = world.schedule.now
    world.take(SnapshotTaken(at=now, channels=(*world.pbx.snapshot(now).channels, *seen)))
    assert world.call(other).state is CallState.CONNECTED
    assert world.facts(OfferMade, other)[-1].operator is None
    assert world.operator("ani").call == call


def test_call_in_the_flow_goes_to_the_queue_when_its_keys_may_have_been_missed() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a")
    world.run(1.0)
    world.reconnect()
    assert world.call(call).state is CallState.QUEUED
    assert world.facts(CallQueued, call)[-1].reason is QueueReason.ADOPTED


def test_caller_who_left_meanwhile_is_gone() -> None:
    world, call = connected_world()
    world.disconnect()
    world.pbx.hang_up(call)
    world.run(1.0)
    world.reconnect()
    assert call not in world.switchboard.state.calls
    world.run(5.0)
    assert world.at_rest


def test_ringing_that_ended_meanwhile_is_over() -> None:
    world = World({"ani": declines(1.0), "budi": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    world.disconnect()
    world.run(2.0)
    world.reconnect()
    assert world.offered(call) == ["ani", "budi"]


def test_caller_is_joined_when_the_phone_was_answered_meanwhile() -> None:
    world = World({"ani": answers(2.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    world.disconnect()
    world.run(3.0)
    world.reconnect()
    world.run(0.5)
    assert world.call(call).state is CallState.CONNECTED


def test_talk_is_known_when_the_join_was_missed() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(JoinLegs, call):
        world.run(0.002)
    world.disconnect()
    world.run(0.5)
    world.reconnect()
    assert world.call(call).state is CallState.CONNECTED
    assert len(world.commands(JoinLegs, call)) == 1


def test_next_person_is_sought_when_the_answered_leg_is_not_in_the_bridge() -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(JoinLegs, call):
        world.run(0.002)
    world.reconnect()
    assert len(world.facts(PersonLost, call)) == 1
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED


def test_caller_is_reconnected_when_the_bridge_is_gone() -> None:
    world, call = connected_world()
    world.pbx.callers[call].where = Whereabouts.ALONE
    world.reconnect()
    assert len(world.facts(PersonLost, call)) == 1
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED


def test_caller_is_reconnected_once_when_the_person_left_meanwhile() -> None:
    world, call = connected_world()
    world.disconnect()
    world.pbx.leave_leg(next(iter(world.pbx.legs)), 16)
    world.run(1.0)
    world.reconnect()
    assert [fact.reason for fact in world.facts(CallQueued, call)] == [QueueReason.FLOW, QueueReason.PERSON_LOST]
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED


def test_caller_is_held_again_when_found_alone() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.pbx.callers[call].where = Whereabouts.ALONE
    world.reconnect()
    world.run(0.5)
    assert world.pbx.callers[call].where is Whereabouts.WAITING


def test_announcements_go_on_when_the_end_of_one_was_missed() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(31.0)
    world.disconnect()
    world.run(5.0)
    world.reconnect()
    world.run(60.0)
    assert world.heard(call).count("id/stay_on_line") == 4


def test_caller_is_hung_up_again_when_still_there_after_the_talk() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0)})
    world.pbx.failing["EndCall"] = 1
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    world.reconnect()
    assert len(world.commands(EndCall, call)) == 2
    world.run(1.0)
    assert world.at_rest


def test_unknown_leg_is_released() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    (leg,) = world.pbx.legs
    world.restart()
    assert [command.offer for command in world.commands(ReleaseLeg, call)] == [leg]


def test_talk_goes_on_when_the_tail_of_the_journal_was_lost() -> None:
    """The checkpoint knows the call in the flow, in the queue, or ringing; Asterisk says that two talk."""
    world = World({"ani": answers(2.0), "budi": answers(2.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    checkpoints = []
    for seconds in (0.2, 1.0):
        world.run(seconds)
        checkpoints.append(world.checkpoint())
    world.run(4.0)
    assert [state.calls[call].state for state in checkpoints] == [CallState.IN_IVR, CallState.QUEUED]
    legs = copy.deepcopy(world.pbx.legs)
    for checkpoint in checkpoints:
        world.restart(checkpoint)
        assert world.call(call).state is CallState.CONNECTED
        world.run(0.5)
        assert world.call(call).state is CallState.CONNECTED
        assert world.operator("ani").state is OperatorState.ON_CALL
        assert world.pbx.legs == legs


def test_waiting_caller_joins_the_talk_found_when_the_queue_was_all_that_was_known() -> None:
    world = World({"ani": never_answers(), "budi": answers(1.0)})
    world.pause("budi")
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    checkpoint = world.checkpoint()
    world.resume("budi")
    world.run(17.0)
    assert world.operator("budi").state is OperatorState.ON_CALL
    world.restart(checkpoint)
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("budi").state is OperatorState.ON_CALL


def test_ids_of_legs_are_never_used_again_after_a_crash() -> None:
    world = World({"ani": vanishes(1.0, talks_seconds=1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    for _ in range(3):
        world.restart()
        world.run(4.0)
    legs = [command.offer for command in world.commands(OfferCall, call)]
    assert len(set(legs)) == len(legs) > 3
    assert len(world.facts(CallOpened, call)) == 4


def test_caller_whom_the_dialplan_has_meanwhile_is_handed_back_and_not_gone() -> None:
    world = World({"ani": never_answers(), "budi": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    assert world.call(call).state is CallState.QUEUED
    world.disconnect()
    world.pbx.take_back(call)
    world.run(1.0)
    world.reconnect()
    assert world.facts(CallHandedBack, call)
    assert not world.facts(CallEnded, call)
    assert not world.switchboard.state.callbacks
    world.phone("ani").behaviours = world.phone("budi").behaviours = (answers(1.0),)
    world.return_through_dialplan(call)
    world.run(30.0)
    assert world.call(call).state is CallState.CONNECTED


def test_prompt_of_which_the_journal_may_not_know_is_stopped_before_its_caller_is_moved() -> None:
    world = World({"ani": never_answers()})
    begun = world.checkpoint()
    call = world.arrive("a")
    world.run(1.0)
    known = world.checkpoint()
    played = world.call(call).playbacks
    for checkpoint, last in ((begun, 0), (known, played)):
        before = len(world.commands(StopPlayback, call))
        world.restart(checkpoint)
        world.run(0.1)
        stopped = [command.playback for command in world.commands(StopPlayback, call)[before:]]
        assert stopped[:3] == [playback_id(call, last + more) for more in (1, 2, 3)]
        assert world.call(call).state is CallState.QUEUED


def test_nothing_is_stopped_in_a_talk() -> None:
    world, call = connected_world()
    stopped = len(world.commands(StopPlayback, call))
    world.reconnect()
    assert len(world.commands(StopPlayback, call)) == stopped
