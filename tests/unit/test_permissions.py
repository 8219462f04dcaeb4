"""The table of roles, and every route against it."""

from __future__ import annotations

import pytest

from callflow.core.ids import CentreId
from callflow.permissions import NOBODY, USUAL_GRANTS, Permission, PermissionTable, Role
from callflow.web.app import ROUTES

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
    "GET /operators": {P, S, A},
    "POST /operators/{login}/sign-in": {P, S, A},
    "POST /operators/{login}/sign-out": {P, S, A},
    "POST /operators/{login}/pause": {P, S, A},
    "POST /operators/{login}/resume": {P, S, A},
    "GET /alarms": EVERYBODY,
    "GET /live": {P, S, A, U},
    "GET /flows": {S, A, U},
    "POST /flows": {A},
    "GET /health": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
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


def test_permissions_add_up_when_a_person_has_two_roles() -> None:
    both = TABLE.of([Role.OPERATOR, Role.AUDITOR])
    assert both == TABLE.of([Role.OPERATOR]) | TABLE.of([Role.AUDITOR])


def test_nothing_but_being_signed_in_is_granted_when_a_role_is_not_in_the_table() -> None:
    bare = PermissionTable(CentreId("bwi"), {})
    assert bare.of([Role.ADMIN]) == {Permission.ANYONE, Permission.SIGNED_IN}


def test_operators_neither_see_all_callers_nor_hear_recordings_when_grants_are_usual() -> None:
    granted = USUAL_GRANTS[Role.OPERATOR]
    assert not granted & {Permission.SEE_LIVE_CALLERS, Permission.READ_CALLS, Permission.HEAR_RECORDINGS}


def test_auditors_change_nothing_when_grants_are_usual() -> None:
    changing = {Permission.MOVE_ONESELF, Permission.MOVE_OTHERS, Permission.PUBLISH_FLOWS}
    assert not USUAL_GRANTS[Role.AUDITOR] & changing
