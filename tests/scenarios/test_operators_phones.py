"""What follows when operators' phones are unplugged, refuse without end, or answer in the wrong moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.core.facts import CallConnected, CallEnded, OfferClosed, OfferMade
from callflow.core.seeking import SILENT_AFTER_SECONDS
from callflow.core.states import CallState, OfferState, OperatorState

from .phones import answers, declines, never_answers, unplugged
from .world import World

STRAIGHT = [(0.1, "2")]


def test_next_phone_rings_within_moments_when_the_first_was_unplugged() -> None:
    world = World({"ani": unplugged(), "budi": answers(1.0)})
    call = world.arrive("a", keys=STRAIGHT)
    world.run(0.3 + SILENT_AFTER_SECONDS)
    assert world.offered(call) == ["ani", "budi"]
    world.run(2.0)
    assert world.call(call).state is CallState.CONNECTED
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_next_phone_rings_at_once_when_the_one_that_rings_is_known_to_be_gone() -> None:
    world = World({"ani": never_answers(), "budi": answers(1.0)})
    call = world.arrive("a", keys=STRAIGHT)
    world.run(1.0)
    assert world.offered(call) == ["ani"]
    world.set_online("ani", online=False)
    world.run(0.1)
    assert world.offered(call) == ["ani", "budi"]


def test_phone_is_answered_late_when_it_never_said_that_it_rings() -> None:
    world = World({"ani": answers(6.0)})
    world.phone("ani").behaviours = [replace(answers(6.0), rings=False)]
    call = world.arrive("a", keys=STRAIGHT)
    world.run(7.0)
    assert world.call(call).state is CallState.CONNECTED
    assert len(world.offered(call)) == 1


@pytest.mark.parametrize("operators", [1, 3])
def test_offers_are_bounded_when_every_phone_declines_at_once_and_without_end(operators: int) -> None:
    world = World({f"op{n}": declines(0.02) for n in range(operators)}, outside={"posko": answers(1.0)})
    call = world.arrive("a", keys=STRAIGHT)
    world.run(20.0)
    offers, events = len(world.facts(OfferMade, call)), len(world.turns)
    assert offers <= operators * 20 / 3 + 1
    assert events < 20 * offers
    world.run(120.0)
    assert world.call(call).state is CallState.CONNECTED, "the last resort answers"


def test_everybody_is_served_by_another_when_one_operator_declines_whatever_comes() -> None:
    world = World({"ani": declines(0.02), "budi": answers(1.0, talks_seconds=5.0)})
    world.change_settings(wrap_up_seconds=0.0)
    for number in range(100):
        world.arrive(f"c{number}", keys=STRAIGHT, number=f"+62812{number:05d}")
        world.run(8.0)
    assert len(world.facts(CallConnected)) == 100
    declined = [fact for fact in world.facts(OfferClosed) if fact.outcome is OfferState.DECLINED]
    assert len(declined) <= 800.0 / 30.0 + 1, "who declines is set aside, and not rung by each caller"
    world.run(60.0)
    assert world.at_rest
    assert world.operator("ani").state is OperatorState.AVAILABLE


@pytest.mark.parametrize("seed", range(20))
def test_nobody_stays_alone_when_answer_and_hang_up_cross(seed: int) -> None:
    """The caller hangs up within 100 ms around the answer, whatever Asterisk tells first."""
    world = World({"ani": answers(1.0), "budi": answers(1.0)}, seed=seed)
    call = world.arrive("a", keys=STRAIGHT, hangs_up_after=1.1 + seed / 200)
    world.run(60.0)
    assert world.at_rest
    assert len(world.facts(CallEnded, call)) == 1
    assert {world.operator(name).state for name in ("ani", "budi")} == {OperatorState.AVAILABLE}


@pytest.mark.parametrize("seed", range(20))
def test_one_has_the_caller_and_the_other_is_free_when_both_answer_at_once(seed: int) -> None:
    """Both ring, for the first did not say that it does."""
    late = replace(answers(SILENT_AFTER_SECONDS + 1.0), rings=False)
    world = World({"ani": late, "budi": answers(1.0)}, seed=seed)
    call = world.arrive("a", keys=STRAIGHT)
    world.run(10.0)
    assert world.call(call).state is CallState.CONNECTED
    assert len(world.facts(CallConnected, call)) == 1
    states = sorted(world.operator(name).state for name in ("ani", "budi"))
    assert states == [OperatorState.AVAILABLE, OperatorState.ON_CALL]
    assert len(world.pbx.legs) == 1
