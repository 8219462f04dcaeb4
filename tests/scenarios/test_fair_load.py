"""A centre under fair load: waits are bounded and in order, and no timer outlives the calls."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from callflow.core.facts import CallConnected, CallEnded, CallQueued, OfferMade, Stage
from callflow.core.timers import TimerKind

from .centre import SETTINGS
from .phones import answers
from .random_history import RandomHistory
from .world import World

_OPERATORS = ("ani", "budi", "citra")
_CALLERS = 40


@pytest.mark.parametrize("seed", range(12))
def test_every_wait_is_bounded_when_the_centre_has_people_enough(seed: int) -> None:
    """Three operators, each call 10 to 20 s, one caller every 6 to 12 s: two thirds of what they can take."""
    rng = random.Random(seed)  # noqa: S311 - a world, not a secret
    world = World(
        {
            name: [answers(rng.uniform(0.5, 3.0), talks_seconds=rng.uniform(10.0, 20.0)) for _ in range(40)]
            for name in _OPERATORS
        },
        settings=replace(SETTINGS, wrap_up_seconds=2.0),
        skills={"budi": ["health"]},
        seed=seed,
    )
    for number in range(_CALLERS):
        world.arrive(f"c{number}", keys=[(0.2, rng.choice("12345"))], number=f"+62812{number:05}")
        world.run(rng.uniform(6.0, 12.0))
    world.run(120.0)
    queued = {fact.call: fact.at for fact in world.facts(CallQueued)}
    waits = [(fact.at - queued[fact.call]).total_seconds() for fact in world.facts(CallConnected)]
    assert len(waits) == _CALLERS
    assert max(waits) < 30.0
    assert sum(wait <= 15.0 for wait in waits) >= 0.9 * _CALLERS
    assert {fact.stage for fact in world.facts(CallEnded)} == {Stage.ANSWERED}
    assert all(fact.operator is not None for fact in world.facts(OfferMade))
    assert world.at_rest


def test_callers_of_one_tier_are_answered_in_the_order_of_their_arrival_when_all_wait_for_one_operator() -> None:
    world = World({"ani": answers(0.5, talks_seconds=8.0)}, settings=replace(SETTINGS, wrap_up_seconds=1.0))
    calls = []
    for number in range(6):
        calls.append(world.arrive(f"c{number}", keys=[(0.1, "2")], number=None))
        world.run(0.4)
    world.run(58.0)
    assert [fact.call for fact in world.facts(CallConnected)] == calls


@pytest.mark.parametrize("seed", range(200, 212))
def test_every_timer_ends_when_nobody_calls_any_more(seed: int) -> None:
    """What is left after an hour is a citizen to be called back, an operator's break, and the roster's next look."""
    world = RandomHistory(seed).run()
    world.run(3600.0)
    left = {running.timer.kind for running in world.switchboard.state.timers.values()}
    assert left <= {TimerKind.CALLBACK, TimerKind.SEATS}
    assert not world.switchboard.state.recalls
