"""Calls that the dialplan served alone, as CEL tells of them afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callflow.core.centre_facts import CallbackClosed
from callflow.core.events import Caller
from callflow.core.facts import CallServedInFallback
from callflow.core.ids import CallId
from callflow.core.reports import FallbackWitnessed
from callflow.core.requests import CallbackOutcome
from callflow.journal.codec import decode_state, encode_state

from .phones import never_answers
from .stages import CITIZEN
from .world import World

NUMBER = "+6281200007"
FALLBACK = CallId("node1-fallback")


def witnessed(
    world: World,
    *,
    number: str | None = NUMBER,
    answered: bool = False,
    hours_ago: float = 0.0,
    call: CallId = FALLBACK,
) -> CallId:
    """CEL tells of a call that ended so many hours ago."""
    ended = world.schedule.now - timedelta(hours=hours_ago)
    world.take(
        FallbackWitnessed(
            at=world.schedule.now,
            call=call,
            caller=Caller(number=number, raw=number or "anonymous"),
            dialled="112",
            trunk="trunk-city",
            arrived_at=ended - timedelta(seconds=30),
            answered_at=ended - timedelta(seconds=10) if answered else None,
            answered_by="op-ani" if answered else None,
            ended_at=ended,
            hung_up_by="trunk-city",
            cause=16,
        )
    )
    return call


def test_callback_is_opened_when_a_caller_gave_up_in_the_fallback() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    call = witnessed(world)
    assert [(each.call, each.number) for each in world.switchboard.state.callbacks.values()] == [(call, NUMBER)]


@pytest.mark.parametrize(
    "told", [{"number": None}, {"answered": True}, {"hours_ago": 2.0}], ids=["unknown", "answered", "long ago"]
)
def test_no_callback_is_opened_when_nobody_is_to_be_called_back(told: dict[str, object]) -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    witnessed(world, **told)  # type: ignore[arg-type]
    assert not world.switchboard.state.callbacks


def test_callback_is_settled_when_the_fallback_had_brought_to_a_person_whom_we_took_for_one_who_gave_up() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.2, "2")], number=CITIZEN, hangs_up_after=5.0)
    world.run(6.0)
    assert list(world.switchboard.state.callbacks) == [call]
    world.run(30.0)  # CEL is read when the engine is there again
    witnessed(world, number=CITIZEN, answered=True, call=call)
    assert not world.switchboard.state.callbacks
    (closed,) = world.facts(CallbackClosed, call)
    assert closed.outcome is CallbackOutcome.NOT_NEEDED


def test_caller_is_taken_in_once_when_told_of_again_also_by_the_next_engine() -> None:
    world = World({"ani": never_answers()}, signed_in=False)
    witnessed(world)
    witnessed(world)
    world.restart(decode_state(encode_state(world.checkpoint())))
    witnessed(world)
    assert len(world.facts(CallServedInFallback, FALLBACK)) == 1
    witnessed(world, call=CallId("node1-another"), number="+6281200008")
    assert len(world.facts(CallServedInFallback)) == 2
