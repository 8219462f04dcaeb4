"""What is kept of each live call, and for how long."""

from __future__ import annotations

from typing import Any

from callflow.web.known import KnownCalls

CALLER = {"number": "+6281234567890", "raw": "081234567890"}


def calls(*facts: dict[str, Any]) -> KnownCalls:
    known = KnownCalls()
    known.take_fact({"type": "CallOpened", "call": "c1", "caller": CALLER})
    for fact in facts:
        known.take_fact({"call": "c1", "offer": "c1.o1", "operator": "siti", **fact})
    return known


def desks(known: KnownCalls) -> set[str]:
    call = known.get("c1")
    assert call is not None
    return set(call.operators.values())


def test_call_is_at_the_desk_where_it_rings_until_the_offer_is_closed() -> None:
    ringing = {"type": "OfferMade"}
    assert desks(calls(ringing)) == {"siti"}
    assert desks(calls(ringing, {"type": "OfferClosed", "outcome": "answered"})) == {"siti"}
    assert desks(calls(ringing, {"type": "OfferClosed", "outcome": "timed_out"})) == set()


def test_call_stays_at_the_desk_that_talks_until_that_person_leaves() -> None:
    talking = ({"type": "OfferMade"}, {"type": "CallConnected"})
    assert desks(calls(*talking)) == {"siti"}
    for left in ("PersonLost", "OperatorLeft", "PartyGone"):
        assert desks(calls(*talking, {"type": left, "reason": "dropped"})) == set()


def test_call_stays_at_the_colleague_s_desk_when_the_party_became_the_person() -> None:
    gone = {"type": "PartyGone", "reason": "became_person"}
    assert desks(calls({"type": "OfferMade"}, gone)) == {"siti"}


def test_outside_number_is_no_desk_when_it_is_rung() -> None:
    assert desks(calls({"type": "OfferMade", "operator": None})) == set()
    assert desks(calls({"type": "PartyGone", "offer": None, "reason": "not_reached"})) == set()


def test_assessment_is_kept_as_a_snapshot_has_it() -> None:
    known = calls({"type": "CallerAssessed", "at": "", "score": 0.5}).get("c1")
    assert known is not None
    assert known.assessed is not None
    assert known.assessed["score"] == 0.5
    assert not {"type", "at", "call"} & set(known.assessed)


def test_call_is_forgotten_when_it_is_over_or_handed_back() -> None:
    assert "c1" not in calls({"type": "CallEnded"})
    assert list(calls({"type": "CallHandedBack"})) == []
    assert calls({"type": "CallEnded"}, {"type": "OfferMade"}).get("c1") is None


def test_nothing_of_before_is_kept_when_a_snapshot_comes() -> None:
    known = calls({"type": "OfferMade"})
    offers = [
        {"offer": "c2.o1", "operator": "budi", "state": "timed_out"},
        {"offer": "c2.o2", "operator": "siti", "state": "answered"},
        {"offer": "c2.o3", "operator": None, "state": "ringing"},
    ]
    known.take_snapshot({"calls": [{"call": "c2", "caller": CALLER, "assessed": None, "offers": offers}]})
    assert list(known) == ["c2"]
    again = known.get("c2")
    assert again is not None
    assert again.operators == {"c2.o2": "siti"}
    assert again.is_at("siti")
    assert not again.is_at("budi")
    assert not again.is_at(None)
