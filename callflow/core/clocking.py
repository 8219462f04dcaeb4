"""Follows the machine's clock when it was set anew: what runs goes on for as long as it would have."""

from __future__ import annotations

from dataclasses import replace

from callflow.core import shifts
from callflow.core.faults import ClockSet
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def on_clock_set(turn: Turn, event: ClockSet) -> None:
    """Move all that lasts to the new time; only shifts go by the clock itself. The shell asks while no call is live."""
    moved = event.at - event.before
    for running in tuple(turn.ledger.state.timers.values()):
        if running.timer.kind is not TimerKind.SEATS:
            left = max(0.0, (running.due - event.before).total_seconds())
            turn.start(running.timer.kind, running.timer.subject, left)
    for operator in turn.ledger.operators():
        turn.ledger.put_operator(replace(operator, since=operator.since + moved))
    for callback in tuple(turn.ledger.state.callbacks.values()):
        turn.ledger.put_callback(
            replace(callback, opened_at=callback.opened_at + moved, deadline=callback.deadline + moved)
        )
    for number, recalled in tuple(turn.ledger.state.recalls.items()):
        turn.ledger.put_recall(number, replace(recalled, place_at=recalled.place_at + moved))
    shifts.look(turn)
