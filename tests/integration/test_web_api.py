"""Drives every route with what its description allows, and with what it does not: no answer is our fault."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from callflow.permissions import Role

from .web_lab import PASSWORD, USERS, web_lab

_LIVE = "/api/v1/live"
_TOGETHER = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@dataclass
class Door:
    """The running web, and a session for each role."""

    url: str
    sessions: dict[Role, dict[str, str]]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The web in a thread with a loop of its own, so that a synchronous driver can ask it."""
    opened, closing = threading.Event(), asyncio.Event()
    found: list[Door] = []
    loop = asyncio.new_event_loop()

    async def serve(directory: Path) -> None:
        async with web_lab(directory) as lab:
            found.append(Door(lab.url, {}))
            opened.set()
            await closing.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve(tmp_path_factory.mktemp("web")))
        finally:
            opened.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert opened.wait(20)
    for login, (role, _) in USERS.items():
        signed = requests.post(
            f"{found[0].url}/api/v1/session", json={"login": login, "password": PASSWORD}, timeout=10
        )
        found[0].sessions[role] = {
            "Cookie": f"callflow={signed.cookies['callflow']}",
            "X-CSRF-Token": signed.json()["csrf"],
        }
        recognised = requests.get(f"{found[0].url}/api/v1/session", headers=found[0].sessions[role], timeout=10)
        assert recognised.json()["login"] == login
    yield found[0]
    loop.call_soon_threadsafe(closing.set)
    thread.join(20)
    loop.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def operations(door: Door) -> list[Any]:
    document = requests.get(f"{door.url}/api/v1/openapi.json", timeout=10).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=door.url)
    return [result.ok() for result in schema.get_all_operations() if result.ok().path != _LIVE]


@pytest.mark.parametrize("role", [None, Role.OPERATOR, Role.ADMIN], ids=str)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=str)
def test_no_answer_is_our_fault_or_undescribed_when_anything_is_asked(
    door: Door, operations: list[Any], mode: schemathesis.GenerationMode, role: Role | None
) -> None:
    headers = {} if role is None else door.sessions[role]
    statuses: Counter[int] = Counter()
    for operation in operations:
        if role is not None and (operation.method, operation.path) == ("delete", "/api/v1/session"):
            continue  # it would end the session that the others need
        if mode is schemathesis.GenerationMode.NEGATIVE and not (operation.body or list(operation.iter_parameters())):
            continue  # nothing of it can be wrong

        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            response = case.call(headers=headers)
            case.validate_response(response, checks=_TOGETHER)
            statuses[response.status_code] += 1

        given(case=operation.as_strategy(generation_mode=mode))(ask)()
    assert statuses.total() > len(operations)
    if role is Role.ADMIN and mode is schemathesis.GenerationMode.POSITIVE:
        assert statuses[200] > len(operations), "the session was not recognised"
