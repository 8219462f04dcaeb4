"""Decides what a caller who gave up and calls again finds: the old place in line, within three minutes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import causes
from callflow.core.facts import Direction, HangupParty, Stage
from callflow.core.state import Call, Recall
from callflow.core.states import CallState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

_GAVE_UP: Final = frozenset({Stage.ABANDONED_IN_IVR, Stage.ABANDONED_IN_QUEUE})
_HUNG_UP: Final = causes.HANGUP | {causes.UNKNOWN}
"""Of a caller of whom we only know to be gone we take it for a hang-up."""


def was_left_unserved(call: Call, stage: Stage, by: HangupParty, cause: int) -> bool:
    """Whether a citizen's call ended without what it was for: before a person, waiting again, or broken off in talk."""
    ended_with_asterisk = by is HangupParty.SYSTEM and cause == causes.NETWORK_OUT_OF_ORDER
    if call.direction is Direction.OUTBOUND or not (by is HangupParty.CALLER or ended_with_asterisk):
        return False
    waits_again = call.state is CallState.QUEUED and call.person is None
    broke_off = call.connected_at is not None and cause not in _HUNG_UP
    return stage in _GAVE_UP or waits_again or broke_off


def remember(turn: Turn, call: Call) -> None:
    """Keep the place of a caller who was left unserved for a while. Unknown callers are never pooled."""
    number = call.caller.number
    if number is None:
        return
    person = turn.ledger.person_of(call)
    recall = Recall(
        call=call.call,
        place_at=call.place_at or call.arrived_at,
        at_head=call.at_head or call.connected_at is not None,
        prefer=None if person is None else person.operator,
    )
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
    return replace(call, place_at=recall.place_at, at_head=recall.at_head, prefer=recall.prefer or call.prefer)


def on_over(turn: Turn, subject: str) -> None:
    """The old place is kept no longer."""
    turn.ledger.put_recall(subject, None)
