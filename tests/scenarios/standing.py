"""Says what must stand in any State of the core: an owner, a deadline or a proof for everybody and everything."""

from __future__ import annotations

from collections import Counter

from callflow.core.centre_facts import AlarmKind
from callflow.core.city import LONGEST_LATER_PLACE_SECONDS
from callflow.core.desk import is_present, is_ready
from callflow.core.facts import Direction, LegPurpose
from callflow.core.ids import consult_bridge, talk_bridge
from callflow.core.state import SET_ASIDE, Call, Offer, Operator, State, alarm_key, timer_key
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.core.timers import TimerKind

_LIVE_OFFERS = (OfferState.RINGING, OfferState.ANSWERED)
_WITH_PERSON = (CallState.CONNECTED, CallState.CONSULTING, CallState.THREE_WAY)
_WITH_PARTY = (CallState.CONSULTING, CallState.THREE_WAY, CallState.AGENCY_ONLY)
_OF_A_CALL = (
    TimerKind.NODE_INPUT,
    TimerKind.NODE_PROMPT,
    TimerKind.CALL_RELEASE,
    TimerKind.LAST_RESORT,
    TimerKind.SEEK_AGAIN,
    TimerKind.ANNOUNCE,
    TimerKind.RING_EVERYONE,
    TimerKind.SKILL_RELAX,
    TimerKind.MEDICAL,
    TimerKind.LATER_PLACE,
    TimerKind.CITIZEN,
)
_OF_AN_OFFER = (
    TimerKind.OFFER_RING,
    TimerKind.OFFER_SILENT,
    TimerKind.OFFER_JOIN,
    TimerKind.LEG_RELEASE,
    TimerKind.PARTY_SILENT,
    TimerKind.CODE_DIGITS,
)
_OF_AN_OPERATOR = (TimerKind.WRAP_UP, TimerKind.SET_ASIDE, TimerKind.PAUSE_LIMIT, TimerKind.PHONE_RESTS)


class Broken(AssertionError):
    """A rule does not hold."""


def must(holds: bool, rule: str) -> None:
    """Hold to a rule.

    Raises:
        Broken: it does not hold.
    """
    if not holds:
        raise Broken(rule)


def stands(state: State) -> None:
    """Check everybody and everything.

    Raises:
        Broken: naming the rule and who is concerned.
    """
    for key, running in state.timers.items():
        must(key == timer_key(running.timer), f"{key} misnamed")
        _belongs(state, running.timer.kind, running.timer.subject)
    for call in state.calls.values():
        _caller(state, call)
        _suspicion(state, call)
    for offer in state.offers.values():
        _offer(state, offer)
    _operators(state)
    _nobody_idle_beside_a_waiting_caller(state)
    _callbacks(state)


# --- callers --------------------------------------------------------------------------------------------------------


def _caller(state: State, call: Call) -> None:
    """Every caller has an owner: a deadline, a ringing phone, a person or a party."""
    name = call.call
    match call.state:
        case CallState.ARRIVED:
            must(call.direction is Direction.OUTBOUND, f"{name} stays arrived")
            limited = _runs(state, TimerKind.CITIZEN, name)
            must(call.person is not None or limited or _rings(state, call), f"{name} is called back by nobody")
        case CallState.IN_IVR:
            owned = _runs(state, TimerKind.NODE_INPUT, name) or _runs(state, TimerKind.NODE_PROMPT, name)
            must(owned, f"{name} is stuck in the flow")
            must(call.person is None and call.party is None, f"{name} has somebody in the flow")
        case CallState.QUEUED:
            _waiting_caller(state, call)
        case CallState.ENDED:
            must(_runs(state, TimerKind.CALL_RELEASE, name), f"{name} was hung up without a limit")
            must(call.person is None, f"{name} is over and holds a person")
    must(call.person is not None or call.state not in _WITH_PERSON, f"{name} is {call.state} with nobody")
    if call.state in _WITH_PARTY:
        party = None if call.party is None or call.party.offer is None else state.offers.get(call.party.offer)
        answered = party is not None and party.state is OfferState.ANSWERED
        must(answered, f"{name} is {call.state} with no party")
    must(not call.seeks or call.state in (CallState.QUEUED, CallState.AGENCY_ONLY), f"{name} seeks while {call.state}")
    if call.state in (*_WITH_PERSON, CallState.AGENCY_ONLY) and call.state is not CallState.CONSULTING:
        together = call.bridge == talk_bridge(name)
        must(together or _is_being_joined(state, call), f"{name} is {call.state} and not in the talk")
    if call.person is not None:
        person = state.offers.get(call.person)
        must(person is not None and person.call == name, f"{name}'s person has no leg")
        must(person is not None and person.state is OfferState.ANSWERED, f"{name}'s person has not answered")


def _waiting_caller(state: State, call: Call) -> None:
    name = call.call
    if call.person is not None:
        must(_runs(state, TimerKind.OFFER_JOIN, call.person), f"{name} is being joined without a limit")
    elif _party_is_joining(state, call):
        return
    else:
        must(_runs(state, TimerKind.ANNOUNCE, name), f"{name} waits without announcements")
        outside = any(
            o.call == name and o.destination and o.purpose is LegPurpose.PERSON and o.state is OfferState.RINGING
            for o in state.offers.values()
        )
        must(outside or _runs(state, TimerKind.LAST_RESORT, name), f"{name} waits without a limit")
        must(call.seeks or (call.party is not None and _rings(state, call)), f"{name} waits for nobody")


def _party_is_joining(state: State, call: Call) -> bool:
    offer = None if call.party is None else call.party.offer
    return offer is not None and _runs(state, TimerKind.OFFER_JOIN, offer)


def _is_being_joined(state: State, call: Call) -> bool:
    return _party_is_joining(state, call) or (
        call.person is not None and _runs(state, TimerKind.OFFER_JOIN, call.person)
    )


def _rings(state: State, call: Call) -> bool:
    return any(o.call == call.call and o.state is OfferState.RINGING for o in state.offers.values())


def _suspicion(state: State, call: Call) -> None:
    """A suspicion only informs: no later place past the cap, none without a deadline, none for who is unknown."""
    if call.caller.number is None and call.assessed is not None:
        must(not call.assessed.flagged and not call.assessed.warned, f"{call.call} is flagged without a number")
    must(0 <= call.later_seconds <= LONGEST_LATER_PLACE_SECONDS, f"{call.call} stands {call.later_seconds} s later")
    if call.later_seconds and call.state is CallState.QUEUED and call.person is None:
        must(_runs(state, TimerKind.LATER_PLACE, call.call), f"{call.call} stands later for ever")
        must(bool(call.assessed and call.assessed.flagged), f"{call.call} stands later for nothing")


# --- legs -----------------------------------------------------------------------------------------------------------


def _offer(state: State, offer: Offer) -> None:
    name = offer.offer
    call = state.calls.get(offer.call)
    live = call is not None and call.state is not CallState.ENDED
    is_party = live and call is not None and call.party is not None and call.party.offer == name
    is_person = live and call is not None and call.person == name
    if offer.state is OfferState.RINGING:
        must(_runs(state, TimerKind.OFFER_RING, name), f"{name} rings without a limit")
        if offer.purpose is LegPurpose.PARTY:
            must(is_party, f"{name} rings for nobody")
        else:
            must(call is not None and call.person is None and _is_sought(call, offer), f"{name} rings for nobody")
    elif offer.state is OfferState.ANSWERED and (is_party or is_person):
        assert call is not None
        there = offer.bridge in (talk_bridge(call.call), consult_bridge(call.call))
        limited = _runs(state, TimerKind.OFFER_JOIN, name) or _runs(state, TimerKind.CITIZEN, call.call)
        must(there or limited, f"{name} is on its way without a limit")
        in_talk = call.state in (CallState.THREE_WAY, CallState.AGENCY_ONLY) and not limited
        if is_party and offer.destination and in_talk and call.party is not None and not call.party.spoke:
            must(_runs(state, TimerKind.PARTY_SILENT, name), f"{name} may be silent for ever")
    else:
        must(_runs(state, TimerKind.LEG_RELEASE, name), f"{name} is {offer.state} and nobody sees it go")


def _is_sought(call: Call, offer: Offer) -> bool:
    """Whether somebody is to serve this caller; a wait past its limit has the last-resort list ring, whatever else."""
    last_resort = offer.destination is not None and call.state is CallState.QUEUED
    return call.seeks or last_resort or call.state is CallState.ARRIVED


# --- operators ------------------------------------------------------------------------------------------------------


def _operators(state: State) -> None:
    held = Counter(o.operator for o in state.offers.values() if o.operator is not None and o.state in _LIVE_OFFERS)
    for name, operator in state.operators.items():
        must(held[name] <= 1, f"operator {name} has {held[name]} callers")
        offer = None if operator.offer is None else state.offers.get(operator.offer)
        if operator.state in (OperatorState.OFFERED, OperatorState.ON_CALL):
            must(offer is not None and offer.operator == name, f"operator {name} is {operator.state} without a leg")
        else:
            must(operator.offer is None and operator.call is None, f"operator {name} is {operator.state} with a leg")
            must(held[name] == 0, f"operator {name} is {operator.state} and rung")
        if operator.state is OperatorState.WRAP_UP:
            must(_runs(state, TimerKind.WRAP_UP, name), f"operator {name} wraps up for ever")
        if operator.pause == SET_ASIDE:
            must(_runs(state, TimerKind.SET_ASIDE, name), f"operator {name} is set aside for ever")
        elif operator.state is OperatorState.PAUSED and operator.active:
            overdue = alarm_key(AlarmKind.PAUSE_OVERDUE, name) in state.alarms
            must(overdue or _runs(state, TimerKind.PAUSE_LIMIT, name), f"operator {name} pauses for ever")
        if operator.state is OperatorState.BUSY_ELSEWHERE:
            must(operator.elsewhere, f"operator {name} is elsewhere without proof")


def _nobody_idle_beside_a_waiting_caller(state: State) -> None:
    ready = [operator for operator in state.operators.values() if is_ready(operator)]
    if not ready:
        return
    for call in state.calls.values():
        if not call.seeks or call.person is not None:
            continue
        able = [operator.profile.operator for operator in ready if _may_take(state, call, operator)]
        rings = any(
            o.call == call.call
            and o.operator is not None
            and o.purpose is LegPurpose.PERSON
            and o.state is OfferState.RINGING
            for o in state.offers.values()
        )
        must(rings or not able, f"{call.call} waits beside {able} who are ready")
        must(_runs(state, TimerKind.RING_EVERYONE, call.call), f"not everyone who is ready rings for {call.call}")


def _may_take(state: State, call: Call, operator: Operator) -> bool:
    """Whether this person is to be rung for this caller now: someone with the wanted skill is waited for a while."""
    if call.skill is None or call.skill in operator.profile.skills:
        return True
    skilled = any(is_present(o) and call.skill in o.profile.skills for o in state.operators.values())
    return not (skilled and _runs(state, TimerKind.SKILL_RELAX, call.call))


# --- call-backs, timers ---------------------------------------------------------------------------------------------


def _callbacks(state: State) -> None:
    for name, callback in state.callbacks.items():
        attempt = None if callback.attempt is None else state.calls.get(callback.attempt)
        must(callback.attempt is None or attempt is not None, f"the call-back of {name} waits for a call that is over")
        limited = attempt is not None or _runs(state, TimerKind.CALLBACK, name)
        must(limited, f"the call-back of {name} has no deadline")
    for number in state.recalls:
        must(_runs(state, TimerKind.RECALL, number), "a place is kept for ever")


def _belongs(state: State, kind: TimerKind, subject: str) -> None:
    """No timer outlives what it is for."""
    if kind in _OF_A_CALL:
        must(subject in state.calls, f"{kind} of {subject}, which is over")
    elif kind in _OF_AN_OFFER:
        must(subject in state.offers, f"{kind} of {subject}, which is gone")
    elif kind in _OF_AN_OPERATOR:
        must(subject in state.operators, f"{kind} of {subject}, who does not exist")
    elif kind is TimerKind.CALLBACK:
        must(subject in state.callbacks, f"{kind} of {subject}, which is settled")
    elif kind is TimerKind.RECALL:
        must(subject in state.recalls, f"{kind} of a number that is forgotten")
    else:
        must(kind in (TimerKind.INCIDENT, TimerKind.SEATS), f"{kind} of {subject}")


def _runs(state: State, kind: TimerKind, subject: str) -> bool:
    return f"{kind}:{subject}" in state.timers
