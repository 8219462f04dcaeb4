"""Who is rung for whom, and what follows when phones refuse, ring out, answer together or do not answer at all."""

from __future__ import annotations

from dataclasses import replace

from callflow.core.centre_facts import AlarmCleared, AlarmKind, AlarmRaised
from callflow.core.commands import JoinLegs, OfferCall, ReleaseLeg
from callflow.core.events import OfferAnswered, OfferRang, PlaybackEnded
from callflow.core.facts import CallConnected, CallEnded, OfferClosed, OfferMade
from callflow.core.ids import CallId, OfferId, PlaybackId
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.core.timers import Timer, TimerKind

from .phones import HUNG_UP, answers, busy, declines, never_answers, unregistered, vanishes
from .world import SETTINGS, World


def alarms(world: World) -> set[str]:
    return {alarm.kind for alarm in world.switchboard.state.alarms.values()}


def test_operator_idle_longest_is_rung_first() -> None:
    world = World({"ani": answers(1.0, talks_seconds=3.0), "budi": answers(1.0, talks_seconds=3.0)})
    calls = []
    for name in "abc":
        calls.append(world.arrive(name, keys=[(0.5, "2")]))
        world.run(60.0)
    assert [world.offered(call) for call in calls] == [["ani"], ["budi"], ["ani"]]


def test_operator_with_the_skill_is_rung_before_one_idle_longer() -> None:
    world = World({"ani": answers(1.0), "budi": answers(1.0)}, skills={"budi": ["health"]})
    medical = world.arrive("a", keys=[(0.5, "1")])
    fire = world.arrive("b", keys=[(0.6, "2")])
    world.run(5.0)
    assert world.offered(medical) == ["budi"]
    assert world.offered(fire) == ["ani"]


def test_urgent_caller_is_served_before_an_earlier_one_who_is_not() -> None:
    world = World({"ani": answers(1.0, talks_seconds=20.0)})
    world.arrive("first", keys=[(0.5, "2")])
    later = world.arrive("asks", keys=[(0.5, "5")])
    world.run(2.0)
    urgent = world.arrive("burns", keys=[(0.5, "2")])
    world.run(55.0)
    assert world.call(urgent).state is CallState.CONNECTED
    assert world.call(later).state is CallState.QUEUED


def test_first_answer_gets_the_caller_when_two_phones_answer_at_once() -> None:
    world = World({"ani": answers(2.0), "budi": answers(2.0)}, signed_in=False)
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(10.0)
    assert world.offered(call) == ["ani", "budi"]
    outcomes = {fact.outcome for fact in world.facts(OfferClosed, call)}
    assert outcomes == {OfferState.ANSWERED, OfferState.WITHDRAWN}
    assert len(world.commands(JoinLegs, call)) == 1
    states = {world.operator("ani").state, world.operator("budi").state}
    assert states == {OperatorState.ON_CALL, OperatorState.SIGNED_OUT}
    assert len(world.pbx.legs) == 1


def test_nobody_is_kept_when_the_answer_comes_at_the_instant_of_the_callers_hang_up() -> None:
    for seed in range(12):
        world = World({"ani": answers(2.0)}, seed=seed)
        call = world.arrive("a", keys=[(0.5, "2")], hangs_up_after=2.5 + 0.005 * seed)
        world.run(40.0)
        assert len(world.facts(CallEnded, call)) == 1
        assert world.at_rest
        assert world.operator("ani").state is OperatorState.AVAILABLE


def test_offers_stay_paced_when_every_phone_refuses_at_once_for_ever() -> None:
    world = World({"ani": declines(), "budi": busy(), "citra": unregistered()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(100.0)
    offers = [fact for fact in world.facts(OfferMade, call) if fact.operator is not None]
    assert 60 < len(offers) <= 3 * 100 / 3 + 12
    assert world.call(call).state is CallState.QUEUED


def test_offers_stay_paced_when_the_phone_drops_what_it_answers() -> None:
    for behaviour in (answers(0.0, talks_seconds=0.0), vanishes(0.0, talks_seconds=0.0)):
        for signed_in in (True, False):
            world = World({"ani": behaviour}, outside={"posko": behaviour}, signed_in=signed_in)
            call = world.arrive("a", keys=[(0.5, "2")])
            world.run(60.0)
            assert len(world.facts(OfferMade, call)) <= 60 / 3 + 4
            assert not world.facts(CallConnected, call)


def test_last_resort_stays_paced_when_it_drops_what_it_answers() -> None:
    drops = vanishes(0.0, talks_seconds=0.0)
    world = World({"ani": answers()}, outside={"posko": drops, "provinsi": drops})
    world.set_online("ani", online=False)
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(60.0)
    assert len(world.facts(OfferMade, call)) <= 2 * 60 / 3 + 4


def test_last_resort_is_rung_again_when_nobody_on_the_list_answers() -> None:
    world = World({}, outside={"posko": busy(), "provinsi": [never_answers(), declines(), answers(1.0)]})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(60.0)
    assert world.offered(call) == ["posko", "provinsi", "posko", "provinsi", "posko", "provinsi"]
    assert world.call(call).state is CallState.CONNECTED
    raised = [fact.kind for fact in world.facts(AlarmRaised)]
    assert AlarmKind.LAST_RESORT_FAILED in raised
    world.pbx.hang_up(call)
    world.run(600.0)
    assert AlarmKind.LAST_RESORT_FAILED in {fact.kind for fact in world.facts(AlarmCleared)}


def test_last_resort_rings_beside_the_operators_when_the_wait_passes_the_limit() -> None:
    world = World({"ani": never_answers()}, outside={"posko": answers(3.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(65.0)
    (connected,) = world.facts(CallConnected, call)
    assert connected.destination == "posko"
    assert 60.0 < (connected.at - world.turns[0].event.at).total_seconds() < 65.0


def test_late_end_of_a_leg_dials_nobody_when_the_call_is_over_meanwhile() -> None:
    world = World({}, outside={"posko": never_answers(), "provinsi": answers(0.1, talks_seconds=2.5)})
    world.pbx.failing["ReleaseLeg"] = 1  # posko's leg stays until the next attempt, 5 s later
    world.pbx.failing["EndCall"] = 1  # and so does the caller
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(29.9)
    assert world.call(call).state is CallState.ENDED
    assert len(world.pbx.legs) == 1
    world.run(30.0)
    assert world.offered(call) == ["posko", "provinsi"]
    assert world.at_rest


def test_alarm_stands_and_list_is_rung_once_filled_when_the_last_resort_is_empty() -> None:
    world = World({}, outside={"posko": answers(1.0)}, settings=replace(SETTINGS, last_resort=()))
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(70.0)
    assert {AlarmKind.LAST_RESORT_EMPTY, AlarmKind.NO_PHONE_REGISTERED, AlarmKind.NOBODY_READY} <= alarms(world)
    assert world.call(call).state is CallState.QUEUED
    world.change_settings(last_resort=SETTINGS.last_resort)
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED
    assert AlarmKind.LAST_RESORT_EMPTY not in alarms(world)


def test_everyone_rings_when_nobody_is_signed_in() -> None:
    world = World({"ani": never_answers(), "budi": answers(4.0), "citra": declines()}, signed_in=False)
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(1.0)
    assert sorted(filter(None, world.offered(call))) == ["ani", "budi", "citra"]
    world.run(5.0)
    assert world.call(call).state is CallState.CONNECTED
    assert AlarmKind.NOBODY_READY in alarms(world)
    world.pbx.hang_up(call)
    world.run(1.0)
    assert {world.operator(name).state for name in ("ani", "budi", "citra")} == {OperatorState.SIGNED_OUT}


def test_leg_that_we_gave_up_is_released_when_it_rings_or_answers_all_the_same() -> None:
    world = World({"ani": answers()})
    call, offer = CallId("node1-a"), OfferId("node1-a.o7")
    for event in (
        OfferRang(at=world.schedule.now, call=call, offer=offer),
        OfferAnswered(at=world.schedule.now, call=call, offer=offer),
    ):
        assert world.take(event) == (ReleaseLeg(call=call, offer=offer),)


def test_answer_is_taken_once_when_it_is_told_twice() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(4.0)
    person = world.call(call).person
    assert person is not None
    assert world.take(OfferAnswered(at=world.schedule.now, call=call, offer=person)) == ()


def test_leg_is_hung_up_again_when_it_answers_after_it_was_withdrawn() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.pbx.failing["ReleaseLeg"] = 1
    world.pbx.hang_up(call)
    world.run(0.1)
    (offer,) = world.switchboard.state.offers
    decided = world.take(OfferAnswered(at=world.schedule.now, call=call, offer=offer))
    assert ReleaseLeg(call=call, offer=offer) in decided
    world.run(1.0)
    assert world.at_rest


def test_alarm_is_raised_when_a_leg_does_not_go() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    world.pbx.failing["ReleaseLeg"] = 2
    world.pbx.hang_up(call)
    world.run(8.0)
    assert AlarmKind.LEG_STUCK in alarms(world)
    assert world.operator("ani").state is OperatorState.OFFERED
    world.run(5.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert world.at_rest


def test_operator_is_offered_the_next_call_without_wrap_up_when_the_caller_left_before_the_join() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    while not world.commands(JoinLegs, call):
        world.run(0.002)
    world.pbx.hang_up(call)
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert world.at_rest


def test_operator_wraps_up_after_a_talk_and_is_ready_at_once_where_the_centre_wants_no_wrap_up() -> None:
    for seconds, state in ((30.0, OperatorState.WRAP_UP), (0.0, OperatorState.AVAILABLE)):
        world = World({"ani": answers(1.0, talks_seconds=3.0)}, settings=replace(SETTINGS, wrap_up_seconds=seconds))
        world.arrive("a", keys=[(0.5, "2")])
        world.run(6.0)
        assert world.operator("ani").state is state


def test_asterisk_never_ends_the_ringing_before_the_core_does() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(40.0)
    assert all(offer.ring_seconds > SETTINGS.ring_seconds for offer in world.commands(OfferCall, call))
    (closed,) = world.facts(OfferClosed, call)[:1]
    assert (closed.outcome, closed.cause) == (OfferState.TIMED_OUT, None)


def test_offer_counts_as_rung_out_when_asterisk_says_so() -> None:
    world = World({"ani": declines(3.0, cause=19), "budi": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(6.0)
    assert [fact.outcome for fact in world.facts(OfferClosed, call)] == [OfferState.TIMED_OUT, OfferState.ANSWERED]
    assert HUNG_UP not in {fact.cause for fact in world.facts(OfferClosed, call)}


def test_end_of_a_playback_that_was_stopped_changes_nothing() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(2.0)
    late = PlaybackEnded(at=world.schedule.now, call=call, playback=PlaybackId(f"{call}.p1"))
    assert world.take(late) == ()


def test_announcement_is_left_out_when_another_prompt_still_plays() -> None:
    world = World({"ani": never_answers()}, settings=replace(SETTINGS, announce_every_seconds=2.0))
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(11.0)
    due = [turn for turn in world.turns if getattr(turn.event, "timer", None) == Timer(TimerKind.ANNOUNCE, call)]
    heard = [name for name in world.heard(call) if name == "id/stay_on_line"]
    assert len(due) == 5
    assert len(heard) == 3  # each takes 3 s: every second time it is due the last one still plays
