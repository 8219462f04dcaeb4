"""Takes talks as Asterisk has them that we do not know, or know otherwise: a crash lost the end of the journal.

Who talks goes on talking. An operator's leg is the person; an outside leg of which we know nothing, beside it or alone,
is the party, so that its hang-up does not end the caller, and an operator is sought for whoever has nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from callflow.core import calls, connecting, desk, ending, parties, queueing, seeking
from callflow.core.city import Destination
from callflow.core.events import CallArrived, SeenChannel, Whereabouts
from callflow.core.facts import (
    LegPurpose,
    OfferClosed,
    OfferMade,
    PartyEnd,
    PartyGone,
    PartyJoined,
    PartyKind,
    PartyMode,
    PartySought,
)
from callflow.core.ids import CallId, EndpointName, OfferId, TrunkRoute, talk_bridge
from callflow.core.state import Call, Offer, Party
from callflow.core.states import (
    CALL_TRANSITIONS,
    OFFER_TRANSITIONS,
    CallState,
    CallTrigger,
    OfferState,
    OfferTrigger,
    advance,
)
from callflow.core.targets import MEDICAL
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

Legs = Mapping[OfferId, SeenChannel]


def is_unexpected(turn: Turn, seen: SeenChannel, legs: Legs) -> bool:
    """Whether somebody talks with this caller of whom we do not know that."""
    call = turn.ledger.call(seen.call)
    over = call is not None and call.state is CallState.ENDED
    return not over and any(_is_strange(turn, name) for name in _talking(turn, seen, legs))


def _is_strange(turn: Turn, name: OfferId) -> bool:
    offer = turn.ledger.offer(name)
    return offer is None or offer.state is OfferState.RINGING


def _talking(turn: Turn, seen: SeenChannel, legs: Legs) -> tuple[OfferId, ...]:
    """The legs that talk with this caller, but for those that we let go; operators first, agencies last."""
    if seen.where is not Whereabouts.TALKING:
        return ()
    there = (
        name
        for name, leg in legs.items()
        if leg.call == seen.call and leg.where is Whereabouts.TALKING and not _is_let_go(turn, name)
    )
    return tuple(sorted(there, key=lambda name: (_rank(turn, name, legs[name]), name)))


def _is_let_go(turn: Turn, name: OfferId) -> bool:
    offer = turn.ledger.offer(name)
    kept = offer is None or offer.state in (OfferState.RINGING, OfferState.ANSWERED)
    return not kept or turn.runs(TimerKind.LEG_RELEASE, name)


def _rank(turn: Turn, name: OfferId, leg: SeenChannel) -> int:
    offer = turn.ledger.offer(name)
    if offer is not None and offer.purpose is LegPurpose.PERSON:
        return 0 if offer.state is OfferState.ANSWERED else 2
    return 1 if turn.ledger.operator_at(EndpointName(leg.endpoint)) is not None else _OUTSIDE


def agency_at(turn: Turn, endpoint: str) -> tuple[str, PartyKind] | None:
    """The agency that a trunk reaches: its name and kind; None for any other trunk or phone."""
    settings = turn.ledger.settings
    if any(destination.trunk == endpoint for destination in settings.medical):
        return MEDICAL, PartyKind.MEDICAL
    for agency in settings.agencies:
        if any(destination.trunk == endpoint for destination in agency.destinations):
            return agency.name, PartyKind.AGENCY
    return None


def arrival(turn: Turn, seen: SeenChannel) -> CallArrived:
    """A caller who is seen, as one who arrives."""
    return CallArrived(
        at=turn.at,
        call=seen.call,
        channel=seen.channel,
        caller=seen.caller,
        dialled=seen.dialled,
        trunk=seen.endpoint,
        arrived_at=seen.arrived_at,
        step=str(seen.where),
    )


def take_as_found(turn: Turn, seen: SeenChannel, legs: Legs) -> None:
    """Take a talk as Asterisk has it; whoever else was sought or held for this caller is let go."""
    talking = _talking(turn, seen, legs)
    call = turn.ledger.call(seen.call)
    before = None if call is None else call.party
    call = calls.open_call(turn, arrival(turn, seen)) if call is None else _cleared(turn, call, talking)
    first, *others = talking
    person = first if _rank(turn, first, legs[first]) < _OUTSIDE else None
    if person is not None:
        offer = _taken(turn, call, person, legs[person], LegPurpose.PERSON)
        call = connecting.connect(turn, replace(call, person=person), offer)
    else:
        call = _queued_beside(turn, call)
    party = others[0] if person is not None and others else (first if person is None else None)
    if before is not None and before.offer != party:
        reason = PartyEnd.DROPPED
        turn.note(PartyGone(at=turn.at, call=call.call, name=before.name, offer=before.offer, reason=reason))
    if party is not None:
        _take_party(turn, call, party, legs[party], before)
    for name in talking[2:] if person is not None else talking[1:]:
        ending.release_leg(turn, _taken(turn, call, name, legs[name], LegPurpose.PARTY))


_OUTSIDE = 3


def _cleared(turn: Turn, call: Call, talking: tuple[OfferId, ...]) -> Call:
    """The call with nobody and nothing sought, and without a word to Asterisk about who talks."""
    turn.cancel(call.call, TimerKind.NODE_INPUT, TimerKind.NODE_PROMPT, TimerKind.CITIZEN, *queueing.WAITING_TIMERS)
    for offer in turn.ledger.offers_of(call.call):
        if offer.offer in talking:
            turn.cancel(offer.offer, TimerKind.OFFER_JOIN, TimerKind.PARTY_SILENT)
        elif offer.state is OfferState.RINGING:
            ending.withdraw(turn, offer)
        elif offer.state is OfferState.ANSWERED:
            turn.cancel(offer.offer, TimerKind.OFFER_JOIN, TimerKind.PARTY_SILENT, TimerKind.CODE_DIGITS)
            ending.release_leg(turn, offer)
    if call.state is CallState.CONSULTING:
        parties.end_consultation(turn, call)
    moved = CallTrigger.SENT_TO_QUEUE if call.state in _BEFORE_QUEUE else CallTrigger.RETURNED
    state = advance(CALL_TRANSITIONS, call.state, moved)
    call = replace(call, state=state, person=None, party=None, seeks=False, playing=None, bridge=talk_bridge(call.call))
    turn.ledger.put_call(call)
    return call


_BEFORE_QUEUE = frozenset({CallState.ARRIVED, CallState.IN_IVR})


def _taken(turn: Turn, call: Call, name: OfferId, leg: SeenChannel, purpose: LegPurpose) -> Offer:
    """The leg's offer as one that was answered, made where we do not know it."""
    known = turn.ledger.offer(name)
    if known is None:
        return _made(turn, call, name, leg, purpose)
    if known.state is OfferState.RINGING:
        known = replace(known, state=advance(OFFER_TRANSITIONS, known.state, OfferTrigger.PICKED_UP))
        turn.cancel(name, TimerKind.OFFER_RING, TimerKind.OFFER_SILENT)
        turn.note(OfferClosed(at=turn.at, call=call.call, offer=name, outcome=known.state, cause=None))
        operator = seeking.operator_of(turn, known)
        if operator is not None:
            desk.pick_up(turn, operator)
    taken = replace(known, purpose=purpose, bridge=talk_bridge(call.call))
    turn.ledger.put_offer(taken)
    return taken


def _made(turn: Turn, call: Call, name: OfferId, leg: SeenChannel, purpose: LegPurpose) -> Offer:
    operator = turn.ledger.operator_at(EndpointName(leg.endpoint))
    held = operator is not None and desk.hold(turn, operator, call.call, name)
    offer = Offer(
        offer=name,
        call=call.call,
        operator=operator.profile.operator if operator is not None and held else None,
        destination=None if held else Destination(name=leg.endpoint, number="", trunk=TrunkRoute(leg.endpoint)),
        state=OfferState.ANSWERED,
        made_at=turn.at,
        purpose=purpose,
        bridge=talk_bridge(call.call),
    )
    turn.ledger.put_offer(offer)
    turn.note(
        OfferMade(
            at=turn.at,
            call=call.call,
            offer=name,
            operator=offer.operator,
            destination=offer.outside,
            purpose=purpose,
            reason="found talking after a restart",
        )
    )
    return offer


def _queued_beside(turn: Turn, call: Call) -> Call:
    """A caller who has a party alone: an operator is sought to join them."""
    if call.state is CallState.ARRIVED:
        call = replace(call, state=advance(CALL_TRANSITIONS, call.state, CallTrigger.SENT_TO_QUEUE))
    tier = call.tier or str(FALLBACK_QUEUE.tier)
    return replace(call, tier=tier, priority=seeking.tier_of(turn, tier).priority, queued_at=turn.at, seeks=True)


def _take_party(turn: Turn, call: Call, name: OfferId, leg: SeenChannel, before: Party | None) -> None:
    """The leg beside the person, or alone with the caller, is the party; it is taken to have spoken."""
    offer = _taken(turn, call, name, leg, LegPurpose.PARTY)
    party = before if before is not None and before.offer == name else _party(turn, call.call, offer, leg)
    call = replace(
        call,
        state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PARTY_JOINED),
        party=replace(party, offer=name, spoke=True),
        bridge=talk_bridge(call.call),
    )
    turn.ledger.put_call(call)
    turn.note(
        PartyJoined(
            at=turn.at,
            call=call.call,
            offer=name,
            name=party.name,
            destination=offer.outside,
            operator=offer.operator,
            three_way=call.state is CallState.THREE_WAY,
        )
    )
    connecting.answered_by_party(turn, call)


def _party(turn: Turn, call: CallId, offer: Offer, leg: SeenChannel) -> Party:
    agency = agency_at(turn, leg.endpoint)
    if offer.operator is not None:
        name, kind = str(offer.operator), PartyKind.COLLEAGUE
    else:
        name, kind = agency or (leg.endpoint, PartyKind.NUMBER)
    party = Party(name=name, kind=kind, mode=PartyMode.JOIN, colleague=offer.operator)
    turn.note(PartySought(at=turn.at, call=call, name=name, kind=kind, mode=party.mode, operator=None))
    return party
