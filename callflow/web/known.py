"""Keeps of each live call what later facts do not repeat: who calls, what is known of the number, whose call it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(slots=True)
class KnownCall:
    """One call that goes on.

    Attributes:
        assessed: `CallerAssessed` without its tag, as a snapshot has it; None = nothing is known.
        operators: whose phone rings or is joined for it, by offer.
    """

    caller: Document
    assessed: Document | None = None
    operators: dict[str, str] = field(default_factory=dict)

    def is_at(self, operator: str | None) -> bool:
        """Whether it rings or is joined at this operator's desk."""
        return operator is not None and operator in self.operators.values()


class KnownCalls:
    """The calls that go on, by id."""

    def __init__(self) -> None:
        self._calls: dict[str, KnownCall] = {}

    def __contains__(self, call: str) -> bool:
        return call in self._calls

    def __iter__(self) -> Any:
        return iter(self._calls)

    def get(self, call: str) -> KnownCall | None:
        """The call; None when it is not known, or over."""
        return self._calls.get(call)

    def take_snapshot(self, snapshot: Document) -> None:
        """Forget all, and begin with what stands."""
        self._calls = {
            call["call"]: KnownCall(
                call["caller"],
                call.get("assessed"),
                {
                    offer["offer"]: offer["operator"]
                    for offer in call["offers"]
                    if offer["operator"] and offer["state"] in ("ringing", "answered")
                },
            )
            for call in snapshot["calls"]
        }

    def take_fact(self, fact: Document) -> None:
        """Learn from one fact."""
        if fact["type"] == "CallOpened":
            self._calls[fact["call"]] = KnownCall(fact["caller"])
            return
        known = self._calls.get(fact.get("call", ""))
        if known is None:
            return
        match fact["type"]:
            case "CallerAssessed":
                known.assessed = {name: fact[name] for name in fact if name not in ("type", "at", "call")}
            case "OfferMade" | "CallConnected" if fact["operator"] is not None:
                known.operators[fact["offer"]] = fact["operator"]
            case "OfferClosed" if fact["outcome"] != "answered":
                known.operators.pop(fact["offer"], None)
            case "PersonLost" | "OperatorLeft":
                known.operators.pop(fact["offer"], None)
            case "PartyGone" if fact["reason"] != "became_person":
                known.operators.pop(fact["offer"], None)
            case "CallEnded" | "CallHandedBack":
                del self._calls[fact["call"]]
