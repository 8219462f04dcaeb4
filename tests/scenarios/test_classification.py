"""Classification: what a call was, said by who took it or by somebody who may, during it or long after."""

from __future__ import annotations

import pytest

from callflow.core.city import Classification
from callflow.core.commands import Refusal
from callflow.core.facts import CallClassified
from callflow.core.ids import CallId
from callflow.core.states import CallState, OperatorState

from .phones import answers, never_answers
from .stages import in_talk, left_with_party, talking_back
from .world import World


def said(world: World) -> list[tuple[str, str, str | None]]:
    return [(fact.call, fact.classification, fact.operator) for fact in world.facts(CallClassified)]


def test_call_is_classified_during_the_talk_in_the_wrap_up_and_afterwards_and_every_word_is_kept() -> None:
    stage = in_talk()
    world, call = stage.world, stage.call
    assert world.classify("ani", Classification.NORMAL) is None
    assert stage.state is CallState.CONNECTED
    world.run(2.0)
    world.hang_up_phone("ani")
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    assert world.classify("ani", Classification.GHOST) is None
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.run(60.0)
    assert world.classify("ani", Classification.PRANK) is None
    assert said(world) == [(call, what, "ani") for what in ("normal", "ghost", "prank")]


def test_call_in_hand_is_meant_before_the_last_one() -> None:
    world = World({"ani": answers(0.5, talks_seconds=5.0)})
    first = world.arrive("a", keys=[(0.1, "2")], number=None)
    world.run(40.0)
    second = world.arrive("b", keys=[(0.1, "2")], number=None)
    world.run(2.0)
    world.classify("ani", Classification.NORMAL)
    world.classify("ani", Classification.PRANK, call=first)
    assert said(world) == [(second, "normal", "ani"), (first, "prank", "ani")]


def test_operator_who_left_caller_and_agency_may_still_say_what_it_was() -> None:
    stage = left_with_party()
    assert stage.world.classify("ani", Classification.NORMAL) is None
    assert said(stage.world) == [(stage.call, "normal", "ani")]


def test_call_back_is_classified_as_any_call() -> None:
    stage = talking_back()
    assert stage.world.classify("ani", Classification.INFORMASI) is None
    assert said(stage.world) == [(stage.call, "informasi", "ani")]


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("ani", Refusal.NO_CALL), ("nobody", Refusal.UNKNOWN_OPERATOR), (None, Refusal.UNKNOWN_OPERATOR)],
)
def test_word_is_refused_when_no_call_is_meant(name: str | None, refusal: Refusal) -> None:
    world = World({"ani": never_answers()})
    world.arrive("a", keys=[(0.1, "2")], number=None, hangs_up_after=5.0)
    world.run(8.0)
    assert world.classify(name, Classification.NORMAL) is refusal
    assert said(world) == []


def test_auditor_names_any_call() -> None:
    world = World({"ani": answers()})
    assert world.classify(None, Classification.PRANK, call=CallId("node1-old"), by="sari") is None
    (fact,) = world.facts(CallClassified)
    assert (fact.call, fact.by, fact.operator) == ("node1-old", "sari", None)
