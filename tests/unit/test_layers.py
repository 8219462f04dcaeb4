"""A layer is good only when each of its runs ended well and some test was found."""

from __future__ import annotations

import pytest

from ..run_layers import LONG, TESTS, Outcome, passes, together  # noqa: TID252


def outcome(passed: int = 0, failed: int = 0, fault: str | None = None) -> Outcome:
    return Outcome("asterisk", passed, failed, 0, 0.0, fault)


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        ([outcome(3), outcome(1)], True),
        ([outcome(3), outcome()], True),
        ([outcome(), outcome()], False),
        ([outcome(3, failed=1), outcome(1)], False),
        ([outcome(3), outcome(0, failed=1)], False),
        ([outcome(3, fault="it hangs"), outcome(1)], False),
        ([outcome(3), outcome(1, fault="pytest left no report")], False),
    ],
)
def test_layer_is_good_when_each_of_its_runs_is(outcomes: list[Outcome], good: bool) -> None:
    assert together("asterisk", outcomes, 1.0).good is good


def test_measurements_run_by_themselves_when_the_rest_ran_side_by_side() -> None:
    beside, alone = passes("asterisk")
    assert "-n" in beside
    assert "not alone" in beside
    assert alone == ["-m", "alone"]


def test_every_layer_with_long_tests_runs_when_the_long_ones_do() -> None:
    mark = "pytest.mark." + "long"  # in two pieces, or this file would be found
    marked = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py") if mark in path.read_text("utf-8")}
    assert {layer for layer, arguments in LONG.items() if arguments} == marked
