"""Shows the State as plain values for a wall, a page or a status command: what stands now, nothing of the past."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callflow.core.ledger import place_of
from callflow.core.state import Call, Offer, Operator, State
from callflow.core.states import CallState


def view(state: State) -> dict[str, Any]:
    """The present as JSON-able values: `flow_version`, `calls` (first in line first), `operators`, `alarms`."""
    offers: dict[str, list[Offer]] = {}
    for offer in state.offers.values():
        offers.setdefault(offer.call, []).append(offer)
    live = sorted((call for call in state.calls.values() if call.state is not CallState.ENDED), key=place_of)
    return {
        "flow_version": state.flow_version,
        "calls": [_call(call, offers.get(call.call, [])) for call in live],
        "operators": [_operator(operator) for _, operator in sorted(state.operators.items()) if operator.active],
        "alarms": [
            {"kind": alarm.kind, "subject": alarm.subject, "detail": alarm.detail, "since": alarm.at.isoformat()}
            for alarm in state.alarms.values()
        ],
    }


def _call(call: Call, offers: list[Offer]) -> dict[str, Any]:
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
        "offers": [
            {
                "offer": offer.offer,
                "operator": offer.operator,
                "destination": _destination(offer),
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
        "skills": sorted(operator.profile.skills),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _destination(offer: Offer | None) -> str | None:
    return offer.destination.name if offer is not None and offer.destination is not None else None
