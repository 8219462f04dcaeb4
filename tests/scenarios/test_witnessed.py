"""Calls that the dialplan served alone, as CEL tells of them afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callflow.core.events import Caller
from callflow.core.ids import CallId
from callflow.core.reports import FallbackWitnessed

from .phones import never_answers
from .world import World

NUMBER = "+6281200007"


def witnessed(world: World, *, number: str | None = NUMBER, answered: bool = False, hours_ago: float = 0.0) -> CallId:
    """CEL tells of a call that ended so many hours ago."""
    call = CallId("node1-fallback")
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
