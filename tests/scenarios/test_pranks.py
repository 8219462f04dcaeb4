"""Pranks: a suspicion informs the operator, at most costs a capped place among equals, and ends with a genuine call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.city import LONGEST_LATER_PLACE_SECONDS, Classification, PrankPolicy
from callflow.core.commands import EndCall, HandBack, LookUpCaller, OfferCall
from callflow.core.events import CallerHistory, CallerHistoryKnown, PastDisposition
from callflow.core.facts import (
    CallConnected,
    CallerAssessed,
    CallerChallenged,
    CallOpened,
    ChallengeAnswered,
    ChallengeKind,
    OfferMade,
)
from callflow.core.ids import CallId, TrunkRoute
from callflow.core.states import CallState

from .centre import SETTINGS, START
from .phones import answers, never_answers
from .world import World

PRANKSTER = "+6281299999"


def history(*classifications: Classification, calls: int | None = None) -> CallerHistory:
    """Dispositions an hour apart, latest first."""
    past = tuple(
        PastDisposition(at=START - timedelta(hours=1 + number), classification=classification)
        for number, classification in enumerate(classifications)
    )
    return CallerHistory(calls=len(past) if calls is None else calls, last_call_at=past[0].at if past else None,
                         dispositions=past, centre_pranks=20, centre_calls=100)  # fmt: skip


PRANKS = history(*[Classification.PRANK] * 4)


def known_prankster(operators: dict[str, object] | None = None, **options: object) -> World:
    """The read model knows four pranks of one number."""
    world = World(operators or {"ani": answers(0.5)}, **options)  # type: ignore[arg-type]
    world.histories[PRANKSTER] = PRANKS
    return world


def assessed(world: World, call: CallId) -> CallerAssessed:
    (fact,) = world.facts(CallerAssessed, call)
    return fact


def test_number_with_confirmed_pranks_is_flagged_with_the_reason_warned_and_answered() -> None:
    world = known_prankster()
    call = world.arrive("a", keys=[(0.5, "2")], number=PRANKSTER)
    world.run(0.1)
    fact = assessed(world, call)
    assert fact.flagged
    assert fact.warned
    assert "4" in fact.reason_id
    assert "4" in fact.reason_en
    world.run(0.5)
    assert world.heard(call)[-2:] == ["id/prank_warning", "en/prank_warning"]
    assert [challenge.kind for challenge in world.facts(CallerChallenged, call)] == [ChallengeKind.PRANK]
    (offer,) = world.commands(OfferCall, call)
    assert offer.display == "ISENG? 4 dari 4 panggilan"
    world.run(2.0)
    assert world.call(call).state is CallState.CONNECTED


def test_key_after_the_warning_is_kept_and_silence_costs_nothing() -> None:
    for presses in (True, False):
        world = known_prankster({"ani": answers(4.0)})
        call = world.arrive("a", keys=[(0.2, "2")], number=PRANKSTER)
        world.run(1.0)
        if presses:
            world.press(call, "1")
        world.run(10.0)
        assert len(world.facts(ChallengeAnswered, call)) == presses
        assert world.call(call).state is CallState.CONNECTED


def test_two_pranks_are_shown_and_not_warned_of() -> None:
    world = known_prankster()
    world.histories[PRANKSTER] = replace(history(Classification.PRANK, Classification.PRANK), centre_pranks=60)
    call = world.arrive("a", keys=[(0.2, "2")], number=PRANKSTER)
    world.run(1.0)
    assert (assessed(world, call).flagged, assessed(world, call).warned) == (True, False)
    assert not world.facts(CallerChallenged)


@pytest.mark.parametrize("genuine", [Classification.NORMAL, Classification.INFORMASI])
def test_suspicion_is_cleared_by_one_genuine_call(genuine: Classification) -> None:
    world = known_prankster()
    world.histories[PRANKSTER] = history(genuine, *[Classification.PRANK] * 9)
    call = world.arrive("a", keys=[(0.2, "2")], number=PRANKSTER)
    world.run(1.0)
    fact = assessed(world, call)
    assert not fact.flagged
    assert fact.later_seconds == 0
    assert world.commands(OfferCall, call)[0].display == ""


def test_caller_without_a_number_is_never_looked_up_or_flagged() -> None:
    world = known_prankster()
    world.histories[""] = world.histories["None"] = PRANKS
    call = world.arrive("a", keys=[(0.2, "2")], number=None)
    world.run(2.0)
    assert not world.commands(LookUpCaller)
    fact = assessed(world, call)
    assert (fact.flagged, fact.calls, fact.later_seconds) == (False, 0, 0.0)
    late = CallerHistoryKnown(at=world.schedule.now, call=call, history=PRANKS)
    assert world.take(late) == ()


def test_call_goes_on_without_a_flag_when_the_look_up_does_not_answer_in_time() -> None:
    world = known_prankster()
    world.look_ups_answered = False
    call = world.arrive("a", keys=[(0.01, "2")], number=PRANKSTER)
    world.run(2.0)
    assert not assessed(world, call).flagged
    assert world.call(call).state is CallState.CONNECTED


def test_history_of_a_call_that_is_over_changes_nothing() -> None:
    world = known_prankster()
    late = CallerHistoryKnown(at=world.schedule.now, call=CallId("node1-x"), history=PRANKS)
    assert world.take(late) == ()


# --- the place among equals -----------------------------------------------------------------------------------------


def line_behind(world: World, *gaps: float, numbers: tuple[str | None, ...] = ()) -> list[CallId]:
    """The only operator talks; the prankster enters the queue, then others, so many seconds later each."""
    world.arrive("talks", keys=[(0.1, "2")], number=None)
    world.run(2.0)
    calls = [world.arrive("prankster", keys=[(0.1, "2")], number=PRANKSTER)]
    for number, gap in enumerate(gaps):
        world.run(gap)
        theirs = numbers[number] if number < len(numbers) else f"+62812000{number:02}"
        calls.append(world.arrive(f"c{number}", keys=[(0.1, "2")], number=theirs))
    world.run(0.5)
    return calls


def line(world: World) -> list[CallId]:
    return [call.call for call in world.switchboard._ledger.waiting()]


def test_flagged_caller_stands_behind_equals_who_came_a_little_later() -> None:
    world = known_prankster()
    prankster, near, last = line_behind(world, 5.0, 3.0)
    assert line(world) == [near, last, prankster]


def test_flagged_caller_stands_before_less_urgent_callers() -> None:
    world = known_prankster()
    (prankster,) = line_behind(world)
    calm = world.arrive("calm", keys=[(0.1, "5")], number="+6281200055")
    world.run(0.5)
    assert line(world) == [prankster, calm]


def test_flagged_caller_is_rung_for_at_once_when_nobody_else_waits() -> None:
    world = known_prankster()
    call = world.arrive("a", keys=[(0.2, "2")], number=PRANKSTER)
    world.run(0.25)
    assert world.offered(call) == ["ani"]


def test_later_place_is_over_after_as_long() -> None:
    world = known_prankster()
    prankster, near = line_behind(world, 6.0)
    assert line(world) == [near, prankster]
    world.run(6.0)
    assert line(world) == [prankster, near]


def test_later_place_is_capped_whatever_the_centre_sets() -> None:
    world = known_prankster(settings=replace(SETTINGS, prank=PrankPolicy(later_place_seconds=3600.0)))
    prankster, near, far = line_behind(world, 25.0, 6.0)
    assert line(world) == [prankster, near, far]  # the cap has passed, the place is the old one again
    assert assessed(world, prankster).later_seconds == LONGEST_LATER_PLACE_SECONDS


@pytest.mark.parametrize("case", ["not verified", "never"])
def test_flag_costs_no_place_when_the_number_may_be_forged_or_the_centre_wants_none(case: str) -> None:
    trunks = frozenset({TrunkRoute("trunk-other")}) if case == "not verified" else SETTINGS.verified_trunks
    policy = PrankPolicy(later_place_seconds=0.0 if case == "never" else 10.0)
    world = known_prankster(settings=replace(SETTINGS, verified_trunks=trunks, prank=policy))
    prankster, near = line_behind(world, 1.0)
    assert assessed(world, prankster).flagged
    assert line(world) == [prankster, near]


def test_flagged_caller_who_lost_a_person_goes_to_the_head_like_any_other() -> None:
    world = known_prankster({"ani": answers(0.5), "budi": never_answers()})
    call = world.arrive("a", keys=[(0.2, "2")], number=PRANKSTER)
    world.run(2.0)
    world.set_online("ani", online=False)
    world.run(0.1)
    world.hang_up_phone("ani", cause=44)
    world.run(0.1)
    assert world.call(call).at_head
    assert world.call(call).later_seconds == 0


# --- rule 2 as a property -------------------------------------------------------------------------------------------

_DISPOSITIONS = st.lists(st.tuples(st.floats(0.0, 400.0), st.sampled_from(Classification)), max_size=8).map(
    lambda rows: sorted(rows, key=lambda row: row[0])
)
_POLICIES = st.builds(
    PrankPolicy,
    half_life_days=st.floats(0.0, 400.0),
    window_days=st.floats(0.0, 1000.0),
    prior_weight=st.floats(0.0, 10.0),
    flag_score=st.floats(0.0, 1.0),
    flag_least=st.integers(0, 3),
    warn_least=st.integers(0, 3),
    later_place_seconds=st.floats(-5.0, 1e6),
)
_CALLERS = st.lists(
    st.tuples(
        st.floats(0.0, 25.0),  # seconds after the one before
        st.sampled_from(("2", "3", "4", "5")),
        st.sampled_from((None, "+62811", "+62812", "+62813", "+62814")),
    ),
    min_size=2,
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(
    callers=_CALLERS,
    histories=st.dictionaries(st.sampled_from(("+62811", "+62812", "+62813", "+62814")), _DISPOSITIONS),
    policy=_POLICIES,
    talks=st.lists(st.floats(1.0, 50.0), min_size=1, max_size=4),
    pranks=st.integers(0, 100),
    seed=st.integers(0, 10_000),
)
def test_suspicion_only_informs_whatever_the_history_and_the_schedule(  # noqa: PLR0917 - the inputs of a property
    callers: list[tuple[float, str, str | None]],
    histories: dict[str, list[tuple[float, Classification]]],
    policy: PrankPolicy,
    talks: list[float],
    pranks: int,
    seed: int,
) -> None:
    """A flagged caller is always offered, never ended, blocked or silenced, and loses no more than the capped place."""
    world = World(
        {"ani": [answers(0.5, talks_seconds=seconds) for seconds in talks], "budi": answers(1.0, talks_seconds=20.0)},
        settings=replace(SETTINGS, prank=policy, recall_within_seconds=0.001, wrap_up_seconds=1.0),
        seed=seed,
    )
    for number, rows in histories.items():
        past = tuple(PastDisposition(at=START - timedelta(days=days), classification=what) for days, what in rows)
        world.histories[number] = CallerHistory(
            calls=len(past), dispositions=past, centre_pranks=pranks, centre_calls=100
        )
    calls: dict[CallId, tuple[str, str | None]] = {}
    for index, (gap, key, number) in enumerate(callers):
        world.run(gap)
        calls[world.arrive(f"c{index}", keys=[(0.1, key)], number=number)] = (key, number)
    world.run(60.0 * len(callers) + 120.0)  # the world measures what every caller hears

    first_offers = list(dict.fromkeys(fact.call for fact in world.facts(OfferMade)))
    arrived = {fact.call: fact.arrived_at for fact in world.facts(CallOpened)}
    flagged = {fact.call for fact in world.facts(CallerAssessed) if fact.flagged}
    connected = {fact.call for fact in world.facts(CallConnected)}
    ended_by_us = {command.call for command in world.commands(EndCall)}
    assert set(calls) <= connected
    assert not world.commands(HandBack)
    assert ended_by_us <= connected
    for call, (key, number) in calls.items():
        if number is None:
            assert call not in flagged
        if number is not None and call in flagged:
            newest = histories[number][0][1]
            assert newest not in (Classification.NORMAL, Classification.INFORMASI)
            urgent = key in "234"
            overtaken_by = (
                other
                for other in first_offers[: first_offers.index(call)]
                if (calls[other][0] in "234") == urgent
                and (arrived[other] - arrived[call]).total_seconds() > LONGEST_LATER_PLACE_SECONDS
            )
            assert not list(overtaken_by)
