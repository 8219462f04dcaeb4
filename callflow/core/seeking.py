"""Decides which phone rings for which waiting caller: who is idle longest, or everyone when nobody is ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import desk
from callflow.core.commands import DialDestination, OfferCall
from callflow.core.facts import AlarmKind, OfferMade
from callflow.core.ids import CallId, OperatorId, offer_id
from callflow.core.state import Call, Offer, Operator
from callflow.core.states import CallState, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

NEXT_ROUND_SECONDS: Final = 3.0
"""Between two rounds of ringing everyone, or of the last-resort list: phones that refuse at once must not spin."""
_ASTERISK_MARGIN_SECONDS: Final = 5.0
"""Asterisk's own ring limit is this much longer than ours: it acts only when we do not."""


def seek(turn: Turn) -> None:
    """Offer waiting callers to phones until there is no caller or no phone left. Run at the end of every turn."""
    operators = turn.ledger.operators()
    ready = sorted((o for o in operators if desk.is_ready(o)), key=lambda o: (o.since, o.profile.operator))
    everyone = not any(desk.is_present(o) for o in operators)
    if ready or everyone:
        for call in turn.ledger.waiting():
            if _rings_inside(turn, call):
                continue
            if ready:
                operator = _best(ready, call.skill)
                ready.remove(operator)
                _offer(turn, call, operator)
            elif everyone and not turn.runs(TimerKind.SEEK_AGAIN, call.call):
                for operator in filter(desk.can_ring, turn.ledger.operators()):
                    _offer(turn, call, operator)
            else:
                break
    if not any(o.active and o.online for o in operators):
        for call in turn.ledger.waiting():
            open_last_resort(turn, call)


def _best(ready: list[Operator], skill: str | None) -> Operator:
    return next((operator for operator in ready if skill in operator.profile.skills), ready[0])


def _rings_inside(turn: Turn, call: Call) -> bool:
    return any(o.operator is not None and o.state is OfferState.RINGING for o in turn.ledger.offers_of(call.call))


def _rings_outside(turn: Turn, call: Call) -> bool:
    return any(o.destination is not None and o.state is OfferState.RINGING for o in turn.ledger.offers_of(call.call))


def _offer(turn: Turn, call: Call, operator: Operator) -> None:
    call = _count_offer(turn, call)
    offer = Offer(
        offer=offer_id(call.call, call.offers_made),
        call=call.call,
        operator=operator.profile.operator,
        destination=None,
        state=OfferState.RINGING,
        made_at=turn.at,
    )
    seconds = turn.ledger.settings.ring_seconds
    turn.ledger.put_offer(offer)
    turn.do(
        OfferCall(
            call=call.call,
            offer=offer.offer,
            caller_channel=call.channel,
            endpoint=operator.profile.endpoint,
            ring_seconds=seconds + _ASTERISK_MARGIN_SECONDS,
            caller_number=call.caller.number,
        )
    )
    _begin_ringing(turn, offer, seconds)
    desk.ring(turn, operator, call.call, offer.offer)


def _count_offer(turn: Turn, call: Call) -> Call:
    current = turn.ledger.call(call.call)
    assert current is not None, "only calls of the ledger are offered"
    counted = replace(current, offers_made=current.offers_made + 1)
    turn.ledger.put_call(counted)
    return counted


def _begin_ringing(turn: Turn, offer: Offer, seconds: float) -> None:
    turn.start(TimerKind.OFFER_RING, offer.offer, seconds)
    turn.note(
        OfferMade(
            at=turn.at,
            call=offer.call,
            offer=offer.offer,
            operator=offer.operator,
            destination=offer.outside,
        )
    )


def open_last_resort(turn: Turn, call: Call) -> None:
    """Ring the next number of the centre's last-resort list for this caller, while operators are still sought."""
    destinations = turn.ledger.settings.last_resort
    if not destinations:
        turn.alarm(AlarmKind.LAST_RESORT_EMPTY, "", "the centre has no last-resort list: add one to centre.toml")
        if not turn.runs(TimerKind.LAST_RESORT, call.call):  # looked at again: the list may be filled meanwhile
            turn.start(TimerKind.LAST_RESORT, call.call, NEXT_ROUND_SECONDS)
        return
    turn.clear(AlarmKind.LAST_RESORT_EMPTY, "")
    if _rings_outside(turn, call) or (turn.runs(TimerKind.LAST_RESORT, call.call) and call.last_resort):
        return
    if call.next_destination >= len(destinations):
        turn.incident(AlarmKind.LAST_RESORT_FAILED, "", "no number of the last-resort list answered; it rings again")
        turn.ledger.put_call(replace(call, last_resort=True, next_destination=0))
        turn.start(TimerKind.LAST_RESORT, call.call, NEXT_ROUND_SECONDS)
        return
    destination = destinations[call.next_destination]
    call = _count_offer(turn, call)
    call = replace(call, last_resort=True, next_destination=call.next_destination + 1)
    turn.ledger.put_call(call)
    turn.cancel(call.call, TimerKind.LAST_RESORT)
    offer = Offer(
        offer=offer_id(call.call, call.offers_made),
        call=call.call,
        operator=None,
        destination=destination,
        state=OfferState.RINGING,
        made_at=turn.at,
    )
    seconds = turn.ledger.settings.last_resort_ring_seconds
    turn.ledger.put_offer(offer)
    turn.do(
        DialDestination(
            call=call.call,
            offer=offer.offer,
            caller_channel=call.channel,
            destination=destination,
            ring_seconds=seconds + _ASTERISK_MARGIN_SECONDS,
            caller_number=call.caller.number,
        )
    )
    _begin_ringing(turn, offer, seconds)


def on_last_resort_due(turn: Turn, subject: str) -> None:
    """A call waited past the centre's limit, or the list's next round is due."""
    call = _waiting_call(turn, subject)
    if call is not None:
        open_last_resort(turn, call)


def _waiting_call(turn: Turn, subject: str) -> Call | None:
    call = turn.ledger.call(CallId(subject))
    return call if call is not None and call.person is None and call.state is CallState.QUEUED else None


def after_refusal(turn: Turn, offer: Offer) -> None:
    """An offer was not taken: go on to the next phone."""
    call = _waiting_call(turn, offer.call)
    if call is None:
        return
    if offer.destination is not None:
        open_last_resort(turn, call)
    elif not _rings_inside(turn, call) and not any(desk.is_present(o) for o in turn.ledger.operators()):
        turn.start(TimerKind.SEEK_AGAIN, call.call, NEXT_ROUND_SECONDS)


def operator_of(turn: Turn, offer: Offer) -> Operator | None:
    """The operator whom an offer rings, as long as this person is still held by it."""
    operator = None if offer.operator is None else turn.ledger.operator(OperatorId(offer.operator))
    return operator if operator is not None and operator.offer == offer.offer else None
