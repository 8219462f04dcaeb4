"""Call-backs: who sees whom to call, who takes, dials and closes; all of it while the database is away."""

from __future__ import annotations

from typing import Any

import pytest

from callflow.permissions import Role

from .conftest import Stage, kind, problem
from .test_classifications import lose_database

NUMBER = "+6281234567890"


async def open_ones(stage: Stage) -> list[dict[str, Any]]:
    answer = await stage.get("/callbacks")
    assert answer.status == 200
    return list((await answer.json())["callbacks"])


@pytest.mark.parametrize(
    ("role", "number", "looks"),
    [(Role.OPERATOR, NUMBER, ["callbacks"]), (Role.SUPERVISOR, NUMBER, ["callbacks"]), (Role.AUDITOR, None, [])],
)
async def test_numbers_are_shown_and_the_look_recorded_when_one_may_call_back(
    stage: Stage, role: Role, number: str | None, looks: list[str]
) -> None:
    await stage.sign_in(role)
    assert await open_ones(stage) == []
    assert stage.chain.events == []
    stage.engine.add_callback("c1", NUMBER)
    lose_database(stage)
    (shown,) = await open_ones(stage)
    assert (shown["call"], shown["number"], shown["owner"]) == ("c1", number, None)
    assert [event.what for event in stage.chain.events] == looks


async def test_operator_takes_dials_and_closes_one_when_the_database_is_away(stage: Stage) -> None:
    stage.engine.add_callback("c1", NUMBER)
    lose_database(stage)
    await stage.sign_in(Role.OPERATOR)
    assert (await stage.post("/callbacks/c1/take")).status == 200
    assert (await open_ones(stage))[0]["owner"] == "siti"
    assert (await stage.post("/callbacks/c1/dial")).status == 200
    assert (await open_ones(stage))[0]["attempt"] == "c1.b1"
    assert (await stage.post("/callbacks/c1/close", {"outcome": "not_needed"})).status == 200
    assert await open_ones(stage) == []
    asked = {"verb": "callback", "by": "operator", "operator": "siti", "callback": "c1"}
    assert stage.engine.requests == [
        {**asked, "action": "take"},
        {**asked, "action": "dial"},
        {**asked, "action": "close", "outcome": "not_needed"},
    ]
    assert kind(await problem(await stage.post("/callbacks/c1/take"))) == "refused-unknown-callback"


async def test_another_s_is_left_to_the_owner_when_an_operator_reaches_for_it(stage: Stage) -> None:
    stage.engine.add_callback("c1", NUMBER, owner="budi")
    await stage.sign_in(Role.OPERATOR)
    for how, body in (("take", {}), ("dial", {}), ("close", {"outcome": "not_needed"})):
        assert kind(await problem(await stage.post(f"/callbacks/c1/{how}", body))) == "refused-not-yours"
    assert kind(await problem(await stage.post("/callbacks/c1/take", {"operator": "budi"}))) == "not-permitted"
    assert stage.engine.requests == []


async def test_supervisor_gives_it_to_anyone_and_closes_anybody_s(stage: Stage) -> None:
    stage.engine.add_callback("c1", NUMBER, owner="siti")
    await stage.sign_in(Role.SUPERVISOR)
    refused = await problem(await stage.post("/callbacks/c1/take"))
    assert refused["errors"][0]["where"] == "body.operator"
    assert (await stage.post("/callbacks/c1/take", {"operator": "budi"})).status == 200
    assert (await open_ones(stage))[0]["owner"] == "budi"
    assert (await stage.post("/callbacks/c1/close", {"outcome": "not_reached"})).status == 200
    assert stage.engine.requests[1] == {
        "verb": "callback",
        "action": "close",
        "by": "supervisor",
        "callback": "c1",
        "outcome": "not_reached",
    }


async def test_nobody_s_phone_is_rung_when_the_user_is_no_operator(stage: Stage) -> None:
    stage.engine.add_callback("c1", NUMBER)
    await stage.change("operator", operator=None)
    await stage.sign_in(Role.OPERATOR)
    assert (await stage.post("/callbacks/c1/dial")).status == 422
    assert (await stage.post("/callbacks/c1/close", {"outcome": "not_needed"})).status == 403
    assert stage.engine.requests == []


@pytest.mark.parametrize("body", [{}, {"outcome": "boring"}])
async def test_outcome_is_asked_for_when_one_is_closed(stage: Stage, body: dict[str, str]) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert kind(await problem(await stage.post("/callbacks/c1/close", body))) == "not-valid"
