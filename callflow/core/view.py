"""Shows the State as plain values for a wall, a page or a status command: what stands now, nothing of the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callflow.core import roster
from callflow.core.facts import CallerAssessed
from callflow.core.ids import CallId
from callflow.core.ledger import place_of
from callflow.core.state import Call, Callback, Offer, Operator, State
from callflow.core.states import CallState, OfferState
from callflow.core.targets import MEDICAL


def view(state: State, at: datetime) -> dict[str, Any]:
    """The present as JSON-able values: `calls` (first in line first), `operators`, `callbacks`, `roster`, `alarms`.

    Beside them what the centre offers its operators: `pause_reasons`, `agencies`.
    """
    offers: dict[str, list[Offer]] = {}
    for offer in state.offers.values():
        offers.setdefault(offer.call, []).append(offer)
    live = sorted((call for call in state.calls.values() if call.state is not CallState.ENDED), key=place_of)
    waiting = (call.call for call in live if call.seeks and call.person is None)
    line = {call: place for place, call in enumerate(waiting, start=1)}
    settings = state.settings
    return {
        "flow_version": state.flow_version,
        "calls": [_call(call, offers.get(call.call, []), line) for call in live],
        "operators": [_operator(operator) for _, operator in sorted(state.operators.items()) if operator.active],
        "callbacks": [_callback(callback) for callback in state.callbacks.values()],
        "roster": _roster(state, at),
        "pause_reasons": [
            {"key": each.key, "name": each.name, "label_id": each.label_id, "label_en": each.label_en}
            for each in (() if settings is None else settings.pause_reasons)
        ],
        "agencies": _agencies(state),
        "alarms": [
            {"kind": alarm.kind, "subject": alarm.subject, "detail": alarm.detail, "since": alarm.at.isoformat()}
            for alarm in state.alarms.values()
        ],
    }


def _agencies(state: State) -> list[dict[str, str]]:
    """Whom operators may join, the ambulance service first."""
    if state.settings is None:
        return []
    medical = [{"name": MEDICAL, "label": each.name, "code": each.number} for each in state.settings.medical[:1]]
    return medical + [{"name": each.name, "label": each.label, "code": each.code} for each in state.settings.agencies]


def _roster(state: State, at: datetime) -> dict[str, Any]:
    there = {o.profile.operator for o in state.operators.values() if o.active and o.signed_in and o.online}
    zone = "UTC" if state.settings is None else state.settings.zone
    following = roster.next_sitting(state.roster, zone, at)
    return {
        "now": [
            {
                "shift": sitting.shift,
                "until": sitting.ends.isoformat(),
                "expected": list(sitting.expected),
                "present": [name for name in sitting.expected if name in there],
            }
            for sitting in state.sittings
        ],
        "next": None
        if following is None
        else {
            "shift": following.shift,
            "at": following.begins.isoformat(),
            "expected": list(following.expected),
        },
    }


def _callback(callback: Callback) -> dict[str, Any]:
    return {
        "call": callback.call,
        "number": callback.number,
        "opened_at": callback.opened_at.isoformat(),
        "deadline": callback.deadline.isoformat(),
        "owner": callback.owner,
        "attempts": callback.attempts,
        "attempt": callback.attempt,
    }


def _party(call: Call, offers: list[Offer]) -> dict[str, Any] | None:
    party = call.party
    if party is None:
        return None
    leg = next((offer for offer in offers if offer.offer == party.offer), None)
    return {
        "name": party.name,
        "kind": party.kind,
        "mode": party.mode,
        "offer": party.offer,
        "operator": party.colleague,
        "destination": _destination(leg),
        "joined": leg is not None and leg.state is OfferState.ANSWERED and leg.bridge is not None,
        "spoke": party.spoke,
    }


def _assessed(assessed: CallerAssessed | None) -> dict[str, Any] | None:
    if assessed is None:
        return None
    return {
        "score": assessed.score,
        "flagged": assessed.flagged,
        "warned": assessed.warned,
        "calls": assessed.calls,
        "pranks": assessed.pranks,
        "confirmed": assessed.confirmed,
        "reason_id": assessed.reason_id,
        "reason_en": assessed.reason_en,
    }


def _call(call: Call, offers: list[Offer], line: Mapping[CallId, int]) -> dict[str, Any]:
    person = next((offer for offer in offers if offer.offer == call.person), None)
    return {
        "call": call.call,
        "state": call.state,
        "caller": {"number": call.caller.number, "raw": call.caller.raw},
        "dialled": call.dialled,
        "trunk": call.trunk,
        "arrived_at": call.arrived_at.isoformat(),
        "node": call.ivr.node if call.ivr is not None else None,
        "tier": call.tier,
        "skill": call.skill,
        "queued_at": _time(call.queued_at),
        "connected_at": _time(call.connected_at),
        "operator": person.operator if person is not None else None,
        "destination": _destination(person),
        "direction": call.direction,
        "callback_of": call.callback_of,
        "party": _party(call, offers),
        "assessed": _assessed(call.assessed),
        "spoke": call.spoke,
        "seeks": call.seeks,
        "medical": call.medical,
        "position": line.get(call.call),
        "offers": [
            {
                "offer": offer.offer,
                "operator": offer.operator,
                "destination": _destination(offer),
                "purpose": offer.purpose,
                "state": offer.state,
                "made_at": offer.made_at.isoformat(),
            }
            for offer in offers
        ],
    }


def _operator(operator: Operator) -> dict[str, Any]:
    return {
        "operator": operator.profile.operator,
        "name": operator.profile.name,
        "endpoint": operator.profile.endpoint,
        "state": operator.state,
        "since": operator.since.isoformat(),
        "reason": operator.pause,
        "online": operator.online,
        "call": operator.call,
        "last_call": operator.last_call,
        "agency": operator.profile.agency,
        "skills": sorted(operator.profile.skills),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _destination(offer: Offer | None) -> str | None:
    return offer.destination.name if offer is not None and offer.destination is not None else None
