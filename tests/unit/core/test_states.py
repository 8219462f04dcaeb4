from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from callflow.core.states import (
    CALL_TRANSITIONS,
    OFFER_TRANSITIONS,
    OPERATOR_TRANSITIONS,
    CallState,
    CallTrigger,
    IllegalTransition,
    OfferState,
    OfferTrigger,
    OperatorState,
    OperatorTrigger,
    advance,
)

TABLES: dict[str, tuple[Mapping[tuple[Any, Any], Any], type[StrEnum], type[StrEnum], StrEnum, set[StrEnum]]] = {
    "call": (CALL_TRANSITIONS, CallState, CallTrigger, CallState.ARRIVED, {CallState.ENDED}),
    "offer": (OFFER_TRANSITIONS, OfferState, OfferTrigger, OfferState.RINGING, set(OfferState) - {OfferState.RINGING}),
    "operator": (OPERATOR_TRANSITIONS, OperatorState, OperatorTrigger, OperatorState.SIGNED_OUT, set()),
}
EVERY_MOVE = [
    pytest.param(name, state, trigger, id=f"{name}-{state}-{trigger}")
    for name, (_, states, triggers, _, _) in TABLES.items()
    for state, trigger in product(states, triggers)
]


@pytest.mark.parametrize(("name", "state", "trigger"), EVERY_MOVE)
def test_state_moves_as_listed_or_the_move_is_refused(name: str, state: StrEnum, trigger: StrEnum) -> None:
    table = TABLES[name][0]
    if (state, trigger) in table:
        assert advance(table, state, trigger) is table[state, trigger]
        return
    with pytest.raises(IllegalTransition, match=f"{state} does not allow {trigger}") as refused:
        advance(table, state, trigger)
    assert (refused.value.state, refused.value.trigger) == (state, trigger)


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_reached_and_every_trigger_moves_something(name: str) -> None:
    table, states, triggers, beginning, _ = TABLES[name]
    reached, ahead = {beginning}, [beginning]
    while ahead:
        state = ahead.pop()
        new = {after for (before, _), after in table.items() if before is state} - reached
        reached |= new
        ahead += new
    assert reached == set(states)
    assert {trigger for _, trigger in table} == set(triggers)


@pytest.mark.parametrize("name", TABLES)
def test_only_terminal_states_are_never_left(name: str) -> None:
    table, states, _, _, terminal = TABLES[name]
    assert set(states) - {before for before, _ in table} == terminal


def test_call_ends_or_goes_back_from_every_state_in_which_it_lives() -> None:
    for state in set(CallState) - {CallState.ENDED}:
        assert advance(CALL_TRANSITIONS, state, CallTrigger.ENDED) is CallState.ENDED
        assert advance(CALL_TRANSITIONS, state, CallTrigger.HANDED_BACK) is CallState.ENDED


def test_operator_is_freed_from_every_state_in_which_something_holds_the_person() -> None:
    held = (OperatorState.OFFERED, OperatorState.ON_CALL, OperatorState.WRAP_UP, OperatorState.BUSY_ELSEWHERE)
    for state in held:
        assert advance(OPERATOR_TRANSITIONS, state, OperatorTrigger.FREED_AVAILABLE) is OperatorState.AVAILABLE


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CALL_TRANSITIONS[CallState.ENDED, CallTrigger.RETURNED] = CallState.QUEUED  # type: ignore[index]
