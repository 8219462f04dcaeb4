"""Decides when people are together: what it means that a leg entered a bridge, and that one did not in time."""

from __future__ import annotations

from dataclasses import replace

from callflow.core import callbacks, ending, losing, parties, queueing, talking
from callflow.core.commands import AddCaller, JoinLegs
from callflow.core.events import LegJoined
from callflow.core.facts import CallConnected, PartyEnd, PartyJoined
from callflow.core.ids import OfferId, consult_bridge, talk_bridge
from callflow.core.state import Call, Offer
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, OfferState, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def on_joined(turn: Turn, event: LegJoined) -> None:
    """A channel entered a bridge: keep where it is, and see who is together now."""
    call = turn.ledger.call(event.call)
    own = (talk_bridge(event.call), consult_bridge(event.call))
    if call is None or call.state is CallState.ENDED or event.bridge not in own:
        return
    if event.channel == call.channel:
        call = replace(call, bridge=event.bridge)
        turn.ledger.put_call(call)
    else:
        offer = turn.ledger.offer(OfferId(event.channel))
        if offer is None:
            return
        turn.ledger.put_offer(replace(offer, bridge=event.bridge))
    settle(turn, call)


def settle(turn: Turn, call: Call) -> None:
    """See who is together in the talk, or in the consultation, and move the call accordingly."""
    talk = talk_bridge(call.call)
    person, party = turn.ledger.person_of(call), turn.ledger.party_of(call)
    caller_in = call.bridge == talk
    person_in = person is not None and person.state is OfferState.ANSWERED and person.bridge == talk
    party_in = party is not None and party.state is OfferState.ANSWERED and party.bridge == talk
    if person is not None and person_in and caller_in:
        turn.cancel(person.offer, TimerKind.OFFER_JOIN)
        if call.state in (CallState.ARRIVED, CallState.QUEUED, CallState.AGENCY_ONLY):
            call = connect(turn, call, person)
    if party is not None and party_in and caller_in:
        alone = call.state is CallState.QUEUED
        if alone or call.state is CallState.CONNECTED or (call.state is CallState.CONSULTING and person_in):
            _join_party(turn, call, party)
    _settle_consultation(turn, call, person, party)


def _settle_consultation(turn: Turn, call: Call, person: Offer | None, party: Offer | None) -> None:
    consult = consult_bridge(call.call)
    for offer in (person, party):
        if offer is not None and call.state is CallState.CONSULTING and offer.bridge == consult:
            turn.cancel(offer.offer, TimerKind.OFFER_JOIN)


def connect(turn: Turn, call: Call, person: Offer) -> Call:
    """Caller and person are in one bridge; the call as it is then, written."""
    turn.cancel(person.offer, TimerKind.OFFER_JOIN)
    turn.ledger.put_offer(replace(person, met_at=turn.at, bridge=talk_bridge(call.call)))
    _note_connected(turn, call, person)
    call = replace(
        call,
        state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PERSON_JOINED),
        bridge=talk_bridge(call.call),
        connected_at=call.connected_at or turn.at,
        at_head=False,
        seeks=False,
        prefer=None,
    )
    turn.ledger.put_call(call)
    callbacks.on_connected(turn, call)
    return call


def _note_connected(turn: Turn, call: Call, offer: Offer) -> None:
    turn.note(
        CallConnected(at=turn.at, call=call.call, offer=offer.offer, operator=offer.operator, destination=offer.outside)
    )


def _join_party(turn: Turn, call: Call, offer: Offer) -> None:
    party = parties.of(call)
    turn.cancel(offer.offer, TimerKind.OFFER_JOIN)
    turn.ledger.put_offer(replace(offer, met_at=turn.at))
    if call.state is CallState.CONSULTING:
        parties.end_consultation(turn, call)
    call = replace(call, state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PARTY_JOINED))
    turn.ledger.put_call(call)
    three_way = call.state is CallState.THREE_WAY
    if not three_way and not call.seeks:  # handed over: whoever rings for a wait that was too long is not needed
        ending.withdraw_offers(turn, call.call)
        turn.cancel(call.call, *queueing.WAITING_TIMERS)
    turn.note(
        PartyJoined(
            at=turn.at,
            call=call.call,
            offer=offer.offer,
            name=party.name,
            destination=offer.outside,
            operator=offer.operator,
            three_way=three_way,
        )
    )
    if offer.operator is None and not party.spoke:
        turn.start(TimerKind.PARTY_SILENT, offer.offer, turn.ledger.settings.agency_speech_seconds)
    if party.spoke:
        call = answered_by_party(turn, call)
    if party.leaving and three_way and (party.spoke or party.colleague is not None):
        talking.leave_now(turn, call)


def answered_by_party(turn: Turn, call: Call) -> Call:
    """The party speaks with a caller who has nobody else: two-way speech with a person, so the call is answered."""
    offer = turn.ledger.party_of(call)
    if call.state is not CallState.AGENCY_ONLY or call.connected_at is not None or offer is None:
        return call
    _note_connected(turn, call, offer)
    call = replace(call, connected_at=turn.at)
    turn.ledger.put_call(call)
    callbacks.on_connected(turn, call)
    return call


def back_to_caller(turn: Turn, call: Call) -> Call:
    """The consultation is over: operator and caller talk again; the call as it is then, not yet written."""
    person = turn.ledger.person_of(call)
    assert person is not None, "a consultation has a person"
    parties.end_consultation(turn, call)
    call = _bring_caller(turn, replace(call, state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PARTY_LEFT)))
    _bring(turn, call, person)
    return call


def merge(turn: Turn, call: Call) -> None:
    """Caller, operator and party are to talk together; with that the consultation is over."""
    call = _bring_caller(turn, call)
    turn.ledger.put_call(call)
    for offer in (turn.ledger.person_of(call), turn.ledger.party_of(call)):
        assert offer is not None, "a consultation has a person and a party"
        _bring(turn, call, offer)


def _bring_caller(turn: Turn, call: Call) -> Call:
    call = replace(queueing.stop_playing(turn, call), bridge=None)
    turn.do(AddCaller(call=call.call, bridge=talk_bridge(call.call), channel=call.channel))
    return call


def _bring(turn: Turn, call: Call, offer: Offer) -> None:
    turn.ledger.put_offer(replace(offer, bridge=None))
    turn.do(parties.add_leg(call, offer))
    turn.start(TimerKind.OFFER_JOIN, offer.offer, parties.JOIN_LIMIT_SECONDS)


def join(turn: Turn, call: Call, person: OfferId) -> None:
    """Bring the caller and an answered leg into the talk bridge, within a limit."""
    turn.do(JoinLegs(call=call.call, bridge=talk_bridge(call.call), caller_channel=call.channel, offer=person))
    turn.start(TimerKind.OFFER_JOIN, person, parties.JOIN_LIMIT_SECONDS)


def on_join_overdue(turn: Turn, subject: str) -> None:
    """A leg that was told to be joined is not in the bridge."""
    join_failed(turn, OfferId(subject))


def join_failed(turn: Turn, name: OfferId) -> None:
    """A leg could not be joined: the call goes on without it, towards a person."""
    offer = turn.ledger.offer(name)
    call = None if offer is None else turn.ledger.call(offer.call)
    if offer is None or call is None or call.state is CallState.ENDED:
        return
    together = call.bridge == talk_bridge(call.call) and offer.bridge == call.bridge
    if call.person == name and not together:
        losing.part(turn, call, name)
    elif call.party is not None and call.party.offer == name and not together:
        turn.cancel(name, TimerKind.OFFER_JOIN)
        ending.release_leg(turn, offer)
        parties.leave_talk(turn, call, PartyEnd.NOT_REACHED, try_next=True)
