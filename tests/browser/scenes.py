"""What the fake engine tells in the browser tests: calls, parties and people, as facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page, expect

from callflow.core.facts import Stage
from callflow.storage.models import Call
from callflow.web.testing import FakeEnginePort

from ..integration.web_lab import WebLab  # noqa: TID252

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


async def busy_afternoon(engine: FakeEnginePort) -> None:
    """Something of everything: each state of a call and of an operator, a suspicion, call-backs, an empty seat."""
    for login, name in (("dewi", "Dewi Lestari"), ("eko", "Eko Prasetyo"), ("fitri", "dr. Fitri Handayani")):
        engine.add_operator(login, name)
    siti, budi, dewi, _, fitri = engine.present["operators"]
    siti.update(state="on_call", call="c1", since=ago(41))
    budi.update(state="offered", since=ago(4))
    dewi.update(state="paused", reason="ibadah", since=ago(312))
    fitri.update(state="on_call", call="c2", agency="Dinas Kesehatan", since=ago(20))
    engine.present["roster"] = {
        "now": [{"shift": "pagi", "until": ago(-3600), "expected": ["budi", "dewi", "eko", "siti"], "present": []}],
        "next": {"shift": "sore", "at": ago(-3600), "expected": ["eko", "fitri"]},
    }
    engine.add_callback("c8", "+6281234000008", due_seconds=-37)
    engine.add_callback("c9", "+6281234000009", due_seconds=83, owner="siti")
    await engine.show()
    for number, seconds in enumerate((48, 31, 12, 3), start=1):
        await engine.tell(opened(f"c{number}", f"+628123400000{number}", seconds_ago=seconds), queued(f"c{number}"))
    await engine.tell(rung("c1", "siti"), *talking("c1", "siti"), {"type": "CallerSpoke", "call": "c1"})
    await engine.tell(sought("c1", "medical", "medical"), rung("c1", None, number=2, destination="RSUD Blambangan"))
    await engine.tell(joined("c1", "medical", "RSUD Blambangan"))
    await engine.tell(rung("c2", "fitri"), *talking("c2", "fitri"))
    await engine.tell({"type": "CallerAssessed", "call": "c3", **SUSPECTED}, rung("c3", "budi"))
    await engine.tell(
        {"type": "AlarmRaised", "kind": "seat_empty", "subject": "pagi", "detail": "not at the desk: eko"}
    )


async def finished_calls(lab: WebLab) -> None:
    """Calls that are in the record already."""
    arrived = datetime.now(UTC) - timedelta(minutes=20)
    async with lab.sessions.begin() as session:
        for number, stage in enumerate((Stage.ANSWERED, Stage.ABANDONED_IN_QUEUE, Stage.ANSWERED)):
            begun = arrived + timedelta(minutes=5 * number)
            answered = begun + timedelta(seconds=6 + number) if stage is Stage.ANSWERED else None
            session.add(
                Call(
                    call_id=f"pbx1-1.{number}",
                    centre_id="bwi",
                    arrived_at=begun,
                    caller_number=f"+628123400010{number}",
                    caller_raw="",
                    dialled="112",
                    trunk="telkom",
                    stage=stage,
                    operator_id=None if answered is None else "siti",
                    answered_at=answered,
                    ended_at=begun + timedelta(seconds=40 + 53 * number),
                    fallback=False,
                )
            )
