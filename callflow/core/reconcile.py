"""Brings what we know in line with what Asterisk says after a connect: what is not there any more is gone.

Asterisk is the truth. A caller unknown to us is adopted; a leg without its caller is let go; two who talk go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from callflow.core import (
    adopting,
    calls,
    causes,
    connecting,
    desk,
    ending,
    losing,
    offering,
    outbound,
    parties,
    queueing,
)
from callflow.core.commands import ReleaseLeg, StopPlayback
from callflow.core.events import (
    CallerGone,
    CallerReturned,
    LegGone,
    OfferAnswered,
    SeenChannel,
    SnapshotTaken,
    Whereabouts,
)
from callflow.core.facts import Direction, PartyEnd, QueueReason
from callflow.core.ids import BridgeId, CallId, OfferId, consult_bridge, playback_id, talk_bridge
from callflow.core.state import Call, Offer
from callflow.core.states import CallState, CallTrigger, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE


def on_snapshot(turn: Turn, event: SnapshotTaken) -> None:
    """Compare with a snapshot of our application's channels, taken just after a connect."""
    desk.watch_phones(turn)
    callers = {seen.call: seen for seen in event.channels if seen.offer is None}
    legs = {seen.offer: seen for seen in event.channels if seen.offer is not None}
    _skip_attempts(turn)
    found = tuple(seen.call for seen in callers.values() if adopting.is_unexpected(turn, seen, legs))
    with_person = {call.call for call in turn.ledger.state.calls.values() if call.person is not None}
    _stop_the_unheard_of(turn, callers.values())
    for call in tuple(turn.ledger.state.calls.values()):
        if call.call in callers:
            _skip_numbers(turn, call)
        elif call.channel in event.elsewhere and not _is_on_the_way(turn, call):
            calls.on_caller_returned(turn, CallerReturned(at=event.at, call=call.call))
        elif not _is_on_the_way(turn, call):
            calls.on_caller_gone(turn, _gone(event, call))
    _let_go(turn, legs, but=found)  # who is not held any more may be found in another talk
    for name in found:
        adopting.take_as_found(turn, callers[name], legs)
    _let_go(turn, legs)
    for seen in callers.values():
        if seen.call not in found:
            _reconcile_caller(turn, seen, legs, had_person=seen.call in with_person)
    for leg, seen in legs.items():
        _reconcile_leg(turn, leg, seen)


_UNHEARD_OF = 3
"""More prompts than an engine begins for one call in the moment of which the journal may know nothing."""


def _stop_the_unheard_of(turn: Turn, callers: Iterable[SeenChannel]) -> None:
    """A prompt begun just before a crash may be in no journal; while it plays, its caller cannot be moved anywhere."""
    for seen in callers:
        if seen.where in _WITH_NOBODY:
            call = turn.ledger.call(seen.call)
            last = 0 if call is None else call.playbacks
            for number in range(last + 1, last + 1 + _UNHEARD_OF):
                turn.do(StopPlayback(call=seen.call, playback=playback_id(seen.call, number)))


_WITH_NOBODY = frozenset({Whereabouts.ALONE, Whereabouts.WAITING})


def _gone(event: SnapshotTaken, call: Call) -> CallerGone:
    """A caller whom Asterisk does not have: hung up while we were away, or Asterisk died and began anew since."""
    if event.asterisk_since is not None and call.arrived_at < event.asterisk_since:
        return CallerGone(at=event.at, call=call.call, cause=causes.NETWORK_OUT_OF_ORDER, asterisk_ended=True)
    return CallerGone(at=event.at, call=call.call, cause=causes.UNKNOWN)


def _let_go(turn: Turn, legs: Mapping[OfferId, SeenChannel], *, but: Collection[CallId] = ()) -> None:
    """Legs that Asterisk does not have are gone; those of the calls `but` are looked at later."""
    for offer in tuple(turn.ledger.state.offers.values()):
        if offer.offer not in legs and offer.call not in but:
            gone = LegGone(at=turn.at, call=offer.call, offer=offer.offer, cause=causes.UNKNOWN)
            offering.on_leg_gone(turn, gone)


def _is_on_the_way(turn: Turn, call: Call) -> bool:
    """An outbound call whose citizen is being rung, or is in the dialplan: no caller of ours yet, with a deadline."""
    outbound_call = call.direction is Direction.OUTBOUND and call.state is CallState.ARRIVED
    return outbound_call and (not call.citizen_answered or turn.runs(TimerKind.CITIZEN, call.call))


def _skip_attempts(turn: Turn) -> None:
    """The end of the journal may be lost, and with it attempts of call-backs of which Asterisk still knows."""
    for callback in tuple(turn.ledger.state.callbacks.values()):
        used = max(callback.last_number, int((turn.at - callback.opened_at).total_seconds()))
        turn.ledger.put_callback(replace(callback, last_number=used))


def _skip_numbers(turn: Turn, call: Call) -> None:
    """The end of the journal may be lost, and with it the last ids that were given."""
    used = calls.numbers_used(turn, call.arrived_at)
    made, played = max(used, call.offers_made), max(used, call.playbacks)
    call = replace(call, offers_made=made, playbacks=played)
    if call.state is not CallState.CONSULTING:  # a consultation's number names its recording; this one has its own
        call = replace(call, consultations=max(calls.consultations_held(turn, call.arrived_at), call.consultations))
    turn.ledger.put_call(call)


def _reconcile_caller(turn: Turn, seen: SeenChannel, legs: dict[OfferId, SeenChannel], *, had_person: bool) -> None:
    call = turn.ledger.call(seen.call)
    if call is None:
        calls.on_arrived(turn, adopting.arrival(turn, seen))
    elif call.state is CallState.ENDED:
        ending.on_call_release_overdue(turn, seen.call)
    elif call.direction is Direction.OUTBOUND and call.state is CallState.ARRIVED:
        outbound.arrived(turn, call, adopting.arrival(turn, seen))
    elif call.person is not None or call.state is CallState.AGENCY_ONLY:
        _see_talk(turn, call, seen, legs)
    elif call.state is CallState.IN_IVR:
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.ADOPTED, CallTrigger.SENT_TO_QUEUE)
    elif call.party is not None:
        _see_party_alone(turn, call, seen, legs)
    elif seen.where is Whereabouts.WAITING:  # the end of what played may have been missed
        turn.ledger.put_call(replace(call, playing=None))
    elif not had_person:  # else it lost the person in this very turn, and is being held
        queueing.enqueue(turn, replace(call, playing=None), FALLBACK_QUEUE, QueueReason.ADOPTED, CallTrigger.RETURNED)


_BRIDGES = {Whereabouts.TALKING: talk_bridge, Whereabouts.CONSULTING: consult_bridge}


def _see_talk(turn: Turn, call: Call, seen: SeenChannel, legs: dict[OfferId, SeenChannel]) -> None:
    """A caller who has a person or a party: take in who is where, whatever we missed, and put right what is not."""
    call = replace(call, bridge=_bridge(seen))
    turn.ledger.put_call(call)
    for offer in (turn.ledger.person_of(call), turn.ledger.party_of(call)):
        if offer is not None and offer.offer in legs:
            turn.ledger.put_offer(replace(offer, bridge=_bridge(legs[offer.offer])))
    connecting.settle(turn, call)
    settled = turn.ledger.call(call.call)
    assert settled is not None, "nobody ends by being looked at"
    if not _in_place(turn, settled):
        _put_right(turn, settled)


def _bridge(seen: SeenChannel) -> BridgeId | None:
    make = _BRIDGES.get(seen.where)
    return None if make is None else make(seen.call)


def _in_place(turn: Turn, call: Call) -> bool:
    """Whether everybody is where the call's state says."""
    person, party = turn.ledger.person_of(call), turn.ledger.party_of(call)
    talk, consult = talk_bridge(call.call), consult_bridge(call.call)
    with_person = person is not None and person.bridge == talk == call.bridge
    with_party = party is not None and party.bridge == talk == call.bridge
    match call.state:
        case CallState.CONNECTED:
            return with_person
        case CallState.THREE_WAY:
            return with_person and with_party
        case CallState.AGENCY_ONLY:
            return with_party and person is None
        case CallState.CONSULTING:
            both = person is not None and party is not None and person.bridge == party.bridge == consult
            return both and call.bridge is None
        case _:
            return False


def _put_right(turn: Turn, call: Call) -> None:
    """Somebody is not where the call's state says: towards caller and operator together, else another operator."""
    person = turn.ledger.person_of(call)
    with_caller = person is not None and person.bridge == talk_bridge(call.call) == call.bridge
    apart = call.state is CallState.CONSULTING and not _moving(turn, call)
    if apart or (call.state is CallState.THREE_WAY and with_caller):
        parties.drop(turn, call, PartyEnd.DROPPED)
    elif call.person is not None:
        losing.part(turn, call, call.person)
    else:
        parties.drop(turn, call, PartyEnd.DROPPED)


def _moving(turn: Turn, call: Call) -> bool:
    return call.person is not None and turn.runs(TimerKind.OFFER_JOIN, call.person)


def _see_party_alone(turn: Turn, call: Call, seen: SeenChannel, legs: dict[OfferId, SeenChannel]) -> None:
    """A waiting caller for whom a party is sought: joined meanwhile, ringing, or not to be joined any more."""
    party = turn.ledger.party_of(call)
    if party is not None and party.state is OfferState.ANSWERED:
        _see_talk_with_party(turn, call, seen, legs[party.offer], party)
    elif seen.where is not Whereabouts.WAITING:
        queueing.enqueue(turn, replace(call, playing=None), FALLBACK_QUEUE, QueueReason.ADOPTED, CallTrigger.RETURNED)


def _see_talk_with_party(turn: Turn, call: Call, seen: SeenChannel, leg: SeenChannel, party: Offer) -> None:
    turn.ledger.put_offer(replace(party, bridge=_bridge(leg)))
    call = replace(call, bridge=_bridge(seen), playing=None)
    turn.ledger.put_call(call)
    connecting.settle(turn, call)
    connecting.join_failed(turn, party.offer)


def _reconcile_leg(turn: Turn, name: OfferId, seen: SeenChannel) -> None:
    """A leg that nobody waits for is let go; one that was answered while we were away is answered now."""
    offer = turn.ledger.offer(name)
    if offer is None:
        turn.do(ReleaseLeg(call=seen.call, offer=name))
    elif offer.state is OfferState.RINGING and seen.where is not Whereabouts.RINGING:
        offering.on_answered(turn, OfferAnswered(at=turn.at, call=seen.call, offer=name))
