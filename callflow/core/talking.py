"""Decides what operators may do about the call in hand: bring a party in, consult, hand over, ask, end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from callflow.core import connecting, ending, losing, parties, queueing, targets
from callflow.core.commands import DestroyBridge, Refusal, Reply
from callflow.core.facts import (
    CallerChallenged,
    ChallengeKind,
    Direction,
    HangupParty,
    OperatorLeft,
    PartyEnd,
    PartyKind,
    PartyMode,
    QueueReason,
)
from callflow.core.ids import talk_bridge
from callflow.core.requests import TalkAction, TalkRequested
from callflow.core.state import Call, Operator, Party
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, OfferState, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

_Verb = Callable[[Turn, Call, Operator, str], Refusal | None]


def on_requested(turn: Turn, event: TalkRequested) -> None:
    """An operator asks by the API."""
    operator = turn.ledger.operator(event.operator)
    if operator is None or not operator.active:
        refusal: Refusal | None = Refusal.UNKNOWN_OPERATOR
    else:
        refusal = act(turn, operator, event.action, event.target)
    turn.do(Reply(request=event.request, refusal=refusal))


def act(turn: Turn, operator: Operator, action: TalkAction, target: str) -> Refusal | None:
    """Do what an operator asks about the call in hand; why not, where it cannot be."""
    call = None if operator.call is None else turn.ledger.call(operator.call)
    if call is None or call.state is CallState.ENDED or call.person is None or call.person != operator.offer:
        return Refusal.NO_CALL
    return _VERBS[action](turn, call, operator, target)


def _bring_in(mode: PartyMode) -> _Verb:
    def verb(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
        party = targets.find(turn, operator, target, mode)
        if call.party is not None:
            return _next_destination(turn, call, party)
        if call.state is not CallState.CONNECTED:
            return Refusal.NOT_NOW
        if isinstance(party, Refusal):
            return party
        parties.seek(turn, call, party)
        return None

    return verb


def _next_destination(turn: Turn, call: Call, meant: Party | Refusal) -> Refusal | None:
    """Asking again for the agency that rings already tries its next number."""
    party = parties.of(call)
    offer = turn.ledger.party_of(call)
    rings = offer is not None and offer.state is OfferState.RINGING
    same = isinstance(meant, Party) and meant.name == party.name
    if not same or not rings or party.next_destination >= len(party.destinations):
        return Refusal.PARTY_THERE
    parties.release(turn, call)
    parties.dial_next(turn, call)
    return None


def _merge(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    refusal = _consulting(turn, call)
    if refusal is None:
        connecting.merge(turn, call)
    return refusal


def _return(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    refusal = _consulting(turn, call)
    if refusal is None:
        parties.drop(turn, call, PartyEnd.DROPPED)
    return refusal


def _consulting(turn: Turn, call: Call) -> Refusal | None:
    """Why a consultation cannot be ended now: there is none, or its legs are on their way."""
    if call.state is not CallState.CONSULTING:
        return Refusal.NOT_NOW
    moving = any(
        offer is not None and turn.runs(TimerKind.OFFER_JOIN, offer.offer)
        for offer in (turn.ledger.person_of(call), turn.ledger.party_of(call))
    )
    return Refusal.NOT_NOW if moving else None


def _drop(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    if call.party is None:
        return Refusal.NO_PARTY
    if call.state is CallState.CONSULTING:
        return _return(turn, call, operator, target)
    parties.drop(turn, call, PartyEnd.DROPPED)
    return None


def _leave(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    """The confirming key: only when the other side has spoken (rule 4); a colleague was spoken with anyhow."""
    if call.party is None:
        return Refusal.NO_PARTY
    if call.state not in (CallState.THREE_WAY, CallState.CONSULTING):
        return Refusal.NOT_NOW
    if call.party.colleague is None and not call.party.spoke:
        return Refusal.NOT_SPOKEN
    if call.state is CallState.THREE_WAY:
        leave_now(turn, call)
        return None
    refusal = _consulting(turn, call)
    if refusal is None:
        leaving = replace(call, party=replace(call.party, leaving=True))
        turn.ledger.put_call(leaving)
        connecting.merge(turn, leaving)
    return refusal


def leave_now(turn: Turn, call: Call) -> None:
    """The operator leaves caller and party, who are in one bridge."""
    person = turn.ledger.person_of(call)
    assert person is not None, "somebody leaves"
    if parties.of(call).colleague is not None:
        losing.hand_over(turn, call, person)
    else:
        turn.note(
            OperatorLeft(at=turn.at, call=call.call, offer=person.offer, operator=person.operator, confirmed=True)
        )
        state = advance(CALL_TRANSITIONS, call.state, CallTrigger.PERSON_LEFT)
        turn.ledger.put_call(replace(call, state=state, person=None, seeks=False))
    ending.release_leg(turn, person)


def _transfer(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    """Blind: the operator goes at once. Never to the ambulance service, which is three-way first (rule 4)."""
    if call.party is not None:
        return Refusal.PARTY_THERE
    if call.state is not CallState.CONNECTED:
        return Refusal.NOT_NOW
    party = targets.find(turn, operator, target, PartyMode.DIRECT)
    if isinstance(party, Refusal):
        return party
    if party.kind is PartyKind.MEDICAL:
        return Refusal.THREE_WAY_FIRST
    _let_operator_go(turn, call, operator, party)
    return None


def _let_operator_go(turn: Turn, call: Call, operator: Operator, party: Party) -> None:
    person = turn.ledger.person_of(call)
    assert person is not None, "somebody transfers"
    turn.note(
        OperatorLeft(at=turn.at, call=call.call, offer=person.offer, operator=operator.profile.operator, confirmed=True)
    )
    wanted = replace(call, prefer=party.colleague)
    queued = queueing.enqueue(turn, wanted, FALLBACK_QUEUE, QueueReason.TRANSFERRED, CallTrigger.TRANSFERRED)
    turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))
    ending.release_leg(turn, person)
    if party.colleague is None:
        parties.seek(turn, replace(queued, seeks=False), party)


def _challenge(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    """Ask a silent caller to press a key. Nothing follows from silence."""
    if call.state is not CallState.CONNECTED or call.direction is Direction.OUTBOUND:
        return Refusal.NOT_NOW
    call = queueing.say(turn, queueing.stop_playing(turn, call), queueing.SILENT_CHALLENGE)
    turn.ledger.put_call(replace(call, challenge=ChallengeKind.SILENT))
    turn.note(CallerChallenged(at=turn.at, call=call.call, kind=ChallengeKind.SILENT))
    return None


def _end(turn: Turn, call: Call, operator: Operator, target: str) -> Refusal | None:
    """End the call, as hanging up does: not while a party is there or sought."""
    if call.party is not None:
        return Refusal.PARTY_THERE
    if call.state is not CallState.CONNECTED:
        return Refusal.NOT_NOW
    person = turn.ledger.person_of(call)
    assert person is not None, "somebody ends it"
    ending.release_leg(turn, person)
    losing.end(turn, call, HangupParty.OPERATOR)
    return None


_VERBS: Final[Mapping[TalkAction, _Verb]] = MappingProxyType(
    {
        TalkAction.JOIN: _bring_in(PartyMode.JOIN),
        TalkAction.CONSULT: _bring_in(PartyMode.CONSULT),
        TalkAction.MERGE: _merge,
        TalkAction.RETURN: _return,
        TalkAction.DROP: _drop,
        TalkAction.LEAVE: _leave,
        TalkAction.TRANSFER: _transfer,
        TalkAction.CHALLENGE: _challenge,
        TalkAction.END: _end,
    }
)
