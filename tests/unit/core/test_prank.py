"""Rule 2 of the domain, as far as scoring goes: suspicion informs, and only confirmed pranks make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callflow.core.city import LONGEST_LATER_PLACE_SECONDS, Classification, PrankPolicy
from callflow.core.events import CallerHistory, PastDisposition
from callflow.core.facts import CallerAssessed
from callflow.core.ids import CallId
from callflow.core.prank import HIGHEST_BASE_RATE, LONGEST_DISPLAY, Assessment, assess, base_rate, display

AT = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
POLICY = PrankPolicy()
PRANK, NORMAL, GHOST, INFORMASI = (
    Classification.PRANK,
    Classification.NORMAL,
    Classification.GHOST,
    Classification.INFORMASI,
)


def past(*told: tuple[float, Classification]) -> tuple[PastDisposition, ...]:
    """Dispositions by their age in days."""
    return tuple(PastDisposition(at=AT - timedelta(days=days), classification=what) for days, what in told)


def heard(*told: tuple[float, Classification], calls: int | None = None, pranks: int = 0, of: int = 0) -> CallerHistory:
    return CallerHistory(
        calls=len(told) if calls is None else calls,
        dispositions=past(*told),
        centre_pranks=pranks,
        centre_calls=of,
    )


def judged(history: CallerHistory | None, *, policy: PrankPolicy = POLICY, **told: bool) -> Assessment:
    return assess(history, known=told.get("known", True), verified=told.get("verified", True), at=AT, policy=policy)


def forall(*inputs: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """For all inputs, however slow this machine is now."""
    return lambda test: settings(deadline=None)(given(*inputs)(test))


# --- rule 2, for all inputs -----------------------------------------------------------------------------------------

ages = st.floats(min_value=-2.0, max_value=400.0)
dispositions = st.lists(st.tuples(ages, st.sampled_from(Classification)), max_size=50)
histories = st.builds(
    lambda told, calls, pranks, of: heard(*told, calls=calls, pranks=pranks, of=of),
    dispositions,
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.integers(0, 5000),
)
figures = st.floats(min_value=-10.0, max_value=1000.0)
policies = st.builds(
    PrankPolicy,
    half_life_days=figures,
    window_days=figures,
    prior_weight=figures,
    flag_score=st.floats(min_value=-1.0, max_value=2.0),
    flag_least=st.integers(-2, 6),
    warn_least=st.integers(-2, 6),
    later_place_seconds=figures,
)
sane_policies = st.builds(
    PrankPolicy,
    half_life_days=st.floats(min_value=1.0, max_value=365.0),
    window_days=st.floats(min_value=1.0, max_value=400.0),
    prior_weight=st.floats(min_value=0.5, max_value=10.0),
    flag_score=st.floats(min_value=0.0, max_value=1.0),
    flag_least=st.integers(1, 4),
    warn_least=st.integers(1, 6),
)
facts_of_call = st.fixed_dictionaries({"known": st.booleans(), "verified": st.booleans()})


@forall(st.none() | histories, policies, facts_of_call)
def test_nothing_past_the_caps_when_settings_and_histories_are_any(
    history: CallerHistory | None, policy: PrankPolicy, told: dict[str, bool]
) -> None:
    found = judged(history, policy=policy, **told)
    assert 0.0 <= found.score <= 1.0
    assert found.score == round(found.score, 4)
    assert 0.0 <= found.later_seconds <= LONGEST_LATER_PLACE_SECONDS
    assert found.flagged or not found.warned
    assert found.flagged or not found.later_seconds
    assert 0 <= found.pranks <= found.confirmed
    assert found.pranks or not found.flagged
    assert all(reason and "\n" not in reason for reason in (found.reason_id, found.reason_en))
    shown = display(found)
    assert len(shown) <= LONGEST_DISPLAY
    assert shown.isascii()
    assert not shown or shown.isprintable()
    assert bool(shown) == found.flagged


@forall(histories, policies)
def test_number_is_never_flagged_when_no_prank_of_it_is_confirmed(history: CallerHistory, policy: PrankPolicy) -> None:
    innocent = replace(
        history, dispositions=tuple(each for each in history.dispositions if each.classification is not PRANK)
    )
    found = judged(innocent, policy=policy)
    assert (found.flagged, found.warned, found.later_seconds) == (False, False, 0.0)


@forall(histories, histories, policies, st.booleans())
def test_unknown_callers_are_never_pooled_when_others_pranked(
    history: CallerHistory, other: CallerHistory, policy: PrankPolicy, verified: bool
) -> None:
    same_centre = replace(other, centre_pranks=history.centre_pranks, centre_calls=history.centre_calls)
    found = judged(history, policy=policy, known=False, verified=verified)
    assert found == judged(same_centre, policy=policy, known=False, verified=verified)
    assert (found.flagged, found.warned, found.later_seconds, found.calls) == (False, False, 0.0, 0)
    assert found.score == base_rate(history)


@forall(histories, policies, st.sampled_from([NORMAL, INFORMASI]))
def test_suspicion_is_cleared_when_the_last_call_was_genuine(
    history: CallerHistory, policy: PrankPolicy, genuine: Classification
) -> None:
    assume(policy.window_days >= 0)
    latest = PastDisposition(at=AT + timedelta(days=3), classification=genuine)
    found = judged(replace(history, dispositions=(latest, *history.dispositions)), policy=policy)
    before = judged(history, policy=policy)
    assert (found.flagged, found.warned, found.later_seconds) == (False, False, 0.0)
    assert found.score <= before.score or not before.confirmed


@forall(histories, policies, st.lists(ages, max_size=20))
def test_ghosts_change_no_decision_when_there_are_any(
    history: CallerHistory, policy: PrankPolicy, silent: list[float]
) -> None:
    haunted = replace(history, dispositions=(*past(*((days, GHOST) for days in silent)), *history.dispositions))
    found, before = judged(haunted, policy=policy), judged(history, policy=policy)
    assert replace(found, reason_id="", reason_en="") == replace(before, reason_id="", reason_en="")


@forall(histories, sane_policies, st.floats(min_value=0.0, max_value=400.0))
def test_suspicion_never_shrinks_when_one_more_prank_is_confirmed(
    history: CallerHistory, policy: PrankPolicy, days: float
) -> None:
    before = judged(history, policy=policy)
    found = judged(replace(history, dispositions=(*past((days, PRANK)), *history.dispositions)), policy=policy)
    assert found.score >= before.score
    assert found.flagged >= before.flagged
    assert found.warned >= before.warned
    assert found.later_seconds >= before.later_seconds


@forall(
    histories,
    sane_policies,
    st.sampled_from([PRANK, NORMAL]),
    st.floats(min_value=0.0, max_value=400.0),
    st.floats(min_value=0.0, max_value=400.0),
)
def test_disposition_counts_less_when_it_is_older(
    history: CallerHistory, policy: PrankPolicy, what: Classification, days: float, more: float
) -> None:
    def with_age(age: float) -> float:
        return judged(replace(history, dispositions=(*past((age, what)), *history.dispositions)), policy=policy).score

    young, old = with_age(days), with_age(days + more)
    assert young >= old if what is PRANK else young <= old


@forall(histories, policies)
def test_unverified_number_never_loses_a_place_when_flagged(history: CallerHistory, policy: PrankPolicy) -> None:
    found = judged(history, policy=policy, verified=False)
    assert found.later_seconds == 0.0
    assert replace(judged(history, policy=policy), later_seconds=0.0, reason_id="", reason_en="") == replace(
        found, reason_id="", reason_en=""
    )


@forall(st.integers(0, 10**6), st.integers(0, 10**6))
def test_base_rate_stays_below_its_ceiling_when_a_city_is_pranked_all_day(pranks: int, calls: int) -> None:
    assert 0.0 <= base_rate(CallerHistory(centre_pranks=pranks, centre_calls=calls)) <= HIGHEST_BASE_RATE


# --- single cases ---------------------------------------------------------------------------------------------------


def test_caller_is_flagged_with_the_reason_when_four_of_five_calls_were_pranks() -> None:
    found = judged(heard((1, PRANK), (4, PRANK), (9, PRANK), (12, PRANK), (29.5, NORMAL), pranks=100, of=400))
    assert (found.flagged, found.warned, found.later_seconds) == (True, True, 10.0)
    assert (found.calls, found.pranks, found.confirmed) == (5, 4, 5)
    assert found.reason_en == "4 of 5 calls in 30 days confirmed prank; 4 since the last genuine call"
    assert found.reason_id == "4 dari 5 panggilan dalam 30 hari terkonfirmasi iseng; 4 sejak panggilan benar terakhir"
    assert display(found) == "ISENG? 4 dari 5 panggilan"


def test_display_reads_the_fact_too_when_the_core_noted_it() -> None:
    fact = CallerAssessed(
        at=AT, call=CallId("c1"), score=0.8, flagged=True, warned=False, calls=3, pranks=2, confirmed=3,
        later_seconds=0.0, reason_id="-", reason_en="-",
    )  # fmt: skip
    assert display(fact) == "ISENG? 2 dari 3 panggilan"
    assert display(replace(fact, flagged=False)) == ""


def test_score_is_the_posterior_mean_when_half_of_the_weight_has_decayed() -> None:
    found = judged(heard((0, PRANK), (30, PRANK), (60, NORMAL), pranks=30, of=100))
    prior = round((30 + 4) / 120, 4)
    assert base_rate(heard(pranks=30, of=100)) == prior
    assert found.score == round((2 * prior + 1 + 0.5) / (2 + 1 + 0.5 + 0.25), 4)


def test_two_fresh_pranks_flag_nobody_when_the_centre_is_new_and_one_is_old() -> None:
    assert judged(heard((0, PRANK), (0, PRANK))).flagged
    assert not judged(heard((0, PRANK), (20, PRANK))).flagged


def test_old_pranks_flag_nobody_when_the_whole_city_is_pranked() -> None:
    found = judged(heard((150, PRANK), (151, PRANK), pranks=1147, of=1632))
    assert (found.flagged, found.score < POLICY.flag_score) == (False, True)


def test_flag_waits_for_new_pranks_when_a_genuine_call_lies_between() -> None:
    told = [(2.0, NORMAL), (3.0, PRANK), (4.0, PRANK), (5.0, PRANK), (6.0, PRANK)]
    assert not judged(heard(*told)).flagged
    assert not judged(heard((1, PRANK), *told)).flagged
    found = judged(heard((0.5, PRANK), (1, PRANK), *told))
    assert (found.flagged, found.warned) == (True, False)


def test_prank_of_the_same_moment_is_cleared_when_a_genuine_call_stands_beside_it() -> None:
    assert not judged(heard((1, PRANK), (1, PRANK), (1, NORMAL))).flagged


def test_nothing_counts_when_it_lies_outside_the_window() -> None:
    found = judged(heard((181, PRANK), (182, PRANK), (183, PRANK), pranks=10, of=100))
    assert (found.score, found.confirmed) == (base_rate(heard(pranks=10, of=100)), 0)


def test_later_place_is_capped_when_the_settings_ask_for_more() -> None:
    flagged = heard((0, PRANK), (1, PRANK), (2, PRANK))
    assert judged(flagged, policy=PrankPolicy(later_place_seconds=3600.0)).later_seconds == LONGEST_LATER_PLACE_SECONDS
    assert judged(flagged, policy=PrankPolicy(later_place_seconds=0.0)).later_seconds == 0.0


def test_prior_is_told_when_neither_weight_nor_history_is_left() -> None:
    assert judged(heard((1, GHOST)), policy=PrankPolicy(prior_weight=0.0)).score == 0.2


@pytest.mark.parametrize(
    ("history", "told", "in_id", "in_en"),
    [
        (None, {}, "Riwayat tidak tersedia", "History not available"),
        (None, {"known": False}, "Tanpa nomor: tidak ada riwayat", "No number: nothing is known"),
        (heard(), {}, "Panggilan pertama dari nomor ini", "First call from this number"),
        (
            heard(calls=1),
            {},
            "1 panggilan sebelumnya, belum ada yang dikonfirmasi",
            "1 earlier call, none confirmed genuine or prank",
        ),
        (
            heard((2, GHOST), (3, GHOST), calls=7),
            {},
            "7 panggilan sebelumnya, belum ada yang dikonfirmasi; 2 hening tidak dihitung",
            "7 earlier calls, none confirmed genuine or prank; 2 silent not counted",
        ),
        (
            heard((0.2, INFORMASI)),
            {},
            "1 panggilan dalam 1 hari terkonfirmasi benar, tidak ada yang iseng",
            "1 call in 1 day confirmed genuine, no prank",
        ),
        (
            heard((3, NORMAL), (6.5, PRANK)),
            {},
            "1 dari 2 panggilan dalam 7 hari terkonfirmasi iseng; yang terakhir benar",
            "1 of 2 calls in 7 days confirmed prank; the last one genuine",
        ),
        (
            heard((0, PRANK), (1, PRANK), (2, PRANK)),
            {"verified": False},
            "3 dari 3 panggilan dalam 2 hari terkonfirmasi iseng; nomor tidak terverifikasi",
            "3 of 3 calls in 2 days confirmed prank; number not verified",
        ),
    ],
)
def test_reason_says_what_is_known_when_asked(
    history: CallerHistory | None, told: dict[str, bool], in_id: str, in_en: str
) -> None:
    found = judged(history, **told)
    assert (found.reason_id, found.reason_en) == (in_id, in_en)
