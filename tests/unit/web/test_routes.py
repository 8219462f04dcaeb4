"""How requests are checked and how errors look, whatever is asked."""

from __future__ import annotations

import pytest

from callflow.core.ids import CentreId
from callflow.core.states import IllegalTransition
from callflow.errors import CallflowError
from callflow.permissions import PermissionTable, Role
from callflow.web.app import ROUTES
from callflow.web.auth import CSRF_HEADER
from callflow.web.headers import CONTENT_SECURITY_POLICY
from callflow.web.openapi import openapi
from callflow.web.problems import STATUSES, problem_of

from .conftest import Stage, kind, problem


async def test_every_answer_carries_the_headers_when_it_is_fine_or_refused(stage: Stage) -> None:
    for path in ("/", "/ui/app.js", "/api/v1/health", "/api/v1/calls", "/nowhere"):
        answer = await stage.client.get(path)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Permissions-Policy" in answer.headers
        assert "Strict-Transport-Security" not in answer.headers
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("role", list(Role))
async def test_route_lets_in_exactly_those_whom_the_table_names(stage: Stage, role: Role) -> None:
    granted = PermissionTable(CentreId("bwi")).of([role])
    let_in = {}
    for route in ROUTES:
        if route.path == "/session":
            continue  # everybody's; asked for it, it would end or begin the session
        await stage.sign_in(role)
        path = f"/api/v1{route.path.format(login='siti', call='c1', track='mixed')}"
        token = {CSRF_HEADER: stage.token}
        async with stage.client.request(
            route.method, path, json=None if route.is_safe else {}, headers=token
        ) as answer:
            let_in[route] = answer.status not in (401, 403)
    assert let_in == {route: bool(granted & set(route.needs)) for route in let_in}


async def test_answers_are_kept_by_nobody_when_they_hold_data(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert (await stage.get("/operators")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/api/v1/nowhere", 404), ("PUT", "/api/v1/calls", 405), ("POST", "/", 405)],
)
async def test_error_is_a_problem_when_there_is_no_such_route(
    stage: Stage, method: str, path: str, status: int
) -> None:
    answer = await stage.client.request(method, path)
    assert (await problem(answer))["status"] == status
    assert (status == 405) == ("Allow" in answer.headers)


@pytest.mark.parametrize(
    ("body", "type_", "status", "what"),
    [
        (b"{", "application/json", 400, "not-readable"),
        (b"[" * 20_000, "application/json", 413, "body-too-large"),
        (b"[" * 10_000, "application/json", 400, "not-readable"),
        (b"{}", "text/plain", 415, "wrong-media-type"),
        (b"{}", "application/json", 422, "not-valid"),
        (b'{"login": "a", "password": "b", "more": 1}', "application/json", 422, "not-valid"),
        (b'{"login": "\xff", "password": "b"}', "application/json", 400, "not-readable"),
        (b'{"login": 5, "password": "b"}', "application/json", 422, "not-valid"),
    ],
)
async def test_body_is_refused_when_it_is_not_what_the_route_takes(
    stage: Stage, body: bytes, type_: str, status: int, what: str
) -> None:
    answer = await stage.client.post("/api/v1/session", data=body, headers={"Content-Type": type_})
    refused = await problem(answer)
    assert (refused["status"], kind(refused)) == (status, what)


async def test_each_fault_is_named_when_a_query_is_wrong(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    answer = await stage.get("/calls?limit=0&stage=nowhere&colour=red&arrived_from=2026-01-01T00:00:00")
    places = {error["where"] for error in (await problem(answer))["errors"]}
    assert places == {"query.limit", "query.stage", "query.colour", "query.arrived_from"}


async def test_query_is_refused_when_a_name_stands_twice(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert (await problem(await stage.get("/calls?limit=1&limit=2")))["errors"][0]["where"] == "query.limit"


async def test_what_was_given_is_not_repeated_when_it_is_refused(stage: Stage) -> None:
    answer = await stage.client.post("/api/v1/session", json={"login": "x" * 65, "password": "a-secret"})
    assert "a-secret" not in await answer.text()


async def test_nothing_is_told_when_the_fault_is_ours(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> dict[str, object]:
        raise ZeroDivisionError("+6281200000000")

    await stage.sign_in(Role.SUPERVISOR)
    monkeypatch.setattr(stage.context.engine, "snapshot", broken)
    answer = await stage.get("/operators")
    assert (await problem(answer))["status"] == 500
    assert "+62" not in await answer.text()


def test_an_error_without_a_status_counts_as_ours_when_it_reaches_the_web() -> None:
    class Unforeseen(CallflowError):
        pass

    assert problem_of(Unforeseen("a secret of ours")).status == 500
    assert b"secret" not in bytes(problem_of(Unforeseen("a secret of ours")).body or b"")  # type: ignore[arg-type]


def test_no_error_of_the_core_has_a_status_when_it_is_our_defect() -> None:
    assert IllegalTransition not in STATUSES


def test_every_reference_leads_somewhere_when_the_api_is_described() -> None:
    document = openapi(ROUTES, cookie="callflow")
    references: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                references.append(node["$ref"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references
    assert set(references) <= known


def test_operation_ids_differ_when_the_api_is_described() -> None:
    document = openapi(ROUTES, cookie="callflow")
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids)) == len(ROUTES)


async def test_page_is_not_sent_again_when_the_browser_has_it(stage: Stage) -> None:
    first = await stage.client.get("/ui/style.css")
    again = await stage.client.get("/ui/style.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status) == (200, 304)


@pytest.mark.parametrize("name", ["nothing.js", "..%2f..%2fapp.py", "index.html%00"])
async def test_no_other_file_is_served_when_it_is_asked_for(stage: Stage, name: str) -> None:
    assert (await stage.client.get(f"/ui/{name}")).status == 404


def test_page_is_small_and_builds_no_markup_when_it_is_shipped() -> None:
    from callflow.web.page import DIRECTORY

    files = list(DIRECTORY.iterdir())
    assert sum(file.stat().st_size for file in files) < 96 * 1024
    script = "".join(file.read_text(encoding="utf-8") for file in files if file.suffix == ".js")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in script
    page = (DIRECTORY / "index.html").read_text(encoding="utf-8")
    assert "style=" not in page
    assert "onclick" not in page
