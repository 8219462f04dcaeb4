from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.city import LONGEST_LATER_PLACE_SECONDS, Classification, PrankPolicy
from callflow.simulate.mixes import ASSUMPTIONS, MIXES, Mix
from callflow.simulate.population import Group
from callflow.simulate.pranks import Outcome, simulate

SHORT = replace(ASSUMPTIONS, days=60, calls_per_day=60, settling_days=10, prankster_days=30.0, recycled_after_days=5.0)
PURWOREJO = MIXES[0]


def run(mix: Mix = PURWOREJO, policy: PrankPolicy | None = None, seed: int = 1) -> Outcome:
    return simulate(mix, SHORT, policy or PrankPolicy(), seed)


def test_published_mixes_are_those_of_the_sources_when_they_are_added_up() -> None:
    assert sum(count for _, count in PURWOREJO.kinds) == 2802
    assert PURWOREJO.share(Classification.PRANK, Classification.GHOST) == pytest.approx((1147 + 1170) / 2802)
    assert [f"{mix.answered:.3f}" for mix in MIXES] == ["1.000", "0.418", "0.021", "1.000"]


def test_outcome_is_the_same_when_the_seed_is() -> None:
    assert run() == run()
    assert run() != run(seed=2)


def test_figures_add_up_when_a_city_was_simulated() -> None:
    outcome = run()
    assert 0 < outcome.pranks_flagged <= outcome.pranks <= outcome.calls
    assert outcome.pranks_of_pranksters <= outcome.pranks
    assert sum(harm.calls for harm in outcome.harms) == outcome.genuine
    assert sum(harm.flagged for harm in outcome.harms) == outcome.genuine_flagged > 0
    for harm in outcome.harms:
        assert harm.later <= harm.flagged <= harm.calls
        assert harm.warned <= harm.flagged
        assert sum(harm.flagged_in_a_row) == harm.flagged


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_nobody_without_a_past_or_a_number_is_flagged_when_others_prank(mix: Mix) -> None:
    harms = {harm.group: harm for harm in run(mix).harms}
    for group in (Group.WITHOUT_PAST, Group.WITHOUT_NUMBER):
        assert harms[group].calls > 0
        assert (harms[group].flagged, harms[group].until_cleared) == (0, None)


def test_no_place_is_later_than_the_cap_when_the_policy_is_as_harsh_as_can_be() -> None:
    harsh = PrankPolicy(flag_score=0.0, flag_least=0, warn_least=0, later_place_seconds=86_400.0, half_life_days=3650.0)
    outcome = run(policy=harsh)
    assert max(harm.later_seconds for harm in outcome.harms) == LONGEST_LATER_PLACE_SECONDS


def test_nothing_is_flagged_when_no_call_is_answered() -> None:
    outcome = run(replace(PURWOREJO, answered=0.0))
    assert (outcome.pranks_flagged, outcome.genuine_flagged, outcome.ghosts_flagged) == (0, 0, 0)
    assert outcome.precision is None


def test_flag_is_off_at_the_next_call_when_operators_classify_every_genuine_one() -> None:
    careful = replace(SHORT, confirm_genuine=1.0, wrong=0.0, prank_from_shared_phones=0.0, prank_forged=0.0)
    harms = {harm.group: harm for harm in simulate(PURWOREJO, careful, PrankPolicy(), 1).harms}
    assert set(harms[Group.RECYCLED_NUMBER].flagged_in_a_row) == {1}
    assert harms[Group.SHARED_PHONE].flagged == 0
