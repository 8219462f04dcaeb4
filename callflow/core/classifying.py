"""Decides what is kept of a person's word on what a call was: during the call, in the wrap-up, or long after."""

from __future__ import annotations

from callflow.core.city import Classification
from callflow.core.commands import Refusal, Reply
from callflow.core.facts import CallClassified
from callflow.core.ids import CallId
from callflow.core.requests import ClassificationRequested
from callflow.core.state import Operator
from callflow.core.turn import Turn


def on_requested(turn: Turn, event: ClassificationRequested) -> None:
    """Somebody classifies a call by the API; who may is decided before."""
    operator = None if event.operator is None else turn.ledger.operator(event.operator)
    if event.call is not None:
        refusal: Refusal | None = None
        _note(turn, event.call, event.classification, event.by, operator)
    elif operator is None:
        refusal = Refusal.UNKNOWN_OPERATOR
    else:
        refusal = classify_own(turn, operator, event.classification)
    turn.do(Reply(request=event.request, refusal=refusal))


def classify_own(turn: Turn, operator: Operator, classification: Classification) -> Refusal | None:
    """An operator classifies the call in hand, or the last one."""
    call = operator.call or operator.last_call
    if call is None:
        return Refusal.NO_CALL
    _note(turn, call, classification, operator.profile.operator, operator)
    return None


def _note(turn: Turn, call: CallId, what: Classification, by: str, operator: Operator | None) -> None:
    name = None if operator is None else operator.profile.operator
    turn.note(CallClassified(at=turn.at, call=call, classification=what, by=by, operator=name))
