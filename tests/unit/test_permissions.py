"""The table of roles, and every route against it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from callflow.core.ids import CentreId
from callflow.journal.codec import FACTS
from callflow.permissions import NOBODY, USUAL_GRANTS, Permission, PermissionTable, Role
from callflow.web.app import ROUTES
from callflow.web.known import KnownCalls
from callflow.web.lens import Lens

TABLE = PermissionTable(CentreId("bwi"))
P, S, A, U, V = Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR, Role.SERVICE
EVERYBODY = {P, S, A, U, V}
ALLOWED: dict[str, set[Role]] = {
    "POST /session": EVERYBODY,
    "GET /session": EVERYBODY,
    "DELETE /session": EVERYBODY,
    "GET /calls": {P, S, A, U},
    "GET /calls/{call}": {P, S, A, U},
    "GET /calls/{call}/recording/{track}": {S, A, U},
    "POST /calls/{call}/classification": {P, S, A},
    "GET /operators": {P, S, A},
    "POST /operators/{login}/sign-in": {P, S, A},
    "POST /operators/{login}/sign-out": {P, S, A},
    "POST /operators/{login}/pause": {P, S, A},
    "POST /operators/{login}/resume": {P, S, A},
    "POST /operators/{login}/talk": {P, S, A},
    "POST /operators/{login}/classification": {P, S, A},
    "GET /callbacks": {P, S, A, U},
    "GET /callbacks/settled": {P, S, A, U},
    "POST /callbacks/{call}/take": {P, S, A},
    "POST /callbacks/{call}/dial": {P, S, A},
    "POST /callbacks/{call}/close": {P, S, A},
    "GET /roster": {P, S, A, U},
    "GET /codes": EVERYBODY,
    "GET /alarms": EVERYBODY,
    "GET /live": {P, S, A, U},
    "GET /flows": {S, A, U},
    "POST /flows": {A},
    "GET /health": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
}
WATCHERS, STAFF = {P, S, A, U}, {P, S, A}
SEEN_LIVE: dict[str, set[Role]] = {
    **dict.fromkeys(
        (
            *("CallOpened", "IvrStepTaken", "CallQueued", "OfferMade", "OfferClosed", "CallConnected", "PersonLost"),
            *("OperatorLeft", "PartySought", "PartyJoined", "PartySpoke", "PartyGone", "ConsultationBegan"),
            *("ConsultationEnded", "CallerSpoke", "CallerChallenged", "ChallengeAnswered", "CallEnded"),
            *("CallHandedBack", "CallServedInFallback", "FlowInForce"),
            *("CallbackOpened", "CallbackAssigned", "CallbackTried", "CallbackClosed", "RosterInForce", "ShiftBegan"),
        ),
        WATCHERS,
    ),
    **dict.fromkeys(("CallClassified", "OperatorUpdated", "OperatorMoved", "SettingsApplied"), STAFF),
    **dict.fromkeys(("AlarmRaised", "AlarmCleared"), WATCHERS | {V}),
    "CallerAssessed": {S, A},  # and the operator at whose desk it rings
    "RecordingStored": {S, A, U},
    "RecordingMissing": {S, A, U},
    "TrunkHeadersNoted": set(),
}
"""The live websocket's topics; to follow at all takes GET /live, which `service` may not."""
LISTED_LIVE: dict[str, set[Role]] = {
    **dict.fromkeys(("operators", "pause_reasons", "agencies"), STAFF),
    **dict.fromkeys(("callbacks", "roster"), WATCHERS),
    "alarms": WATCHERS | {V},
}
OPEN = {"POST /session", "GET /health", "GET /metrics", "GET /openapi.json"}


def test_every_route_is_judged_here() -> None:
    assert {f"{route.method} {route.path}" for route in ROUTES} == set(ALLOWED)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_route_is_open_to_a_role_when_the_table_says_so(route: object, role: Role) -> None:
    needs, name = set(route.needs), f"{route.method} {route.path}"  # type: ignore[attr-defined]
    assert bool(needs & TABLE.of([role])) == (role in ALLOWED[name])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_route_is_closed_when_nobody_is_signed_in(route: object) -> None:
    name = f"{route.method} {route.path}"  # type: ignore[attr-defined]
    assert bool(set(route.needs) & NOBODY) == (name in OPEN)  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", sorted(FACTS))
def test_fact_is_told_live_to_a_role_when_the_table_says_so(kind: str, role: Role) -> None:
    blank: dict[str, object] = {field.name: None for field in fields(FACTS[kind])}
    shown = Lens(TABLE.of([role]), None).fact({"type": kind, **blank}, KnownCalls())
    assert (shown is not None) == (role in SEEN_LIVE[kind])


@pytest.mark.parametrize("role", list(Role))
def test_list_is_shown_live_to_a_role_when_the_table_says_so(role: Role) -> None:
    one = {"name": "one", "number": None}
    snapshot = {"calls": [], **{name: [one] for name in LISTED_LIVE}, "roster": {"now": [], "next": None}}
    shown = Lens(TABLE.of([role]), None).snapshot(snapshot)
    assert {name for name in LISTED_LIVE if shown[name]} == {
        name for name, roles in LISTED_LIVE.items() if role in roles
    }
    assert set(shown) == {"at", "flow_version", "calls", *LISTED_LIVE}


def test_permissions_add_up_when_a_person_has_two_roles() -> None:
    both = TABLE.of([Role.OPERATOR, Role.AUDITOR])
    assert both == TABLE.of([Role.OPERATOR]) | TABLE.of([Role.AUDITOR])


def test_nothing_but_being_signed_in_is_granted_when_a_role_is_not_in_the_table() -> None:
    bare = PermissionTable(CentreId("bwi"), {})
    assert bare.of([Role.ADMIN]) == {Permission.ANYONE, Permission.SIGNED_IN}


def test_operators_neither_see_all_callers_nor_hear_recordings_when_grants_are_usual() -> None:
    granted = USUAL_GRANTS[Role.OPERATOR]
    assert not granted & {Permission.SEE_LIVE_CALLERS, Permission.READ_CALLS, Permission.HEAR_RECORDINGS}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SERVICE])
def test_those_who_only_look_change_nothing_when_grants_are_usual(role: Role) -> None:
    changing = {
        permission
        for route in ROUTES
        if not route.is_safe
        for permission in route.needs
        if permission not in (Permission.ANYONE, Permission.SIGNED_IN)
    }
    assert Permission.TALK_ONESELF in changing
    assert not USUAL_GRANTS[role] & changing


def test_operators_do_nothing_in_anothers_place_when_grants_are_usual() -> None:
    others = {Permission.MOVE_OTHERS, Permission.CLASSIFY_ANY, Permission.ASSIGN_CALLBACKS}
    assert not USUAL_GRANTS[Role.OPERATOR] & others
    assert others <= USUAL_GRANTS[Role.SUPERVISOR]
