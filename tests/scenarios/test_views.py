"""What the wall shows at every stage, and what a checkpoint on disk brings back of it."""

from __future__ import annotations

import json

import pytest

from callflow.core.facts import Direction
from callflow.core.states import CallState
from callflow.core.view import view
from callflow.journal.codec import decode_state, encode_state

from .random_history import RandomHistory
from .stages import STAGES


@pytest.mark.parametrize("name", STAGES)
def test_view_tells_who_is_with_the_caller_at_every_stage(name: str) -> None:
    stage = STAGES[name]()
    call = stage.world.call(stage.call)
    seen = view(stage.world.switchboard.state, stage.world.schedule.now)
    assert json.loads(json.dumps(seen)) == seen
    (shown,) = [one for one in seen["calls"] if one["call"] == stage.call]
    assert shown["state"] == call.state
    assert (shown["operator"] == "ani") is (call.person is not None)
    assert (shown["party"] is not None) is (call.party is not None)
    if call.state in (CallState.CONSULTING, CallState.THREE_WAY, CallState.AGENCY_ONLY):
        assert shown["party"]["joined"]
    assert (shown["direction"] == "outbound") is (call.direction is Direction.OUTBOUND)
    assert (shown["position"] == 1) is (call.seeks and call.person is None)


@pytest.mark.parametrize("name", STAGES)
def test_checkpoint_on_disk_brings_every_stage_back(name: str) -> None:
    stage = STAGES[name]()
    state = stage.world.switchboard.state
    assert decode_state(json.loads(json.dumps(encode_state(state)))) == state


@pytest.mark.parametrize("seed", [7, 77, 777])
def test_view_and_checkpoint_hold_whatever_happened(seed: int) -> None:
    history = RandomHistory(seed)
    take = history.world.take

    def look_and_take(event: object) -> object:
        state = history.world.switchboard.state
        json.dumps(view(state, history.world.schedule.now))
        assert decode_state(json.loads(json.dumps(encode_state(state)))) == state
        return take(event)  # type: ignore[arg-type]

    history.world.take = look_and_take  # type: ignore[assignment, method-assign]
    assert history.run().at_rest
