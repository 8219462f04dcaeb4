"""Decides what of the engine's snapshots and facts a person may see live. What is not named here reaches nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from callflow.permissions import Permission
from callflow.web.auth import Who
from callflow.web.known import KnownCall, KnownCalls

Document = dict[str, Any]
HIDDEN_CALLER: Final[Mapping[str, Any]] = {"number": None, "raw": "", "hidden": True}

_P: Final = Permission
_PARTY: Final = ("name", "kind", "mode", "offer", "operator", "destination", "joined", "spoke")
_OFFER: Final = ("offer", "operator", "destination", "state", "made_at", "purpose")
_ASSESSED: Final = ("score", "flagged", "warned", "calls", "pranks", "confirmed", "reason_id", "reason_en")
_SHOWN: Final[Mapping[str, tuple[Permission, tuple[str, ...]]]] = {
    "CallOpened": (
        _P.SEE_LIVE,
        ("call", "arrived_at", "caller", "dialled", "trunk", "direction", "callback_of"),
    ),
    "IvrStepTaken": (_P.SEE_LIVE, ("call", "flow_version", "node", "exit", "entered_at")),
    "CallQueued": (_P.SEE_LIVE, ("call", "tier", "skill", "reason")),
    "OfferMade": (_P.SEE_LIVE, ("call", "offer", "operator", "destination", "purpose")),
    "OfferClosed": (_P.SEE_LIVE, ("call", "offer", "outcome", "cause")),
    "CallConnected": (_P.SEE_LIVE, ("call", "offer", "operator", "destination")),
    "PersonLost": (_P.SEE_LIVE, ("call", "offer", "cause")),
    "OperatorLeft": (_P.SEE_LIVE, ("call", "offer", "operator", "confirmed")),
    "PartySought": (_P.SEE_LIVE, ("call", "name", "kind", "mode", "operator")),
    "PartyJoined": (_P.SEE_LIVE, ("call", "offer", "name", "destination", "operator", "three_way")),
    "PartySpoke": (_P.SEE_LIVE, ("call", "offer", "name")),
    "PartyGone": (_P.SEE_LIVE, ("call", "offer", "name", "reason")),
    "ConsultationBegan": (_P.SEE_LIVE, ("call", "offer", "number", "operator", "name")),
    "ConsultationEnded": (_P.SEE_LIVE, ("call", "number")),
    "CallerAssessed": (_P.SEE_LIVE, ("call", *_ASSESSED)),
    "CallClassified": (_P.SEE_OPERATORS, ("call", "classification", "by", "operator")),
    "CallerSpoke": (_P.SEE_LIVE, ("call",)),
    "CallerChallenged": (_P.SEE_LIVE, ("call", "kind")),
    "ChallengeAnswered": (_P.SEE_LIVE, ("call", "kind")),
    "CallbackOpened": (_P.SEE_CALLBACKS, ("call", "number", "deadline")),
    "CallbackAssigned": (_P.SEE_CALLBACKS, ("call", "operator", "deadline")),
    "CallbackTried": (_P.SEE_CALLBACKS, ("call", "attempt", "operator")),
    "CallbackClosed": (_P.SEE_CALLBACKS, ("call", "outcome", "by")),
    "CallEnded": (_P.SEE_LIVE, ("call", "stage", "ended_by", "cause")),
    "CallHandedBack": (_P.SEE_LIVE, ("call", "reason")),
    "CallServedInFallback": (
        _P.SEE_LIVE,
        ("call", "arrived_at", "caller", "dialled", "trunk", "answered_at", "answered_by", "ended_at", "cause"),
    ),
    "RecordingStored": (_P.HEAR_RECORDINGS, ("call",)),
    "RecordingMissing": (_P.HEAR_RECORDINGS, ("call", "reason")),
    "OperatorUpdated": (_P.SEE_OPERATORS, ("profile", "active")),
    "OperatorMoved": (_P.SEE_OPERATORS, ("operator", "state", "reason", "online", "call")),
    "AlarmRaised": (_P.SEE_ALARMS, ("kind", "subject", "detail")),
    "AlarmCleared": (_P.SEE_ALARMS, ("kind", "subject")),
    "FlowInForce": (_P.SEE_LIVE, ("version", "published_by")),
    # That they changed; what they say now is asked for at /codes and /roster.
    "SettingsApplied": (_P.SEE_OPERATORS, ()),
    "RosterInForce": (_P.SEE_ROSTER, ()),
    "ShiftBegan": (_P.SEE_ROSTER, ("shift", "until", "expected", "present")),
}
"""Per fact who sees it and which fields: no keys that a caller pressed, no trunk headers, no settings, no paths.

A field that a fact gets one day is not shown before it stands here.
"""
_CALL: Final = (
    *("call", "state", "caller", "dialled", "trunk", "arrived_at", "node", "tier", "skill", "queued_at"),
    *("connected_at", "operator", "destination", "offers", "direction", "callback_of", "party", "assessed", "spoke"),
    *("seeks", "medical", "position"),
)
_LISTS: Final[Mapping[str, tuple[Permission, tuple[str, ...]]]] = {
    "operators": (
        _P.SEE_OPERATORS,
        (
            *("operator", "name", "endpoint", "state", "since", "reason", "online", "call", "skills"),
            *("agency", "last_call"),
        ),
    ),
    "alarms": (_P.SEE_ALARMS, ("kind", "subject", "detail", "since")),
    "callbacks": (
        _P.SEE_CALLBACKS,
        ("call", "number", "opened_at", "deadline", "owner", "attempts", "attempt"),
    ),
    "pause_reasons": (_P.SEE_OPERATORS, ("key", "name", "label_id", "label_en")),
    "agencies": (_P.SEE_OPERATORS, ("name", "label", "code")),
}
"""The snapshot's lists, likewise."""
_SHIFTS: Final = ("shift", "at", "until", "expected", "present")
_TELEPHONE: Final = re.compile(r"\+?[0-9]{5,}")
"""A person's number. Slugs, logins and the services' short codes are none."""


@dataclass(frozen=True, slots=True)
class Lens:
    """One person's view.

    Attributes:
        operator: sees the callers, suspicions and dialled numbers of the calls that ring or are joined at this desk,
            whoever else may not.
    """

    permissions: frozenset[Permission]
    operator: str | None

    @classmethod
    def of(cls, who: Who) -> Self:
        """The view of somebody who is signed in."""
        return cls(who.permissions, who.operator)

    @property
    def sees_callers(self) -> bool:
        """Whether every caller's number is shown."""
        return Permission.SEE_LIVE_CALLERS in self.permissions

    @property
    def sees_callbacks(self) -> bool:
        """Whether the numbers of those who are to be called back are shown."""
        return Permission.SEE_CALLBACKS in self.permissions and Permission.CALL_BACK in self.permissions

    def snapshot(self, snapshot: Mapping[str, Any]) -> Document:
        """What stands now, as far as this person may see it."""
        shown: Document = {
            "at": snapshot.get("at"),
            "flow_version": snapshot.get("flow_version"),
            "calls": [self._call(call) for call in snapshot["calls"]],
            "roster": _roster(snapshot.get("roster")) if Permission.SEE_ROSTER in self.permissions else None,
        }
        for name, (needed, fields) in _LISTS.items():
            entries = snapshot.get(name, ()) if needed in self.permissions else ()
            shown[name] = [_only(fields, entry) for entry in entries]
        shown["alarms"] = [self.alarm(alarm) for alarm in shown["alarms"]]
        shown["callbacks"] = [self.callback(callback) for callback in shown["callbacks"]]
        return shown

    def fact(self, fact: Mapping[str, Any], calls: KnownCalls) -> Document | None:
        """A fact as far as this person may see it; None = not at all.

        Args:
            fact: as the engine tells it.
            calls: those that go on.
        """
        kind = str(fact["type"])
        needed, names = _SHOWN.get(kind, (None, ()))
        if needed is None or needed not in self.permissions:
            return None
        known = calls.get(fact["call"]) if "call" in fact else None
        mine = self._is_mine(fact) or (known is not None and known.is_at(self.operator))
        suspects = kind == "CallerAssessed" or fact.get("kind") == "prank"
        if suspects and not (mine or self.sees_callers):
            return None
        seen = _only(("type", "at", *names), fact)
        if "caller" in seen:
            seen["caller"] = self._caller(fact["caller"])
        elif kind in ("OfferMade", "CallConnected") and self._is_mine(fact) and known is not None:
            seen |= {"caller": known.caller, "assessed": _assessed(known)}
        if kind == "CallbackOpened":
            return self.callback(seen)
        if kind in ("AlarmRaised", "AlarmCleared"):
            return self.alarm(seen)
        return seen if mine else self._numberless(seen, "name", "destination")

    def alarm(self, alarm: Mapping[str, Any]) -> Document:
        """An alarm; where it is about a number that was dialled, not that."""
        return {name: "" if value is None else value for name, value in self._numberless(alarm, "detail").items()}

    def callback(self, callback: Mapping[str, Any]) -> Document:
        """A call-back, its number for those who may call back."""
        return {**callback, "number": callback["number"] if self.sees_callbacks else None}

    def _call(self, call: Mapping[str, Any]) -> Document:
        offers = [offer for offer in call["offers"] if offer["state"] in ("ringing", "answered")]
        mine = self._is_mine(call) or any(self._is_mine(offer) for offer in offers)
        seen = _only(_CALL, call)
        seen["assessed"] = _only_or_none(_ASSESSED, call.get("assessed"))
        seen["party"] = _only_or_none(_PARTY, call.get("party"))
        seen["offers"] = [_only(_OFFER, offer) for offer in call["offers"]]
        if mine:
            return seen
        seen["caller"] = self._caller(call["caller"])
        seen["offers"] = [self._numberless(offer, "destination") for offer in seen["offers"]]
        seen["party"] = seen["party"] and self._numberless(seen["party"], "name", "destination")
        seen["assessed"] = seen["assessed"] if self.sees_callers else None
        return self._numberless(seen, "destination")

    def _caller(self, caller: Mapping[str, Any]) -> Mapping[str, Any]:
        return caller if self.sees_callers else HIDDEN_CALLER

    def _numberless(self, entry: Mapping[str, Any], *fields: str) -> Document:
        """Without the telephone numbers that an operator dialled, for those who see no callers either."""
        if self.sees_callers:
            return dict(entry)
        hidden = {name for name in fields if _TELEPHONE.fullmatch(str(entry.get(name) or ""))}
        return {name: None if name in hidden else value for name, value in entry.items()}

    def _is_mine(self, entry: Mapping[str, Any]) -> bool:
        return self.operator is not None and entry.get("operator") == self.operator


def _only(names: Iterable[str], entry: Mapping[str, Any]) -> Document:
    return {name: entry[name] for name in names if name in entry}


def _only_or_none(names: Iterable[str], entry: Mapping[str, Any] | None) -> Document | None:
    return None if entry is None else _only(names, entry)


def _roster(roster: Mapping[str, Any] | None) -> Document | None:
    if roster is None:
        return None
    now = [_only(_SHIFTS, shift) for shift in roster["now"]]
    return {"now": now, "next": _only_or_none(_SHIFTS, roster["next"])}


def _assessed(known: KnownCall) -> Document | None:
    return _only_or_none(_ASSESSED, known.assessed)
