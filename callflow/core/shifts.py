"""Follows the roster: which shifts run, who is expected and there, and the alarm about a seat that stays empty."""

from __future__ import annotations

from datetime import timedelta

from callflow.core import roster
from callflow.core.centre_facts import AlarmKind, RosterInForce, ShiftBegan
from callflow.core.events import RosterChanged
from callflow.core.ids import OperatorId
from callflow.core.roster import Sitting
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

_LONGEST_UNTIL_NEXT_LOOK = timedelta(hours=24)


def on_roster_changed(turn: Turn, event: RosterChanged) -> None:
    """A new roster is in force at once."""
    turn.ledger.put_roster(event.roster)
    turn.note(RosterInForce(at=turn.at, roster=event.roster))
    look(turn)


def on_look_due(turn: Turn, subject: str) -> None:
    """A shift begins or ends, or its grace is over."""
    look(turn)


def look(turn: Turn) -> None:
    """See which shifts run now, tell of those that began, and set the time of the next look."""
    state, settings = turn.ledger.state, turn.ledger.settings
    running = roster.sittings(state.roster, settings.zone, turn.at)
    for sitting in running:
        if state.looked_at is None or sitting.begins > state.looked_at:
            present = tuple(name for name in sitting.expected if is_there(turn, name))
            turn.note(
                ShiftBegan(
                    at=turn.at, shift=sitting.shift, until=sitting.ends, expected=sitting.expected, present=present
                )
            )
    turn.ledger.put_sittings(running, turn.at)
    grace = timedelta(seconds=settings.seat_grace_seconds)
    moments = [turn.at + _LONGEST_UNTIL_NEXT_LOOK, *(s.begins + grace for s in running if s.begins + grace > turn.at)]
    change = roster.next_change(state.roster, settings.zone, turn.at)
    if change is not None:
        moments.append(change)
    turn.start(TimerKind.SEATS, "", (min(moments) - turn.at).total_seconds())


def is_there(turn: Turn, name: OperatorId) -> bool:
    """Whether this person is at the desk: signed in with a registered phone, on a break or not."""
    operator = turn.ledger.operator(name)
    return operator is not None and operator.active and operator.signed_in and operator.online


def empty_seats(turn: Turn) -> bool:
    """Whether a seat of a shift stands empty past its grace."""
    return any(_missing(turn, sitting) for sitting in turn.ledger.state.sittings)


def _missing(turn: Turn, sitting: Sitting) -> tuple[OperatorId, ...]:
    """Who is expected and not there, where fewer than the seats are filled and the grace is over."""
    grace = timedelta(seconds=turn.ledger.settings.seat_grace_seconds)
    if not sitting.begins + grace <= turn.at < sitting.ends:
        return ()
    missing = tuple(name for name in sitting.expected if not is_there(turn, name))
    filled = len(sitting.expected) - len(missing)
    return missing if filled < sitting.seats else ()


def watch_seats(turn: Turn) -> None:
    """Keep the alarm about empty seats true, one for each shift. Run at the end of every turn."""
    missing = {sitting.shift: _missing(turn, sitting) for sitting in turn.ledger.state.sittings}
    for alarm in tuple(turn.ledger.state.alarms.values()):
        if alarm.kind is AlarmKind.SEAT_EMPTY and not missing.get(alarm.subject):
            turn.clear(AlarmKind.SEAT_EMPTY, alarm.subject)
    for shift, names in missing.items():
        if names:
            turn.alarm(AlarmKind.SEAT_EMPTY, shift, f"not at the desk: {', '.join(names)}; every phone rings")
