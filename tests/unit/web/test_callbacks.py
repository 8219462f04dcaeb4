"""Call-backs: who sees whom to call, who takes, dials and closes; all of it while the database is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callflow.permissions import Role

from .conftest import Stage, kind, problem
from .test_calls import ARRIVED, add_call, settled_callback
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


async def test_settled_ones_follow_each_other_with_numbers_of_calls_one_may_read(stage: Stage) -> None:
    for number, owner in enumerate(("siti", "budi", None)):
        await add_call(stage, f"c{number}")
        async with stage.sessions.begin() as session:
            session.add(settled_callback(f"c{number}", owner_id=owner, opened_at=ARRIVED + timedelta(seconds=number)))
    await add_call(stage, "open")
    await add_call(stage, "elsewhere", centre_id="kpg")
    async with stage.sessions.begin() as session:
        session.add(settled_callback("open", closed_at=None, outcome=None, closed_by=None))
        session.add(settled_callback("elsewhere", centre_id="kpg"))

    async def numbers(query: str) -> tuple[dict[str, str | None], str | None]:
        page = await (await stage.get(f"/callbacks/settled?{query}")).json()
        return {callback["call"]: callback["number"] for callback in page["callbacks"]}, page["next_cursor"]

    await stage.sign_in(Role.OPERATOR)
    first, cursor = await numbers("limit=2")
    assert first == {"c2": None, "c1": None}
    assert stage.chain.events == []
    assert (await numbers(f"limit=2&cursor={cursor}")) == ({"c0": NUMBER}, None)
    assert [event.what for event in stage.chain.events] == ["callbacks"]
    await stage.sign_in(Role.AUDITOR)
    assert (await numbers("owner=budi"))[0] == {"c1": NUMBER}
    assert (await numbers("outcome=reached"))[0] == {}
    stage.chain.lost = True
    assert kind(await problem(await stage.get("/callbacks/settled"))) == "access-not-recorded"


async def test_settled_ones_are_away_and_the_open_ones_are_not_when_the_database_is(stage: Stage) -> None:
    lose_database(stage)
    await stage.sign_in(Role.SUPERVISOR)
    assert kind(await problem(await stage.get("/callbacks/settled"))) == "database-away"
    assert await open_ones(stage) == []


async def test_cursor_is_refused_when_it_is_none_of_this_list_s(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert kind(await problem(await stage.get("/callbacks/settled?cursor=bm9uZQ=="))) == "bad-cursor"
