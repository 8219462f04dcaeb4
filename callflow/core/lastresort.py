"""Decides when the centre's last-resort list rings: no phone is registered, or a wait passed its limit."""

from __future__ import annotations

from dataclasses import replace

from callflow.core.centre_facts import AlarmKind
from callflow.core.facts import LegPurpose
from callflow.core.ids import CallId
from callflow.core.seeking import NEXT_ROUND_SECONDS, dial_destination
from callflow.core.state import Call, Offer
from callflow.core.states import CallState, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def watch(turn: Turn) -> None:
    """Where no phone is registered nobody inside can be rung: the list rings at once. Run at the end of every turn."""
    if not any(operator.active and operator.online for operator in turn.ledger.operators()):
        for call in turn.ledger.waiting():
            if call.state is CallState.QUEUED:
                ring_next(turn, call)


def on_due(turn: Turn, subject: str) -> None:
    """A call waited past the centre's limit, or the list's next round is due."""
    call = turn.ledger.call(CallId(subject))
    if call is not None and call.person is None and call.state is CallState.QUEUED:
        ring_next(turn, call)


def after_refusal(turn: Turn, offer: Offer) -> None:
    """A number of the list did not take the call: go on to the next one."""
    on_due(turn, offer.call)


def ring_next(turn: Turn, call: Call) -> None:
    """Ring the next number of the list for this caller, while operators are still sought."""
    destinations = turn.ledger.settings.last_resort
    if not destinations:
        turn.alarm(AlarmKind.LAST_RESORT_EMPTY, "", "the centre has no last-resort list: add one to centre.toml")
        if not turn.runs(TimerKind.LAST_RESORT, call.call):  # looked at again: the list may be filled meanwhile
            turn.start(TimerKind.LAST_RESORT, call.call, NEXT_ROUND_SECONDS)
        return
    turn.clear(AlarmKind.LAST_RESORT_EMPTY, "")
    if _rings(turn, call) or (turn.runs(TimerKind.LAST_RESORT, call.call) and call.last_resort):
        return
    if call.next_destination >= len(destinations):
        turn.incident(AlarmKind.LAST_RESORT_FAILED, "", "no number of the last-resort list answered; it rings again")
        turn.ledger.put_call(replace(call, last_resort=True, next_destination=0))
        turn.start(TimerKind.LAST_RESORT, call.call, NEXT_ROUND_SECONDS)
        return
    place = call.next_destination
    turn.ledger.put_call(replace(call, last_resort=True, next_destination=place + 1))
    turn.cancel(call.call, TimerKind.LAST_RESORT)
    seconds = turn.ledger.settings.last_resort_ring_seconds
    reason = f"last-resort list, {place + 1} of {len(destinations)}"
    dial_destination(turn, call, destinations[place], seconds, LegPurpose.PERSON, reason)


def _rings(turn: Turn, call: Call) -> bool:
    return any(
        offer.destination is not None and offer.purpose is LegPurpose.PERSON and offer.state is OfferState.RINGING
        for offer in turn.ledger.offers_of(call.call)
    )
