"""The queue's policy as data: tiers, skills that relax, everyone after a while, announcements, the kept place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.city import TierPolicy
from callflow.core.commands import OfferCall
from callflow.core.facts import CallConnected, CallQueued, OfferClosed, OfferMade
from callflow.core.ids import CallId
from callflow.core.states import CallState, OfferState, OperatorState

from .centre import SETTINGS
from .phones import LOST, Behaviour, answers, declines, never_answers, vanishes
from .world import World


def waits(world: World, name: str, key: str = "2", number: str | None = None, **more: object) -> CallId:
    """A caller enters the queue."""
    return world.arrive(name, keys=[(0.1, key)], number=number, **more)  # type: ignore[arg-type]


def since_queued(world: World, call: CallId, operator: str) -> float:
    """Seconds from entering the queue to the first ringing of an operator."""
    queued = world.facts(CallQueued, call)[0].at
    made = next(fact for fact in world.facts(OfferMade, call) if fact.operator == operator)
    return (made.at - queued).total_seconds()


def occupied(others: dict[str, Behaviour], **options: object) -> World:
    """Ani is in a call for a minute."""
    world = World({"ani": answers(0.5, talks_seconds=60.0)} | others, **options)  # type: ignore[arg-type]
    for name in others:
        world.set_online(name, online=False)
    world.run(0.1)
    waits(world, "first")
    world.run(2.0)
    for name in others:
        world.set_online(name, online=True)
    world.run(0.1)
    return world


# --- tiers and skills -----------------------------------------------------------------------------------------------


def test_tiers_of_the_centre_decide_who_goes_first() -> None:
    """A centre may put information before what is not urgent."""
    tiers = (
        TierPolicy(name="gawat_darurat", priority=0),
        TierPolicy(name="informasi", priority=5),
        TierPolicy(name="gawat_tidak_darurat", priority=9),
    )
    world = World({"ani": never_answers()}, settings=replace(SETTINGS, tiers=tiers))
    world.pause("ani", approved_by="sari")
    world.set_online("ani", online=False)
    world.run(0.1)
    calm = waits(world, "calm", "5")
    urgent = waits(world, "urgent", "2")
    world.run(1.0)
    assert [call.call for call in world.switchboard._ledger.waiting()] == [urgent, calm]
    assert world.call(calm).priority == 9


def test_call_of_a_tier_that_the_centre_does_not_know_counts_as_urgent() -> None:
    world = World({"ani": never_answers()}, settings=replace(SETTINGS, tiers=(TierPolicy(name="lain", priority=3),)))
    call = waits(world, "a", "5")
    world.run(1.0)
    assert world.call(call).priority == 3


@pytest.mark.parametrize("relax", [2.0, 5.0])
def test_operator_without_the_skill_is_rung_once_the_skill_is_relaxed(relax: float) -> None:
    tiers = (TierPolicy(name="gawat_darurat", priority=0, skill_relax_seconds=relax),)
    world = occupied({"budi": answers(0.5)}, skills={"ani": ["health"]}, settings=replace(SETTINGS, tiers=tiers))
    call = waits(world, "medical", "1")
    world.run(10.0)
    assert since_queued(world, call, "budi") == pytest.approx(relax, abs=0.01)


@pytest.mark.parametrize("case", ["nobody has it", "who has it is off", "not waited for"])
def test_skill_is_not_waited_for_when_nobody_at_work_has_it(case: str) -> None:
    relax = 0.0 if case == "not waited for" else 5.0
    tiers = (TierPolicy(name="gawat_darurat", priority=0, skill_relax_seconds=relax),)
    skills = {} if case == "nobody has it" else {"ani": ["health"]}
    world = occupied({"budi": answers(0.5)}, skills=skills, settings=replace(SETTINGS, tiers=tiers))
    if case == "who has it is off":
        world.run(2.0)
        world.hang_up_phone("ani")
        world.set_online("ani", online=False)
        world.run(0.1)
    call = waits(world, "medical", "1")
    world.run(3.0)
    assert since_queued(world, call, "budi") == 0.0


def test_caller_behind_is_offered_at_once_when_the_one_before_waits_for_a_skill() -> None:
    world = occupied({"budi": answers(0.5)}, skills={"ani": ["health"]})
    medical = waits(world, "medical", "1")
    world.run(0.5)
    other = waits(world, "other", "2")
    world.run(2.0)
    assert (world.offered(medical), world.offered(other)) == ([], ["budi"])


# --- everyone after eight seconds -----------------------------------------------------------------------------------


def test_everyone_who_is_free_is_rung_eight_seconds_into_the_wait() -> None:
    world = World({name: never_answers() for name in ("ani", "budi", "citra")})
    call = waits(world, "a")
    world.run(7.9)
    assert world.offered(call) == ["ani"]
    world.run(1.0)
    assert world.offered(call) == ["ani", "budi", "citra"]
    assert since_queued(world, call, "citra") == pytest.approx(8.0, abs=0.01)


def test_first_answer_wins_and_the_others_are_free_at_once_when_everyone_rings() -> None:
    world = World({"ani": never_answers(), "budi": answers(3.0), "citra": answers(3.0)})
    call = waits(world, "a")
    world.run(13.0)
    assert world.call(call).state is CallState.CONNECTED
    outcomes = [fact.outcome for fact in world.facts(OfferClosed, call)]
    assert sorted(outcomes) == sorted([OfferState.ANSWERED, OfferState.WITHDRAWN, OfferState.WITHDRAWN])
    free = [name for name in ("ani", "budi", "citra") if world.operator(name).state is OperatorState.AVAILABLE]
    assert len(free) == 2


def test_operator_who_comes_free_is_rung_too_when_the_caller_has_waited_long_enough() -> None:
    world = World({"ani": never_answers(), "budi": never_answers()})
    world.pause("budi")
    call = waits(world, "a")
    world.run(9.0)
    world.resume("budi")
    assert world.offered(call) == ["ani", "budi"]


def test_who_does_not_answer_is_set_aside_and_told_and_rung_again_later() -> None:
    world = World({"ani": never_answers(), "budi": answers(20.0)})
    call = waits(world, "a")
    world.run(16.0)
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.PAUSED, "no_answer")
    world.run(6.0)
    assert world.operator("ani").pause == "no_answer"
    world.run(25.0)
    assert world.operator("ani").state in (OperatorState.AVAILABLE, OperatorState.OFFERED)
    assert world.offered(call)[:2] == ["ani", "budi"]


# --- announcements --------------------------------------------------------------------------------------------------


def test_caller_hears_the_place_and_the_expected_wait_beside_the_music() -> None:
    world = World({"ani": answers(0.5)})
    waits(world, "first")
    world.run(2.0)
    calls = [waits(world, f"c{number}") for number in range(7)]
    world.run(40.0)
    names = [[prompt for prompt in world.heard(call) if prompt.startswith("id/queue_position")] for call in calls]
    assert [heard[0] for heard in names] == [
        *(f"id/queue_position_{place}" for place in range(1, 6)),
        "id/queue_position_more",
        "id/queue_position_more",
    ]
    assert all("en/stay_on_line" in world.heard(call) for call in calls)
    assert any(prompt.startswith("id/wait_") for prompt in world.heard(calls[0]))


@pytest.mark.parametrize(
    ("talk_seconds", "prompt"), [(20.0, "id/wait_under_1"), (100.0, "id/wait_1_to_3"), (600.0, "id/wait_longer")]
)
def test_expected_wait_follows_the_usual_talk(talk_seconds: float, prompt: str) -> None:
    world = occupied({})
    world.switchboard.state.talk_seconds = talk_seconds
    call = waits(world, "a")
    world.run(8.0)
    assert prompt in world.heard(call)


def test_usual_talk_is_learnt_from_the_calls() -> None:
    world = World({"ani": answers(0.5, talks_seconds=20.0)})
    before = world.switchboard.state.talk_seconds
    waits(world, "a")
    world.run(25.0)
    assert world.switchboard.state.talk_seconds == pytest.approx(before + 0.1 * (20.0 - before), abs=0.5)


def test_only_staying_on_the_line_is_said_while_a_phone_rings_for_the_caller() -> None:
    world = World({"ani": never_answers()})
    call = waits(world, "a")
    world.run(8.0)
    assert "id/stay_on_line" in world.heard(call)
    assert not any("queue_position" in prompt for prompt in world.heard(call))


def test_announcement_never_delays_an_offer_or_an_answer() -> None:
    """Somebody comes free in the middle of one: the phone rings at once, and the caller is joined at once."""
    for offset in (0.0, 0.5, 1.5, 3.0):
        world = World({"ani": answers(0.2)}, signed_in=False)
        world.set_online("ani", online=False)
        world.run(0.1)
        call = waits(world, "a")
        world.run(5.3 + offset)
        assert world.pbx.callers[call].playing is not None
        world.set_online("ani", online=True)
        world.sign_in("ani")
        world.run(1.0)
        assert world.call(call).state is CallState.CONNECTED
        (offered,) = world.commands(OfferCall, call)
        assert offered.endpoint == "op-ani"


# --- the old place --------------------------------------------------------------------------------------------------


def queue_of(world: World) -> list[CallId]:
    return [call.call for call in world.switchboard._ledger.waiting()]


@pytest.mark.parametrize(("after", "first"), [(10.0, True), (170.0, True), (190.0, False)])
def test_who_calls_again_within_three_minutes_has_the_old_place(after: float, first: bool) -> None:
    world = World({"ani": answers(0.5)}, settings=replace(SETTINGS, callback_within_seconds=9000.0))
    waits(world, "talks")
    world.run(2.0)
    waits(world, "early", number="+6281200001", hangs_up_after=3.0)
    world.run(1.0)
    other = waits(world, "other", number="+6281200002")
    world.run(2.0 + after)
    again = waits(world, "again", number="+6281200001")
    world.run(0.5)
    assert queue_of(world) == ([again, other] if first else [other, again])


def test_old_place_at_the_head_is_kept_when_a_person_had_been_lost() -> None:
    world = World({"ani": vanishes(0.5, talks_seconds=3.0), "budi": answers(0.5)})
    lost = waits(world, "lost", number="+6281200001")
    world.run(0.6)
    waits(world, "talks")
    world.run(1.5)
    other = waits(world, "other")
    world.set_online("ani", online=False)
    world.run(2.5)
    assert queue_of(world) == [lost, other]
    world.pbx.hang_up(lost)
    world.run(1.0)
    again = waits(world, "again", number="+6281200001")
    world.run(0.5)
    # Whoever met a person does not lose the place by the first one's fault, or has it as the centre's rule says.
    assert set(queue_of(world)) == {again, other}


def test_unknown_callers_never_share_a_place() -> None:
    world = World({"ani": answers(0.5)})
    waits(world, "talks")
    world.run(2.0)
    waits(world, "early", hangs_up_after=3.0)
    world.run(1.0)
    other = waits(world, "other")
    world.run(5.0)
    again = waits(world, "again")
    world.run(0.5)
    assert queue_of(world) == [other, again]
    assert not world.switchboard.state.recalls


def test_place_is_kept_for_one_call_alone() -> None:
    world = World({"ani": answers(0.5)})
    waits(world, "talks")
    world.run(2.0)
    waits(world, "early", number="+6281200001", hangs_up_after=3.0)
    world.run(5.0)
    other = waits(world, "other")
    world.run(1.0)
    again = waits(world, "again", number="+6281200001")
    third = waits(world, "third", number="+6281200001")
    world.run(0.5)
    assert queue_of(world) == [again, other, third]


# --- the operator who was lost --------------------------------------------------------------------------------------


def test_same_operator_is_rung_first_when_the_leg_was_lost_and_the_phone_is_back() -> None:
    world = World({"ani": [vanishes(0.5, talks_seconds=5.0), answers(0.5)], "budi": answers(0.5)})
    call = waits(world, "a")
    world.run(10.0)
    assert world.offered(call) == ["ani", "ani"]
    assert [fact.operator for fact in world.facts(CallConnected, call)] == ["ani", "ani"]


def test_next_operator_is_rung_after_ten_seconds_when_the_same_does_not_answer() -> None:
    world = World({"ani": [vanishes(0.5, talks_seconds=5.0), never_answers()], "budi": answers(0.5)})
    call = waits(world, "a")
    world.run(30.0)
    assert world.offered(call)[:2] == ["ani", "ani"]
    again, budi = world.facts(OfferMade, call)[1:3]
    assert budi.operator == "budi"
    assert 8.0 <= (budi.at - again.at).total_seconds() <= 10.1
    assert world.call(call).state is CallState.CONNECTED


def test_next_operator_is_rung_at_once_when_the_phone_of_the_same_is_gone() -> None:
    world = World({"ani": answers(0.5), "budi": answers(0.5)})
    call = waits(world, "a")
    world.run(3.0)
    world.set_online("ani", online=False)
    world.run(0.1)
    world.hang_up_phone("ani", cause=LOST)
    world.run(2.0)
    assert world.offered(call) == ["ani", "budi"]
    assert world.call(call).state is CallState.CONNECTED


def test_another_is_rung_when_the_same_operator_is_lost_twice() -> None:
    world = World({"ani": vanishes(0.5, talks_seconds=3.0), "budi": answers(0.5)})
    call = waits(world, "a")
    world.run(40.0)
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("budi").call == call


def test_lost_operator_who_declines_is_set_aside_like_any_other() -> None:
    world = World({"ani": [vanishes(0.5, talks_seconds=3.0), declines()], "budi": answers(0.5)})
    call = waits(world, "a")
    world.run(8.0)
    assert world.offered(call) == ["ani", "ani", "budi"]
    assert world.operator("ani").pause == "no_answer"
