"""What the fake engine tells in the browser tests: calls, parties and people, as facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page, expect

SUSPECTED = {
    "score": 0.83,
    "flagged": True,
    "warned": False,
    "calls": 5,
    "pranks": 4,
    "confirmed": 5,
    "later_seconds": 10.0,
    "reason_id": "4 dari 5 panggilan dalam 30 hari iseng",
    "reason_en": "4 of 5 calls in 30 days confirmed prank",
}


def ago(seconds: float) -> str:
    """A time so long ago; negative = to come."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def opened(call: str, number: str | None, raw: str | None = None, *, seconds_ago: int = 5) -> dict[str, Any]:
    return {
        "type": "CallOpened",
        "call": call,
        "arrived_at": ago(seconds_ago),
        "caller": {"number": number, "raw": raw or number or ""},
        "dialled": "112",
        "trunk": "telkom",
        "direction": "inbound",
        "callback_of": None,
    }


def queued(call: str) -> dict[str, Any]:
    return {"type": "CallQueued", "call": call, "tier": "gawat_darurat", "skill": "health", "reason": "flow"}


def moved(
    operator: str, state: str, *, call: str | None = None, reason: str = "", online: bool = True
) -> dict[str, Any]:
    return {
        "type": "OperatorMoved",
        "operator": operator,
        "state": state,
        "reason": reason,
        "online": online,
        "call": call,
    }


def rung(call: str, operator: str | None, *, number: int = 1, destination: str | None = None) -> dict[str, Any]:
    purpose = "person" if destination is None else "party"
    offer = f"{call}.o{number}"
    return {
        "type": "OfferMade",
        "call": call,
        "offer": offer,
        "operator": operator,
        "destination": destination,
        "purpose": purpose,
    }


def talking(call: str, operator: str) -> list[dict[str, Any]]:
    """The phone is answered: operator and caller talk."""
    about = {"call": call, "offer": f"{call}.o1"}
    return [
        {"type": "OfferClosed", **about, "outcome": "answered", "cause": None},
        {"type": "CallConnected", **about, "operator": operator, "destination": None},
        moved(operator, "on_call", call=call),
    ]


def sought(call: str, name: str, kind: str, *, mode: str = "join", by: str | None = "siti") -> dict[str, Any]:
    return {"type": "PartySought", "call": call, "name": name, "kind": kind, "mode": mode, "operator": by}


def joined(call: str, name: str, destination: str, *, three_way: bool = True) -> dict[str, Any]:
    return {
        "type": "PartyJoined",
        "call": call,
        "offer": f"{call}.o2",
        "name": name,
        "destination": destination,
        "operator": None,
        "three_way": three_way,
    }


def gone(call: str, name: str, reason: str) -> dict[str, Any]:
    return {"type": "PartyGone", "call": call, "name": name, "offer": f"{call}.o2", "reason": reason}


async def connected(page: Page) -> None:
    """Wait until the page follows."""
    await expect(page.locator("#link")).to_contain_text("Terhubung")
