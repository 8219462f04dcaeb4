"""What each role sees of facts and snapshots."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from callflow.core.ids import CentreId
from callflow.journal.codec import FACTS
from callflow.permissions import PermissionTable, Role
from callflow.web.known import KnownCalls
from callflow.web.lens import HIDDEN_CALLER, Lens

CALLER = {"number": "+6281234567890", "raw": "081234567890"}
ASSESSED = {
    "score": 0.8,
    "flagged": True,
    "warned": False,
    "calls": 5,
    "pranks": 4,
    "confirmed": 5,
    "reason_id": "4 dari 5 panggilan iseng",
    "reason_en": "4 of 5 calls confirmed prank",
}
DIALLED = "08123456789"
TABLE = PermissionTable(CentreId("bwi"))


def known(*, rings_at: str | None = None) -> KnownCalls:
    """One call, which may ring at a desk."""
    calls = KnownCalls()
    calls.take_fact({"type": "CallOpened", "call": "c1", "caller": CALLER})
    calls.take_fact({"type": "CallerAssessed", "at": "", "call": "c1", "later_seconds": 10.0, **ASSESSED})
    calls.take_fact({"type": "OfferMade", "call": "c1", "offer": "c1.o1", "operator": rings_at})
    return calls


def lens(role: Role, operator: str | None = None) -> Lens:
    return Lens(TABLE.of([role]), operator)


def fact(kind: str, /, **more: Any) -> dict[str, Any]:
    blank = {field.name: None for field in fields(FACTS[kind])}
    return {"type": kind, **blank, "call": "c1", "caller": CALLER, "tracks": [], **more}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", sorted(FACTS))
def test_no_number_headers_keys_or_paths_leave_when_the_role_may_not_see_them(kind: str, role: Role) -> None:
    numbers = {"number": "+62813"} if kind == "CallbackOpened" else {}
    given = fact(
        kind, **numbers, keys="1234", headers=[["P-Asserted-Identity", "secret"]], document="flow", tracks=[_track()]
    )
    shown = repr(lens(role).fact(given, known()))
    assert "1234'" not in shown
    assert "secret" not in shown
    assert "a/b.wav" not in shown
    if role not in (Role.SUPERVISOR, Role.ADMIN):
        assert "+62812" not in shown
    if role not in (Role.SUPERVISOR, Role.ADMIN, Role.OPERATOR):
        assert "+62813" not in shown


def _track() -> dict[str, Any]:
    return {"name": "mixed", "path": "a/b.wav", "sha256": "0", "bytes": 1, "seconds": 1.0}


def test_every_fact_has_a_decision_when_the_core_has_a_new_one() -> None:
    left_out = {kind for kind in FACTS if lens(Role.ADMIN).fact(fact(kind), known()) is None}
    assert left_out == {"TrunkHeadersNoted"}


def test_operator_sees_the_caller_and_the_suspicion_when_the_call_rings_at_this_desk() -> None:
    mine = lens(Role.OPERATOR, "siti").fact(fact("OfferMade", operator="siti"), known(rings_at="siti"))
    others = lens(Role.OPERATOR, "budi").fact(fact("OfferMade", operator="siti"), known(rings_at="siti"))
    assert mine is not None
    assert (mine["caller"], mine["assessed"]) == (CALLER, ASSESSED)
    assert others is not None
    assert not {"caller", "assessed"} & set(others)


@pytest.mark.parametrize(("operator", "told"), [("siti", True), ("budi", False)])
def test_suspicion_that_comes_late_reaches_the_desk_where_it_rings(operator: str, told: bool) -> None:
    view, calls = lens(Role.OPERATOR, operator), known(rings_at="siti")
    assessed = view.fact(fact("CallerAssessed", **ASSESSED), calls)
    challenged = view.fact(fact("CallerChallenged", kind="prank"), calls)
    assert (assessed is not None, challenged is not None) == (told, told)
    assert view.fact(fact("CallerChallenged", kind="silent"), calls) is not None


def test_order_in_the_queue_is_no_operator_s_to_see_when_a_caller_is_assessed() -> None:
    shown = lens(Role.ADMIN).fact(fact("CallerAssessed", later_seconds=10.0, **ASSESSED), known())
    assert shown == {"type": "CallerAssessed", "at": None, "call": "c1", **ASSESSED}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("PartySought", {"name": DIALLED}),
        ("PartyJoined", {"name": DIALLED, "destination": DIALLED}),
        ("PartySpoke", {"name": DIALLED}),
        ("PartyGone", {"name": DIALLED}),
        ("ConsultationBegan", {"name": DIALLED}),
        ("OfferMade", {"destination": DIALLED}),
        ("CallConnected", {"destination": DIALLED}),
    ],
)
def test_dialled_number_is_seen_only_at_the_desk_and_by_supervisors(kind: str, names: dict[str, str]) -> None:
    given = fact(kind, **names)
    seen = {
        who: DIALLED in repr(view.fact(given, known(rings_at="siti")))
        for who, view in {
            "siti": lens(Role.OPERATOR, "siti"),
            "budi": lens(Role.OPERATOR, "budi"),
            "supervisor": lens(Role.SUPERVISOR),
            "auditor": lens(Role.AUDITOR),
        }.items()
    }
    assert seen == {"siti": True, "budi": False, "supervisor": True, "auditor": False}


@pytest.mark.parametrize("name", ["medical", "polisi", "budi", "110"])
def test_party_is_named_to_all_who_watch_when_it_is_no_telephone_number(name: str) -> None:
    shown = lens(Role.OPERATOR, "budi").fact(fact("PartySought", name=name), known(rings_at="siti"))
    assert shown is not None
    assert shown["name"] == name


def test_number_is_left_out_when_an_alarm_is_about_one() -> None:
    raised = fact("AlarmRaised", kind="party_not_reached", subject="c1", detail=DIALLED)
    assert (lens(Role.SERVICE).fact(raised, known()) or {})["detail"] == ""
    assert (lens(Role.SUPERVISOR).fact(raised, known()) or {})["detail"] == DIALLED


@pytest.mark.parametrize(
    ("role", "number"), [(Role.OPERATOR, "+6281"), (Role.SUPERVISOR, "+6281"), (Role.AUDITOR, None)]
)
def test_callback_s_number_is_shown_to_those_who_may_call_back(role: Role, number: str | None) -> None:
    opened = lens(role).fact(fact("CallbackOpened", number="+6281"), known())
    assert opened is not None
    assert opened["number"] == number
    shown = lens(role).snapshot(snapshot(callbacks=[{"call": "c1", "number": "+6281", "secret": 1}]))
    assert shown["callbacks"] == [{"call": "c1", "number": number}]


def snapshot(**more: Any) -> dict[str, Any]:
    return {"at": "", "flow_version": 1, "calls": [], "operators": [{"operator": "siti"}], "alarms": [], **more}


def call(name: str, **more: Any) -> dict[str, Any]:
    party = {"name": DIALLED, "kind": "number", "destination": DIALLED, "secret": 1}
    return {
        "call": name,
        "caller": CALLER,
        "operator": None,
        "destination": None,
        "offers": [],
        "party": party,
        "assessed": {**ASSESSED, "later_seconds": 1.0},
        "secret": 1,
        **more,
    }


def test_operator_sees_only_what_belongs_to_own_calls_when_a_snapshot_comes() -> None:
    ringing = {"offer": "c1.o1", "operator": "siti", "destination": None, "state": "ringing", "made_at": ""}
    dialled = {**ringing, "operator": None, "destination": DIALLED}
    calls = [
        call("c1", offers=[ringing, dialled]),
        call("c2", operator="siti"),
        call("c3", operator="budi", destination=DIALLED, offers=[{**ringing, "state": "timed_out"}, dialled]),
    ]
    mine, also_mine, other = lens(Role.OPERATOR, "siti").snapshot(snapshot(calls=calls))["calls"]
    for shown in (mine, also_mine):
        assert (shown["caller"], shown["assessed"], shown["party"]["name"]) == (CALLER, ASSESSED, DIALLED)
    assert (other["caller"], other["assessed"]) == (HIDDEN_CALLER, None)
    assert DIALLED not in repr(other)
    assert other["party"]["kind"] == "number"
    assert "secret" not in repr((mine, also_mine, other))
    for shown in lens(Role.SUPERVISOR).snapshot(snapshot(calls=calls))["calls"]:
        assert (shown["caller"], shown["assessed"], shown["party"]["name"]) == (CALLER, ASSESSED, DIALLED)


def test_nothing_but_named_fields_leaves_when_the_roster_is_shown() -> None:
    shift = {"shift": "pagi", "until": "", "expected": [], "present": [], "secret": 1}
    shown = lens(Role.OPERATOR).snapshot(snapshot(roster={"now": [shift], "next": {"shift": "sore", "secret": 1}}))
    assert shown["roster"]["now"][0]["shift"] == "pagi"
    assert "secret" not in repr(shown)
    assert lens(Role.SERVICE).snapshot(snapshot(roster={"now": [shift], "next": None}))["roster"] is None


def test_auditor_sees_no_operators_when_following_live() -> None:
    assert lens(Role.AUDITOR).snapshot(snapshot())["operators"] == []
    assert lens(Role.AUDITOR).fact(fact("OperatorMoved"), known()) is None


def test_fact_reaches_nobody_when_it_is_not_known_here() -> None:
    assert lens(Role.ADMIN).fact({"type": "SomethingNew", "call": "c1"}, known()) is None
