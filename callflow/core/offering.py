"""Decides what follows when an offered phone rings, answers, refuses, rings out or is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import causes, connecting, desk, ending, lastresort, losing, outbound, parties, queueing, seeking
from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import ReleaseLeg
from callflow.core.events import EndpointReported, LegGone, OfferAnswered, OfferRang
from callflow.core.facts import Direction, LegPurpose, OfferClosed, PartyEnd
from callflow.core.ids import CallId, OfferId
from callflow.core.state import Call, Offer
from callflow.core.states import OFFER_TRANSITIONS, CallState, OfferState, OfferTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

_WAITING: Final = frozenset({CallState.QUEUED, CallState.AGENCY_ONLY})
_LEG_TIMERS: Final = (TimerKind.LEG_RELEASE, TimerKind.OFFER_JOIN, TimerKind.PARTY_SILENT, TimerKind.CODE_DIGITS)


def on_answered(turn: Turn, event: OfferAnswered) -> None:
    """An offered phone was answered: the first one gets the caller, any other is thanked by a hang-up."""
    offer = turn.ledger.offer(event.offer)
    if offer is None:
        on_unknown_leg(turn, event.call, event.offer)
        return
    if offer.state is not OfferState.RINGING:
        if offer.state is not OfferState.ANSWERED:
            ending.release_leg(turn, offer)
        return
    call = turn.ledger.call(offer.call)
    assert call is not None, "a ringing offer is withdrawn when its call ends"
    answered = replace(offer, state=advance(OFFER_TRANSITIONS, offer.state, OfferTrigger.PICKED_UP))
    turn.cancel(offer.offer, TimerKind.OFFER_RING, TimerKind.OFFER_SILENT)
    turn.ledger.put_offer(answered)
    turn.note(OfferClosed(at=turn.at, call=call.call, offer=offer.offer, outcome=answered.state, cause=None))
    operator = seeking.operator_of(turn, offer)
    if operator is not None:
        desk.pick_up(turn, operator)
    if offer.purpose is LegPurpose.PARTY:
        parties.answered(turn, call, answered)
    else:
        _person_answered(turn, call, answered)


def _person_answered(turn: Turn, call: Call, offer: Offer) -> None:
    """Bring the caller and who serves the call together. A party that still rings is not needed any more."""
    ending.withdraw_offers(turn, call.call, but=offer.offer)
    turn.cancel(call.call, *queueing.WAITING_TIMERS)
    if call.direction is Direction.OUTBOUND and call.state is CallState.ARRIVED:
        outbound.operator_answered(turn, call, offer)
        return
    with_party = call.state is CallState.AGENCY_ONLY
    if not with_party:
        call = queueing.stop_playing(turn, call)
    call = replace(call, person=offer.offer)
    turn.ledger.put_call(call)
    party = turn.ledger.party_of(call)
    if party is not None and party.state is OfferState.RINGING:
        parties.drop(turn, call, PartyEnd.DROPPED)
    if with_party:
        turn.do(parties.add_leg(call, offer))
        turn.start(TimerKind.OFFER_JOIN, offer.offer, parties.JOIN_LIMIT_SECONDS)
    else:
        connecting.join(turn, call, offer.offer)


def on_unknown_leg(turn: Turn, call: CallId, offer: OfferId) -> None:
    """A leg that we gave up rings or was answered (the command for it timed out, and was carried out): hang it up."""
    turn.do(ReleaseLeg(call=call, offer=offer))


def on_rang(turn: Turn, event: OfferRang) -> None:
    """The phone rings: whether others are rung beside it, it is not to be taken for one that is gone."""
    offer = turn.ledger.offer(event.offer)
    if offer is None:
        on_unknown_leg(turn, event.call, event.offer)
        return
    turn.cancel(offer.offer, TimerKind.OFFER_SILENT)
    turn.ledger.put_offer(replace(offer, silent=False))


def on_silent(turn: Turn, subject: str) -> None:
    """The phone does not say that it rings, as one that was unplugged: it may yet, and the next one is rung beside it.

    Seeking follows every turn, so nothing more is to be done for the caller.
    """
    offer = turn.ledger.offer(OfferId(subject))
    if offer is not None and offer.state is OfferState.RINGING:
        turn.ledger.put_offer(replace(offer, silent=True))


def on_endpoint_reported(turn: Turn, event: EndpointReported) -> None:
    """Asterisk tells of a phone; one that rings and is not there any more keeps no caller waiting."""
    desk.on_endpoint_reported(turn, event)
    operator = turn.ledger.operator_at(event.endpoint)
    if operator is not None and not operator.online and operator.offer is not None:
        on_silent(turn, operator.offer)


def on_leg_gone(turn: Turn, event: LegGone) -> None:
    """An offered leg is gone: refused, rung out, withdrawn, hung up or lost."""
    offer = turn.ledger.offer(event.offer)
    if offer is None:
        return
    turn.cancel(offer.offer, *_LEG_TIMERS)
    call = turn.ledger.call(offer.call)
    if offer.state is OfferState.RINGING:
        trigger = OfferTrigger.RANG_OUT if event.cause in causes.RANG_OUT else OfferTrigger.REFUSED
        offer = ending.close_offer(turn, offer, trigger, cause=event.cause)
    not_taken = offer.state in (OfferState.DECLINED, OfferState.TIMED_OUT)
    is_party = offer.purpose is LegPurpose.PARTY
    dropped = _left_waiting(call, offer) or losing.was_dropped(turn, call, offer, event.cause)
    set_aside = dropped or (not_taken and not is_party)
    wrap_up = offer.met_at is not None and not dropped and not losing.was_lost(call, offer, event.cause)
    ending.free_operator(turn, offer, set_aside=set_aside, wrap_up=wrap_up)
    turn.ledger.drop_offer(offer)
    if call is not None and call.party is not None and call.party.offer == offer.offer:
        parties.leg_gone(turn, call, offer, event.cause)
    elif not_taken and not is_party:
        _refused(turn, offer)
    if call is not None and call.person == offer.offer:
        losing.person_gone(turn, call, offer, event.cause)


def _refused(turn: Turn, offer: Offer) -> None:
    """An offer was not taken: go on to the next phone."""
    call = turn.ledger.call(offer.call)
    if call is not None and call.direction is Direction.OUTBOUND and call.state is CallState.ARRIVED:
        outbound.operator_gone(turn, call)
    elif offer.destination is not None:
        lastresort.after_refusal(turn, offer)
    else:
        seeking.after_refusal(turn, offer)


def _left_waiting(call: Call | None, offer: Offer) -> bool:
    """Whether the phone answered and never met the caller, who waits on: it would be rung again at once, for ever."""
    never_met = offer.state is OfferState.ANSWERED and offer.met_at is None
    return never_met and call is not None and call.state in _WAITING


def on_ring_over(turn: Turn, subject: str) -> None:
    """The phone rang for as long as it may: the next one is sought at once, while this leg is being hung up."""
    offer = turn.ledger.offer(OfferId(subject))
    if offer is None or offer.state is not OfferState.RINGING:
        return
    offer = ending.close_offer(turn, offer, OfferTrigger.RANG_OUT)
    call = turn.ledger.call(offer.call)
    if call is not None and call.party is not None and call.party.offer == offer.offer:
        parties.leg_gone(turn, call, offer, causes.UNKNOWN)
    else:
        _refused(turn, offer)


def on_leg_release_overdue(turn: Turn, subject: str) -> None:
    """A leg that we hung up never reported its end: hang up again and say so."""
    offer = turn.ledger.offer(OfferId(subject))
    if offer is not None:
        turn.incident(AlarmKind.LEG_STUCK, offer.operator or "", "a leg does not go though it was hung up")
        ending.release_leg(turn, offer)
