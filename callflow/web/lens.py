"""Decides what of the engine's snapshots and facts a person may see live. What is not named here reaches nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from callflow.permissions import Permission

Document = dict[str, Any]
HIDDEN_CALLER: Final[Mapping[str, Any]] = {"number": None, "raw": "", "hidden": True}

_SHOWN: Final[Mapping[str, tuple[Permission, tuple[str, ...]]]] = {
    "CallOpened": (Permission.SEE_LIVE, ("call", "arrived_at", "caller", "dialled", "trunk")),
    "IvrStepTaken": (Permission.SEE_LIVE, ("call", "flow_version", "node", "exit", "entered_at")),
    "CallQueued": (Permission.SEE_LIVE, ("call", "tier", "skill", "reason")),
    "OfferMade": (Permission.SEE_LIVE, ("call", "offer", "operator", "destination")),
    "OfferClosed": (Permission.SEE_LIVE, ("call", "offer", "outcome", "cause")),
    "CallConnected": (Permission.SEE_LIVE, ("call", "offer", "operator", "destination")),
    "PersonLost": (Permission.SEE_LIVE, ("call", "offer", "cause")),
    "CallEnded": (Permission.SEE_LIVE, ("call", "stage", "ended_by", "cause")),
    "CallHandedBack": (Permission.SEE_LIVE, ("call", "reason")),
    "CallServedInFallback": (
        Permission.SEE_LIVE,
        ("call", "arrived_at", "caller", "dialled", "trunk", "answered_at", "answered_by", "ended_at", "cause"),
    ),
    "RecordingStored": (Permission.HEAR_RECORDINGS, ("call",)),
    "OperatorUpdated": (Permission.SEE_OPERATORS, ("profile", "active")),
    "OperatorMoved": (Permission.SEE_OPERATORS, ("operator", "state", "reason", "online", "call")),
    "AlarmRaised": (Permission.SEE_ALARMS, ("kind", "subject", "detail")),
    "AlarmCleared": (Permission.SEE_ALARMS, ("kind", "subject")),
    "FlowInForce": (Permission.SEE_LIVE, ("version", "published_by")),
}
"""Per fact who sees it and which fields: no keys that a caller pressed, no trunk headers, no settings, no paths.

A field that a fact gets one day is not shown before it stands here.
"""


@dataclass(frozen=True, slots=True)
class Lens:
    """One person's view.

    Attributes:
        operator: sees the callers of the calls that ring or are joined at this desk, whoever else may not.
    """

    permissions: frozenset[Permission]
    operator: str | None

    @property
    def sees_callers(self) -> bool:
        """Whether every caller's number is shown."""
        return Permission.SEE_LIVE_CALLERS in self.permissions

    def snapshot(self, snapshot: Mapping[str, Any]) -> Document:
        """What stands now, as far as this person may see it."""
        operators = Permission.SEE_OPERATORS in self.permissions
        alarms = Permission.SEE_ALARMS in self.permissions
        return {
            "at": snapshot.get("at"),
            "flow_version": snapshot.get("flow_version"),
            "calls": [self._call(call) for call in snapshot["calls"]],
            "operators": list(snapshot["operators"]) if operators else [],
            "alarms": list(snapshot["alarms"]) if alarms else [],
        }

    def fact(self, fact: Mapping[str, Any], callers: Mapping[str, Mapping[str, Any]]) -> Document | None:
        """A fact as far as this person may see it; None = not at all.

        Args:
            fact: as the engine tells it.
            callers: of the calls that go on.
        """
        kind = str(fact["type"])
        needed, names = _SHOWN.get(kind, (None, ()))
        if needed is None or needed not in self.permissions:
            return None
        seen = {name: fact[name] for name in ("type", "at", *names) if name in fact}
        if "caller" in seen:
            seen["caller"] = self._caller(fact["caller"])
        elif kind in ("OfferMade", "CallConnected") and self._is_mine(fact) and fact["call"] in callers:
            seen["caller"] = callers[fact["call"]]
        return seen

    def _call(self, call: Mapping[str, Any]) -> Document:
        mine = self._is_mine(call) or any(
            self._is_mine(offer) for offer in call["offers"] if offer["state"] in ("ringing", "answered")
        )
        return {**call, "caller": call["caller"] if mine else self._caller(call["caller"])}

    def _caller(self, caller: Mapping[str, Any]) -> Mapping[str, Any]:
        return caller if self.sees_callers else HIDDEN_CALLER

    def _is_mine(self, entry: Mapping[str, Any]) -> bool:
        return self.operator is not None and entry.get("operator") == self.operator
