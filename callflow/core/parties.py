"""Decides how a party is brought in beside the operator, or at once with the caller: seeking it, joining, losing it.

One party a call: an agency with its destinations tried in order, a number, or a colleague. The caller is in the talk
bridge, or hears music; where the party fails, the caller is where a person is, or seeks one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import connecting, ending, queueing, seeking
from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import AddLeg, DestroyBridge, JoinLegs, RecordBridge
from callflow.core.facts import (
    ConsultationBegan,
    ConsultationEnded,
    LegPurpose,
    PartyEnd,
    PartyGone,
    PartyKind,
    PartyMode,
    PartySought,
    QueueReason,
)
from callflow.core.ids import CallId, OfferId, consult_bridge, talk_bridge
from callflow.core.state import Call, Offer, Party
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, OfferState, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.core.whispering import PARTY_LEFT, PARTY_NOT_REACHED, whisper_to_person
from callflow.flows.model import FALLBACK_QUEUE

MEDICAL_AGAIN_SECONDS: Final = 30.0
"""After a round in which no ambulance service could be had, and nobody took the caller, the next one begins."""
JOIN_LIMIT_SECONDS: Final = 3.0
"""Legs that were told to be joined are in one bridge within this time, or the call goes on without that leg."""


def seek(turn: Turn, call: Call, party: Party) -> None:
    """Begin to bring a party in: ring its first destination."""
    turn.note(
        PartySought(at=turn.at, call=call.call, name=party.name, kind=party.kind, mode=party.mode, operator=party.by)
    )
    dial_next(turn, replace(call, party=party))


def dial_next(turn: Turn, call: Call) -> None:
    """Ring the party's next destination; with none left the party is not reached."""
    party = of(call)
    colleague = None if party.colleague is None else turn.ledger.operator(party.colleague)
    if party.next_destination >= (1 if party.colleague is not None else len(party.destinations)):
        _not_reached(turn, call)
        return
    turn.ledger.put_call(call)
    if party.colleague is not None:
        assert colleague is not None, "a colleague is looked up before being asked for"
        offer = seeking.offer_operator(turn, call, colleague, f"asked for by {party.by}", LegPurpose.PARTY)
    else:
        offer = _dial(turn, call, party)
    current = turn.ledger.call(call.call)
    assert current is not None
    rung = replace(party, offer=offer.offer, spoke=False, leaving=False, next_destination=party.next_destination + 1)
    turn.ledger.put_call(replace(current, party=rung))


def _dial(turn: Turn, call: Call, party: Party) -> Offer:
    destination = party.destinations[party.next_destination]
    reason = f"{party.name}, {party.next_destination + 1} of {len(party.destinations)}"
    seconds = turn.ledger.settings.agency_ring_seconds
    return seeking.dial_destination(turn, call, destination, seconds, LegPurpose.PARTY, reason)


def of(call: Call) -> Party:
    """The call's party, which is there."""
    assert call.party is not None, "the call has a party"
    return call.party


def _not_reached(turn: Turn, call: Call) -> None:
    party = of(call)
    kind = AlarmKind.MEDICAL_NOT_REACHED if party.kind is PartyKind.MEDICAL else AlarmKind.PARTY_NOT_REACHED
    subject = "" if party.kind is PartyKind.NUMBER else party.name  # a number typed by hand is somebody's own
    turn.incident(kind, subject, "every destination was tried and none could be joined")
    _forget(turn, call, PartyEnd.NOT_REACHED)


def _forget(turn: Turn, call: Call, reason: PartyEnd) -> None:
    """There is no party any more, and none is sought."""
    party = of(call)
    turn.note(PartyGone(at=turn.at, call=call.call, name=party.name, offer=party.offer, reason=reason))
    call = replace(call, party=None)
    turn.ledger.put_call(call)
    if reason is PartyEnd.NOT_REACHED:
        whisper_to_person(turn, call, PARTY_NOT_REACHED)
    elif reason is PartyEnd.HUNG_UP:
        whisper_to_person(turn, call, PARTY_LEFT)
    if call.medical and call.state is CallState.QUEUED and call.person is None and reason is PartyEnd.NOT_REACHED:
        turn.start(TimerKind.MEDICAL, call.call, MEDICAL_AGAIN_SECONDS)
    if call.state is CallState.QUEUED and call.person is None and not call.seeks:  # a blind transfer that failed
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.PARTY_GONE, CallTrigger.RETURNED)


# --- the party answers ----------------------------------------------------------------------------------------------


def answered(turn: Turn, call: Call, offer: Offer) -> None:
    """The party picked up: into the talk, or first alone with the operator."""
    party = of(call)
    turn.start(TimerKind.OFFER_JOIN, offer.offer, JOIN_LIMIT_SECONDS)
    match call.state:
        case CallState.CONNECTED if party.mode is PartyMode.CONSULT:
            begin_consultation(turn, call, offer)
        case CallState.CONNECTED:
            turn.do(add_leg(call, offer))
        case _:
            assert call.state is CallState.QUEUED, "a party is withdrawn when its call goes on otherwise"
            turn.ledger.put_call(queueing.stop_playing(turn, call))
            bridge = talk_bridge(call.call)
            turn.do(JoinLegs(call=call.call, bridge=bridge, caller_channel=call.channel, offer=offer.offer))


def add_leg(call: Call, offer: Offer, *, consult: bool = False) -> AddLeg:
    """The command that brings a leg into the talk, or into the consultation."""
    bridge = consult_bridge(call.call) if consult else talk_bridge(call.call)
    return AddLeg(call=call.call, bridge=bridge, offer=offer.offer, absorb_keys=offer.operator is not None)


def begin_consultation(turn: Turn, call: Call, offer: Offer) -> None:
    """Operator and party speak alone, into a recording of their own; the caller hears music."""
    person = turn.ledger.person_of(call)
    assert person is not None, "a call in talk has a person"
    number = call.consultations + 1
    call = replace(
        queueing.stop_playing(turn, call),
        state=advance(CALL_TRANSITIONS, call.state, CallTrigger.CONSULTED),
        consultations=number,
        bridge=None,
    )
    queueing.hold(turn, call)
    turn.do(
        RecordBridge(call=call.call, bridge=consult_bridge(call.call), name=f"{call.call}-consult-{number}"),
        add_leg(call, person, consult=True),
        add_leg(call, offer, consult=True),
    )
    turn.ledger.put_offer(replace(person, bridge=None))
    turn.start(TimerKind.OFFER_JOIN, person.offer, JOIN_LIMIT_SECONDS)
    turn.note(
        ConsultationBegan(
            at=turn.at,
            call=call.call,
            offer=offer.offer,
            number=number,
            operator=person.operator,
            name=of(call).name,
        )
    )
    queueing.say(turn, call, queueing.PLEASE_WAIT)


def end_consultation(turn: Turn, call: Call) -> None:
    """The legs leave the consultation, for wherever they are told to go."""
    turn.note(ConsultationEnded(at=turn.at, call=call.call, number=call.consultations))
    turn.do(DestroyBridge(call=call.call, bridge=consult_bridge(call.call)))


# --- the party is gone, says nothing, or is let go ------------------------------------------------------------------


def leg_gone(turn: Turn, call: Call, offer: Offer, cause: int) -> None:
    """The party's leg is gone: the next destination where it was not spoken with, else the call goes on without it."""
    party = of(call)
    joined = call.state in (CallState.THREE_WAY, CallState.AGENCY_ONLY, CallState.CONSULTING)
    if offer.state is not OfferState.ANSWERED or not (joined and (party.spoke or party.colleague is not None)):
        leave_talk(turn, call, PartyEnd.NOT_REACHED, try_next=True)
    else:
        leave_talk(turn, call, PartyEnd.HUNG_UP)


def on_silent(turn: Turn, subject: str) -> None:
    """The party was joined and said nothing for as long as the centre allows: the next one."""
    offer = turn.ledger.offer(OfferId(subject))
    call = None if offer is None else turn.ledger.call(offer.call)
    if offer is None or call is None or call.party is None or call.party.offer != offer.offer:
        return
    ending.release_leg(turn, offer)
    turn.note(PartyGone(at=turn.at, call=call.call, name=call.party.name, offer=offer.offer, reason=PartyEnd.SILENT))
    leave_talk(turn, call, PartyEnd.NOT_REACHED, try_next=True)


def drop(turn: Turn, call: Call, reason: PartyEnd) -> None:
    """Let the party go, or stop seeking it; the call goes on without it."""
    release(turn, call)
    leave_talk(turn, call, reason)


def without(turn: Turn, call: Call, reason: PartyEnd = PartyEnd.DROPPED) -> Call:
    """Let the party go where the call goes on otherwise anyhow; the call as it is then, not yet written."""
    party = of(call)
    release(turn, call)
    turn.note(PartyGone(at=turn.at, call=call.call, name=party.name, offer=party.offer, reason=reason))
    return replace(call, party=None)


def release(turn: Turn, call: Call) -> None:
    """Hang up the party's leg, ringing or joined, if it has one."""
    offer = turn.ledger.party_of(call)
    if offer is None:
        return
    if offer.state is OfferState.RINGING:
        ending.withdraw(turn, offer)
    else:
        turn.cancel(offer.offer, TimerKind.OFFER_JOIN, TimerKind.PARTY_SILENT)
        ending.release_leg(turn, offer)


def leave_talk(turn: Turn, call: Call, reason: PartyEnd, *, try_next: bool = False) -> None:
    """The party's leg takes part no more: operator and caller are together, or the caller seeks a person again."""
    party = of(call)
    without = replace(call, party=replace(party, offer=None, spoke=False, leaving=False))
    match call.state:
        case CallState.CONSULTING:
            without = connecting.back_to_caller(turn, without)
        case CallState.THREE_WAY:
            without = replace(without, state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PARTY_LEFT))
        case CallState.AGENCY_ONLY:
            without = _caller_left_alone(turn, without, at_once=try_next)
        case CallState.QUEUED if call.person is None and try_next:  # told to join, and did not: wait on
            queueing.hold(turn, without)
    turn.ledger.put_call(without)
    if try_next:
        mode = PartyMode.JOIN if without.person is not None and party.mode is PartyMode.DIRECT else party.mode
        dial_next(turn, replace(without, party=replace(of(without), mode=mode)))
    else:
        _forget(turn, replace(without, party=party), reason)


def _caller_left_alone(turn: Turn, call: Call, *, at_once: bool) -> Call:
    """The party that alone was with the caller is gone: whoever is joining has the caller, else one is sought."""
    if call.person is not None:
        return replace(call, state=advance(CALL_TRANSITIONS, call.state, CallTrigger.PARTY_LEFT))
    reason = QueueReason.PERSON_LOST if at_once else QueueReason.PARTY_GONE
    queued = queueing.enqueue(turn, call, FALLBACK_QUEUE, reason, CallTrigger.PARTY_LEFT)
    turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))
    return queued


# --- the flow's medical branch --------------------------------------------------------------------------------------


def on_medical_due(turn: Turn, subject: str) -> None:
    """No operator took the medical caller in time: an ambulance service is joined, and an operator is sought on."""
    call = turn.ledger.call(CallId(subject))
    destinations = turn.ledger.settings.medical
    if call is None or call.state is not CallState.QUEUED or call.person is not None or call.party is not None:
        return
    if not destinations:
        turn.incident(AlarmKind.MEDICAL_NOT_REACHED, "", "no medical destination: add one to centre.toml")
        return
    told = queueing.say(turn, call, queueing.MEDICAL_JOINING)
    party = Party(name="medical", kind=PartyKind.MEDICAL, mode=PartyMode.DIRECT, destinations=destinations)
    seek(turn, told, party)
