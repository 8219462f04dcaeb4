"""Random histories, whatever happens in them in any order: no rule breaks, and nothing is left."""

from __future__ import annotations

import os

import pytest

from .random_history import RandomHistory

HISTORIES = int(os.environ.get("CALLFLOW_HISTORIES", "120"))
"""How many random histories a run tries; `make test-long` asks for many more."""


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_no_rule_breaks_and_nothing_is_left_when_anything_happens_in_any_order(seed: int) -> None:
    world = RandomHistory(seed).run()
    assert world.at_rest
