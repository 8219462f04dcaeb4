"""Ends a call: releases every leg that was sought for the caller, and says at which stage the call ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import callbacks, causes, desk, parties, queueing, recalls, seeking
from callflow.core.commands import DestroyBridge, DialplanLabel, EndCall, HandBack, ReleaseLeg
from callflow.core.facts import (
    CallEnded,
    CallHandedBack,
    Direction,
    HangupParty,
    LegPurpose,
    OfferClosed,
    PartyEnd,
    PartyGone,
    Stage,
)
from callflow.core.ids import CallId, OfferId, talk_bridge
from callflow.core.queueing import WAITING_TIMERS
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

RELEASE_LIMIT_SECONDS: Final = 5.0
"""A leg or caller that we hung up is gone within this time, or we hang up again."""


def stage_of(call: Call) -> Stage:
    """The stage of the funnel at which this call ends when it ends now."""
    if call.direction is Direction.OUTBOUND:
        return Stage.OUTBOUND_REACHED if call.connected_at is not None else Stage.OUTBOUND_NOT_REACHED
    if call.connected_at is not None:
        return Stage.ANSWERED
    return Stage.ABANDONED_IN_QUEUE if call.queued_at is not None else Stage.ABANDONED_IN_IVR


def caller_gone(turn: Turn, call: Call, cause: int, by: HangupParty = HangupParty.CALLER) -> None:
    """The caller's channel is gone: the call is over, if it was not before."""
    if call.state is not CallState.ENDED:
        _close(turn, call, stage_of(call), by, cause)
    turn.cancel(call.call, TimerKind.CALL_RELEASE)
    turn.ledger.drop_call(call.call)


def hang_up(turn: Turn, call: Call, stage: Stage, by: HangupParty) -> None:
    """End the call from our side; it is forgotten once the caller's channel is gone."""
    _close(turn, call, stage, by, causes.NORMAL_CLEARING)
    over = replace(call, state=CallState.ENDED, playing=None, person=None, party=None, seeks=False)
    turn.ledger.put_call(over)
    turn.do(EndCall(call=call.call, channel=call.channel))
    turn.start(TimerKind.CALL_RELEASE, call.call, RELEASE_LIMIT_SECONDS)


def no_citizen(turn: Turn, call: Call, cause: int, by: HangupParty = HangupParty.DESTINATION) -> None:
    """An outbound call is over before the citizen was there: no channel of the citizen's is left to wait for."""
    _close(turn, call, stage_of(call), by, cause)
    turn.ledger.drop_call(call.call)


def hand_back(turn: Turn, call: Call, reason: str) -> None:
    """Give the caller to the dialplan's fallback: we cannot serve this call any more."""
    call = queueing.stop_playing(turn, call)  # who is sent on goes once what plays is over
    turn.do(HandBack(call=call.call, channel=call.channel, label=DialplanLabel.FALLBACK, step=str(call.state)))
    let_return(turn, call, reason)


def let_return(turn: Turn, call: Call, reason: str) -> None:
    """The caller is in the dialplan, or on the way there: release the legs and forget the call."""
    advance(CALL_TRANSITIONS, call.state, CallTrigger.HANDED_BACK)
    _let_go(turn, call)
    callbacks.attempt_over(turn, call)
    callbacks.redial_over(turn, call)
    turn.note(CallHandedBack(at=turn.at, call=call.call, reason=reason))
    turn.ledger.drop_call(call.call)


def withdraw_offers(turn: Turn, call: CallId, *, but: OfferId | None = None) -> None:
    """Take back every offer of the call that still rings for a person to serve it."""
    for offer in turn.ledger.offers_of(call):
        if offer.state is OfferState.RINGING and offer.purpose is LegPurpose.PERSON and offer.offer != but:
            withdraw(turn, offer)


def withdraw(turn: Turn, offer: Offer) -> None:
    """Take back an offer that still rings."""
    close_offer(turn, offer, OfferTrigger.TAKEN_BACK)


def close_offer(turn: Turn, offer: Offer, trigger: OfferTrigger, cause: int | None = None) -> Offer:
    """End a ringing offer. Unless the leg is gone already (`cause`), hang it up."""
    closed = replace(offer, state=advance(OFFER_TRANSITIONS, offer.state, trigger))
    turn.cancel(offer.offer, TimerKind.OFFER_RING, TimerKind.OFFER_SILENT)
    turn.ledger.put_offer(closed)
    turn.note(OfferClosed(at=turn.at, call=offer.call, offer=offer.offer, outcome=closed.state, cause=cause))
    if cause is None:
        release_leg(turn, offer)
    return closed


def release_leg(turn: Turn, offer: Offer) -> None:
    """Hang up an offered leg, and see to it that it goes."""
    turn.do(ReleaseLeg(call=offer.call, offer=offer.offer))
    turn.start(TimerKind.LEG_RELEASE, offer.offer, RELEASE_LIMIT_SECONDS)


def on_call_release_overdue(turn: Turn, subject: str) -> None:
    """A caller whom we hung up is still there: hang up again."""
    call = turn.ledger.call(CallId(subject))
    if call is not None and call.state is CallState.ENDED:
        turn.do(EndCall(call=call.call, channel=call.channel))
        turn.start(TimerKind.CALL_RELEASE, call.call, RELEASE_LIMIT_SECONDS)


def _close(turn: Turn, call: Call, stage: Stage, by: HangupParty, cause: int) -> None:
    advance(CALL_TRANSITIONS, call.state, CallTrigger.ENDED)
    _let_go(turn, call)
    turn.note(CallEnded(at=turn.at, call=call.call, stage=stage, ended_by=by, cause=cause))
    queueing.count_talk(turn, call)
    unserved = recalls.was_left_unserved(call, stage, by, cause)
    if unserved:
        recalls.remember(turn, call)
    callbacks.on_call_ended(turn, call, unserved=unserved)


def _let_go(turn: Turn, call: Call) -> None:
    turn.cancel(call.call, TimerKind.NODE_INPUT, TimerKind.NODE_PROMPT, TimerKind.CITIZEN, *WAITING_TIMERS)
    withdraw_offers(turn, call.call)
    for offer in (turn.ledger.person_of(call), turn.ledger.party_of(call)):
        if offer is not None and offer.state is OfferState.RINGING:
            withdraw(turn, offer)
        elif offer is not None:
            turn.cancel(offer.offer, TimerKind.OFFER_JOIN, TimerKind.PARTY_SILENT, TimerKind.CODE_DIGITS)
            release_leg(turn, offer)
    party = call.party
    if party is not None:
        turn.note(PartyGone(at=turn.at, call=call.call, name=party.name, offer=party.offer, reason=PartyEnd.CALL_OVER))
    if call.state is CallState.CONSULTING:
        parties.end_consultation(turn, call)
    if call.person is not None or call.party is not None:
        turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))


def free_operator(turn: Turn, offer: Offer, *, set_aside: bool, wrap_up: bool) -> None:
    """The offer's leg is gone: its operator, if this person is still held by it, is freed."""
    operator = seeking.operator_of(turn, offer)
    if operator is not None:
        desk.release(turn, operator, set_aside=set_aside, wrap_up=wrap_up)
