"""Decides what a caller who gave up and calls again finds: the old place in line, within three minutes."""

from __future__ import annotations

from dataclasses import replace

from callflow.core.facts import Stage
from callflow.core.state import Call, Recall
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

_GAVE_UP = frozenset({Stage.ABANDONED_IN_IVR, Stage.ABANDONED_IN_QUEUE})


def remember(turn: Turn, call: Call, stage: Stage) -> None:
    """A citizen's call is over: whoever met no person keeps the place for a while. Unknown callers are never pooled."""
    number = call.caller.number
    if number is None or stage not in _GAVE_UP:
        return
    recall = Recall(call=call.call, place_at=call.place_at or call.arrived_at, at_head=call.at_head)
    turn.ledger.put_recall(number, recall)
    turn.start(TimerKind.RECALL, number, turn.ledger.settings.recall_within_seconds)


def take_place(turn: Turn, call: Call) -> Call:
    """Give a call the place that its number had a moment ago; the call as it is then, not yet written."""
    number = call.caller.number
    recall = None if number is None else turn.ledger.state.recalls.get(number)
    if number is None or recall is None:
        return call
    turn.cancel(number, TimerKind.RECALL)
    turn.ledger.put_recall(number, None)
    return replace(call, place_at=recall.place_at, at_head=recall.at_head)


def on_over(turn: Turn, subject: str) -> None:
    """The old place is kept no longer."""
    turn.ledger.put_recall(subject, None)
