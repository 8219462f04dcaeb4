"""Decides what follows when the person's leg is gone: the end where the operator hung up, else another person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from callflow.core import causes, connecting, ending, outbound, parties, queueing, seeking
from callflow.core.commands import DestroyBridge
from callflow.core.facts import (
    Direction,
    HangupParty,
    LegPurpose,
    OperatorLeft,
    PartyEnd,
    PartyGone,
    PartyMode,
    PersonLost,
)
from callflow.core.facts import QueueReason as Why
from callflow.core.ids import OfferId, talk_bridge
from callflow.core.state import Call, Offer
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, OfferState, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

_NOBODY_SPEAKS_FOR: Final = timedelta(seconds=2)
"""The dialplan's fallback counts alike (context fallback-met)."""


def person_gone(turn: Turn, call: Call, offer: Offer, cause: int) -> None:
    """The leg of who serves the caller is gone, by a hang-up or without one."""
    match call.state:
        case CallState.ARRIVED:
            outbound.operator_gone(turn, call)
        case CallState.THREE_WAY:
            _left_with_party(turn, call, offer)
        case CallState.AGENCY_ONLY:  # was joining
            turn.note(PersonLost(at=turn.at, call=call.call, offer=offer.offer, cause=cause))
            turn.ledger.put_call(replace(call, person=None))
            turn.start(TimerKind.SEEK_AGAIN, call.call, seeking.NEXT_ROUND_SECONDS)
        case CallState.CONNECTED if cause in causes.HANGUP and call.party is None and _was_a_person(turn, call, offer):
            by = HangupParty.OPERATOR if offer.operator is not None else HangupParty.DESTINATION
            end(turn, call, by)
        case CallState.CONSULTING if _colleague_answered(turn, call):
            _hand_to_colleague_in_consultation(turn, call, offer)
        case _:
            lose_person(turn, call, offer, cause)


def end(turn: Turn, call: Call, by: HangupParty) -> None:
    """A person ended the call."""
    ending.hang_up(turn, replace(call, person=None), ending.stage_of(call), by)
    turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))


def _was_a_person(turn: Turn, call: Call, offer: Offer) -> bool:
    """An operator; of a number outside, only who was heard to speak: a machine that answers ends no call."""
    return not _left_at_once(turn, call, offer) and (offer.operator is not None or offer.spoke)


def _left_at_once(turn: Turn, call: Call, offer: Offer) -> bool:
    """Whether the phone of who was to serve a citizen's call hung up as it was joined: nobody has spoken then."""
    inbound = call.direction is Direction.INBOUND
    return inbound and offer.met_at is not None and turn.at - offer.met_at < _NOBODY_SPEAKS_FOR


def was_lost(call: Call | None, offer: Offer, cause: int) -> bool:
    """Whether the leg broke off in the middle of a talk, for the first time: no wrap-up then."""
    if call is None or call.person != offer.offer or call.state is not CallState.CONNECTED or call.losses:
        return False
    return offer.operator is not None and cause not in causes.HANGUP


def was_dropped(turn: Turn, call: Call | None, offer: Offer, cause: int) -> bool:
    """Whether the operator's phone is not to be rung again before somebody has looked: it drops its talks.

    So it is when it hangs up as it is joined, or when the caller loses an operator for a second time.
    """
    if call is None or call.person != offer.offer or offer.operator is None:
        return False
    if cause in causes.HANGUP:
        return call.state is CallState.CONNECTED and call.party is None and _left_at_once(turn, call, offer)
    return call.losses > 0


def lose_person(turn: Turn, call: Call, offer: Offer, cause: int) -> None:
    """The person's leg is lost, or could not be joined: the caller stays, at the head of the queue.

    Who is ready is rung at once, the operator of before first and once; everyone, where nobody is, after a moment:
    phones that drop what they answer must not spin either. A party from outside that rings or is there is kept.
    """
    turn.note(PersonLost(at=turn.at, call=call.call, offer=offer.offer, cause=cause))
    again = was_lost(call, offer, cause)
    if again:
        call = replace(call, losses=call.losses + 1)
    if call.state is CallState.CONSULTING:
        parties.end_consultation(turn, call)
    if call.party is not None and call.party.colleague is not None:
        call = parties.without(turn, call)
    elif call.party is not None:
        call = replace(call, party=replace(call.party, mode=PartyMode.DIRECT, leaving=False))
    trigger = CallTrigger.RETURNED if call.state is CallState.QUEUED else CallTrigger.PERSON_LOST
    prefer = offer.operator if again else None
    queued = queueing.enqueue(turn, replace(call, prefer=prefer), FALLBACK_QUEUE, Why.PERSON_LOST, trigger)
    turn.start(TimerKind.SEEK_AGAIN, call.call, seeking.NEXT_ROUND_SECONDS)
    turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))
    party = turn.ledger.party_of(queued)
    if party is not None and party.state is OfferState.ANSWERED:
        turn.ledger.put_offer(replace(party, bridge=None))
        parties.answered(turn, queued, party)


def part(turn: Turn, call: Call, person: OfferId) -> None:
    """The call's person and the caller are not together: let the leg go and seek the next person."""
    offer = turn.ledger.offer(person)
    assert offer is not None, "a call's person has a leg"
    turn.cancel(person, TimerKind.OFFER_JOIN)
    ending.release_leg(turn, offer)
    if call.state is CallState.THREE_WAY:
        _left_with_party(turn, call, offer)
    elif call.state in (CallState.ARRIVED, CallState.AGENCY_ONLY):
        person_gone(turn, call, offer, causes.UNKNOWN)
    else:
        lose_person(turn, call, offer, causes.UNKNOWN)


def _colleague_answered(turn: Turn, call: Call) -> bool:
    offer = turn.ledger.party_of(call)
    return offer is not None and offer.operator is not None and offer.state is OfferState.ANSWERED


def _left_with_party(turn: Turn, call: Call, offer: Offer) -> None:
    """The operator's leg left a talk of three without the confirming key: another operator is sought."""
    if parties.of(call).colleague is not None:
        hand_over(turn, call, offer)
        return
    turn.note(OperatorLeft(at=turn.at, call=call.call, offer=offer.offer, operator=offer.operator, confirmed=False))
    state = advance(CALL_TRANSITIONS, call.state, CallTrigger.PERSON_LOST)
    turn.ledger.put_call(replace(call, state=state, person=None, seeks=True))
    turn.start(TimerKind.SEEK_AGAIN, call.call, seeking.NEXT_ROUND_SECONDS)


def hand_over(turn: Turn, call: Call, offer: Offer) -> None:
    """The colleague who was the party serves the caller from now on."""
    turn.ledger.put_call(_with_colleague_as_person(turn, call, offer, CallTrigger.TRANSFERRED))


def _with_colleague_as_person(turn: Turn, call: Call, offer: Offer, trigger: CallTrigger) -> Call:
    party = parties.of(call)
    colleague = turn.ledger.party_of(call)
    assert colleague is not None, "a colleague who takes over has a leg"
    turn.ledger.put_offer(replace(colleague, purpose=LegPurpose.PERSON))
    turn.note(OperatorLeft(at=turn.at, call=call.call, offer=offer.offer, operator=offer.operator, confirmed=True))
    turn.note(
        PartyGone(at=turn.at, call=call.call, name=party.name, offer=colleague.offer, reason=PartyEnd.BECAME_PERSON)
    )
    state = advance(CALL_TRANSITIONS, call.state, trigger)
    return replace(call, state=state, person=colleague.offer, party=None)


def _hand_to_colleague_in_consultation(turn: Turn, call: Call, offer: Offer) -> None:
    """Who consults a colleague and hangs up has handed the caller over."""
    parties.end_consultation(turn, call)
    call = _with_colleague_as_person(turn, queueing.stop_playing(turn, call), offer, CallTrigger.PERSON_LOST)
    person = turn.ledger.person_of(call)
    assert person is not None
    turn.ledger.put_offer(replace(person, bridge=None))
    turn.ledger.put_call(replace(call, bridge=None))
    connecting.join(turn, call, person.offer)
