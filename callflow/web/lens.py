"""Decides what of the engine's snapshots and facts a person may see live. What is not named here reaches nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from callflow.permissions import Permission

Document = dict[str, Any]
HIDDEN_CALLER: Final[Mapping[str, Any]] = {"number": None, "raw": "", "hidden": True}

_CALL_FACTS: Final = frozenset(
    {
        "CallOpened",
        "IvrStepTaken",
        "CallQueued",
        "OfferMade",
        "OfferClosed",
        "CallConnected",
        "PersonLost",
        "CallEnded",
        "CallHandedBack",
        "CallServedInFallback",
    }
)
_NEEDED: Final[Mapping[str, Permission]] = {
    **dict.fromkeys(_CALL_FACTS, Permission.SEE_LIVE),
    "RecordingStored": Permission.HEAR_RECORDINGS,
    "OperatorUpdated": Permission.SEE_OPERATORS,
    "OperatorMoved": Permission.SEE_OPERATORS,
    "AlarmRaised": Permission.SEE_ALARMS,
    "AlarmCleared": Permission.SEE_ALARMS,
    "FlowInForce": Permission.SEE_LIVE,
}
"""TrunkHeadersNoted and SettingsApplied are left out: the record shows the ones, an admin's page the others."""


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
        needed = _NEEDED.get(kind)
        if needed is None or needed not in self.permissions:
            return None
        seen = dict(fact)
        match kind:
            case "CallOpened" | "CallServedInFallback":
                seen["caller"] = self._caller(fact["caller"])
            case "OfferMade" | "CallConnected" if self._is_mine(fact) and fact["call"] in callers:
                seen["caller"] = callers[fact["call"]]
            case "IvrStepTaken":
                del seen["keys"]
            case "FlowInForce":
                del seen["document"]
            case "RecordingStored":
                seen["tracks"] = [{"name": track["name"], "seconds": track["seconds"]} for track in fact["tracks"]]
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
