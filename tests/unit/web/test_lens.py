"""What each role sees of facts and snapshots."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from callflow.core.ids import CentreId
from callflow.journal.codec import FACTS
from callflow.permissions import PermissionTable, Role
from callflow.web.lens import HIDDEN_CALLER, Lens

CALLER = {"number": "+6281234567890", "raw": "081234567890"}
CALLERS = {"c1": CALLER}
TABLE = PermissionTable(CentreId("bwi"))


def lens(role: Role, operator: str | None = None) -> Lens:
    return Lens(TABLE.of([role]), operator)


def fact(kind: str, **more: Any) -> dict[str, Any]:
    blank = {field.name: None for field in fields(FACTS[kind])}
    return {"type": kind, **blank, "call": "c1", "caller": CALLER, "tracks": [], **more}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", sorted(FACTS))
def test_no_number_headers_keys_or_paths_leave_when_the_role_may_not_see_them(kind: str, role: Role) -> None:
    given = fact(kind, keys="1234", headers=[["P-Asserted-Identity", "secret"]], document="flow", tracks=[_track()])
    shown = repr(lens(role).fact(given, CALLERS))
    assert "1234'" not in shown
    assert "secret" not in shown
    assert "a/b.wav" not in shown
    if role not in (Role.SUPERVISOR, Role.ADMIN):
        assert "+62812" not in shown


def _track() -> dict[str, Any]:
    return {"name": "mixed", "path": "a/b.wav", "sha256": "0", "bytes": 1, "seconds": 1.0}


def test_every_call_fact_has_a_decision_when_the_core_has_a_new_one() -> None:
    left_out = {kind for kind in FACTS if lens(Role.ADMIN).fact(fact(kind), CALLERS) is None}
    assert left_out == {"TrunkHeadersNoted", "SettingsApplied", *(left_out & _ABSTRACT)}


_ABSTRACT = {"CallFact"}


def test_operator_sees_the_caller_when_the_call_rings_at_this_desk() -> None:
    mine = lens(Role.OPERATOR, "siti").fact(fact("OfferMade", operator="siti"), CALLERS)
    others = lens(Role.OPERATOR, "budi").fact(fact("OfferMade", operator="siti"), CALLERS)
    assert mine is not None
    assert mine["caller"] == CALLER
    assert others is not None
    assert "caller" not in others


def test_operator_sees_only_own_callers_when_a_snapshot_comes() -> None:
    ringing = {"offer": "c1.o1", "operator": "siti", "destination": None, "state": "ringing", "made_at": ""}
    calls = [
        {"call": "c1", "caller": CALLER, "operator": None, "offers": [ringing]},
        {"call": "c2", "caller": CALLER, "operator": "siti", "offers": []},
        {"call": "c3", "caller": CALLER, "operator": "budi", "offers": [{**ringing, "state": "timed_out"}]},
    ]
    snapshot = {"at": "", "flow_version": 1, "calls": calls, "operators": [{}], "alarms": [{}]}
    shown = lens(Role.OPERATOR, "siti").snapshot(snapshot)
    assert [call["caller"] for call in shown["calls"]] == [CALLER, CALLER, HIDDEN_CALLER]
    assert [call["caller"] for call in lens(Role.SUPERVISOR).snapshot(snapshot)["calls"]] == [CALLER] * 3


def test_auditor_sees_no_operators_when_following_live() -> None:
    snapshot = {"at": "", "flow_version": 1, "calls": [], "operators": [{}], "alarms": [{}]}
    assert lens(Role.AUDITOR).snapshot(snapshot)["operators"] == []
    assert lens(Role.AUDITOR).fact(fact("OperatorMoved"), {}) is None


def test_fact_reaches_nobody_when_it_is_not_known_here() -> None:
    assert lens(Role.ADMIN).fact({"type": "SomethingNew", "call": "c1"}, {}) is None
