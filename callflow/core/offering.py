"""Decides what follows when an offered phone rings, answers, refuses, rings out or is lost, and joins the parties."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import desk, ending, queueing, seeking
from callflow.core.commands import DestroyBridge, JoinLegs, ReleaseLeg
from callflow.core.events import LegGone, LegJoined, OfferAnswered, OfferRang
from callflow.core.facts import AlarmKind, CallConnected, HangupParty, OfferClosed, PersonLost, QueueReason
from callflow.core.ids import CallId, OfferId, offer_channel, talk_bridge
from callflow.core.state import Call, Offer
from callflow.core.states import (
    CALL_TRANSITIONS,
    OFFER_TRANSITIONS,
    CallState,
    CallTrigger,
    OfferState,
    OfferTrigger,
    advance,
)
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

JOIN_LIMIT_SECONDS: Final = 3.0
"""An answered phone is joined with the caller within this time, or the next phone is sought."""
HANGUP_CAUSES: Final = frozenset({16, 31})
"""Q.850 causes of a person who hung up (normal clearing; normal, unspecified). Any other: the leg was lost."""
_RANG_OUT_CAUSES: Final = frozenset({18, 19, 102})
_UNKNOWN_CAUSE: Final = 0


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
    turn.cancel(offer.offer, TimerKind.OFFER_RING)
    turn.ledger.put_offer(answered)
    turn.note(OfferClosed(at=turn.at, call=call.call, offer=offer.offer, outcome=answered.state, cause=None))
    operator = seeking.operator_of(turn, offer)
    if operator is not None:
        desk.pick_up(turn, operator)
    ending.withdraw_offers(turn, call.call, but=offer.offer)
    turn.cancel(call.call, *queueing.WAITING_TIMERS)
    call = replace(queueing.stop_playing(turn, call), person=offer.offer, joined=frozenset())
    turn.ledger.put_call(call)
    turn.do(
        JoinLegs(call=call.call, bridge=talk_bridge(call.call), caller_channel=call.channel, offer=offer.offer),
    )
    turn.start(TimerKind.OFFER_JOIN, offer.offer, JOIN_LIMIT_SECONDS)


def on_unknown_leg(turn: Turn, call: CallId, offer: OfferId) -> None:
    """A leg that we gave up rings or was answered (the command for it timed out, and was carried out): hang it up."""
    turn.do(ReleaseLeg(call=call, offer=offer))


def on_rang(turn: Turn, event: OfferRang) -> None:
    """The phone rings: nothing to decide; the journal keeps the moment."""
    if turn.ledger.offer(event.offer) is None:
        on_unknown_leg(turn, event.call, event.offer)


def on_joined(turn: Turn, event: LegJoined) -> None:
    """A channel is in the talk bridge. With caller and person both there, the call is answered."""
    call = turn.ledger.call(event.call)
    if (
        call is None
        or call.person is None
        or event.bridge != talk_bridge(call.call)
        or call.state is CallState.CONNECTED
    ):
        return
    joined = call.joined | {event.channel}
    call = replace(call, joined=joined)
    if {call.channel, offer_channel(call.person or OfferId(""))} <= joined:
        call = connect(turn, call)
    turn.ledger.put_call(call)


def connect(turn: Turn, call: Call) -> Call:
    """The caller and the answered person are in one bridge; the call as it is then, not yet written."""
    offer = None if call.person is None else turn.ledger.offer(call.person)
    assert offer is not None, "a joined person has an offer"
    turn.cancel(offer.offer, TimerKind.OFFER_JOIN)
    turn.ledger.put_offer(replace(offer, met=True))
    turn.note(
        CallConnected(
            at=turn.at,
            call=call.call,
            offer=offer.offer,
            operator=offer.operator,
            destination=offer.outside,
        )
    )
    return replace(
        call,
        state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PERSON_JOINED),
        connected_at=call.connected_at or turn.at,
        at_head=False,
    )


def on_leg_gone(turn: Turn, event: LegGone) -> None:
    """An offered leg is gone: refused, rung out, withdrawn, hung up or lost."""
    offer = turn.ledger.offer(event.offer)
    if offer is None:
        return
    turn.cancel(offer.offer, TimerKind.LEG_RELEASE, TimerKind.OFFER_JOIN)
    call = turn.ledger.call(offer.call)
    if offer.state is OfferState.RINGING:
        trigger = OfferTrigger.RANG_OUT if event.cause in _RANG_OUT_CAUSES else OfferTrigger.REFUSED
        offer = ending.close_offer(turn, offer, trigger, cause=event.cause)
    not_taken = offer.state in (OfferState.DECLINED, OfferState.TIMED_OUT)
    ending.free_operator(turn, offer, set_aside=not_taken or _left_waiting(call, offer), wrap_up=offer.met)
    turn.ledger.drop_offer(offer)
    if not_taken:
        seeking.after_refusal(turn, offer)
    if call is not None and call.person == offer.offer:
        _person_gone(turn, call, offer, event.cause)


def _left_waiting(call: Call | None, offer: Offer) -> bool:
    """Whether the phone answered and never met the caller, who waits on: it would be rung again at once, for ever."""
    return offer.state is OfferState.ANSWERED and not offer.met and call is not None and call.state is CallState.QUEUED


def _person_gone(turn: Turn, call: Call, offer: Offer, cause: int) -> None:
    if call.state is CallState.CONNECTED and cause in HANGUP_CAUSES:
        by = HangupParty.OPERATOR if offer.operator is not None else HangupParty.DESTINATION
        ending.hang_up(turn, replace(call, person=None), ending.stage_of(call), by)
        turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))
    else:
        lose_person(turn, call, offer, cause)


def lose_person(turn: Turn, call: Call, offer: Offer, cause: int) -> None:
    """The person's leg is lost, or could not be joined: the caller stays, at the head of the queue.

    Who is ready is rung at once; everyone, where nobody is, after a moment: phones that drop what they answer must
    not spin either.
    """
    turn.note(PersonLost(at=turn.at, call=call.call, offer=offer.offer, cause=cause))
    trigger = CallTrigger.PERSON_LOST if call.state is CallState.CONNECTED else CallTrigger.RETURNED
    queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.PERSON_LOST, trigger)
    turn.start(TimerKind.SEEK_AGAIN, call.call, seeking.NEXT_ROUND_SECONDS)
    turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))


def on_ring_over(turn: Turn, subject: str) -> None:
    """The phone rang for as long as it may: the next one is sought at once, while this leg is being hung up."""
    offer = turn.ledger.offer(OfferId(subject))
    if offer is not None and offer.state is OfferState.RINGING:
        offer = ending.close_offer(turn, offer, OfferTrigger.RANG_OUT)
        seeking.after_refusal(turn, offer)


def on_join_overdue(turn: Turn, subject: str) -> None:
    """An answered phone could not be joined with the caller."""
    join_failed(turn, OfferId(subject))


def join_failed(turn: Turn, name: OfferId) -> None:
    """Let the answered leg go and seek the next person."""
    offer = turn.ledger.offer(name)
    call = None if offer is None else turn.ledger.call(offer.call)
    if offer is None or call is None or call.person != name or call.state is not CallState.QUEUED:
        return
    part(turn, call, name)


def part(turn: Turn, call: Call, person: OfferId) -> None:
    """The call's person and the caller are not together: let the leg go and seek the next person."""
    offer = turn.ledger.offer(person)
    assert offer is not None, "a call's person has a leg"
    turn.cancel(person, TimerKind.OFFER_JOIN)
    ending.release_leg(turn, offer)
    lose_person(turn, call, offer, _UNKNOWN_CAUSE)


def on_leg_release_overdue(turn: Turn, subject: str) -> None:
    """A leg that we hung up never reported its end: hang up again and say so."""
    offer = turn.ledger.offer(OfferId(subject))
    if offer is not None:
        turn.incident(AlarmKind.LEG_STUCK, offer.operator or "", "a leg does not go though it was hung up")
        ending.release_leg(turn, offer)
