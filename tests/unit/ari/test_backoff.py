from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from callflow.ari.backoff import FIRST_SECONDS, LONGEST_SECONDS, pauses


def test_pauses_double_up_to_the_longest() -> None:
    assert list(islice(pauses(lambda _, high: high), 8)) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_pauses_are_shortened_by_half_at_most() -> None:
    assert list(islice(pauses(lambda low, _: low), 3)) == [0.025, 0.05, 0.1]


@given(st.integers(min_value=1, max_value=200))
def test_pauses_stay_within_their_limits(count: int) -> None:
    assert all(FIRST_SECONDS / 2 <= pause <= LONGEST_SECONDS for pause in islice(pauses(), count))
