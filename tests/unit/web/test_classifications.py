"""Who says what a call was: operators of the calls they served, supervisors of any, also while the database is away."""

from __future__ import annotations

import pytest

from callflow.permissions import Role
from callflow.storage.models import Offer

from .conftest import Stage, kind, problem
from .test_calls import ARRIVED, add_call


def take(stage: Stage, operator: str, *, call: str | None = None, last_call: str | None = None) -> None:
    """Let the engine say whose calls these are."""
    entry = next(entry for entry in stage.engine.present["operators"] if entry["operator"] == operator)
    entry.update(call=call, last_call=last_call)


def lose_database(stage: Stage) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError("no database")

    stage.context.database._sessions = refuse  # type: ignore[assignment]


async def classify(stage: Stage, call: str) -> str:
    answer = await stage.post(f"/calls/{call}/classification", {"classification": "prank"})
    return "done" if answer.status == 200 else kind(await problem(answer))


@pytest.mark.parametrize("hand", ["call", "last_call"])
async def test_operator_classifies_the_call_in_hand_or_the_last_one_when_the_database_is_away(
    stage: Stage, hand: str
) -> None:
    take(stage, "siti", **{hand: "c1"})
    lose_database(stage)
    await stage.sign_in(Role.OPERATOR)
    assert await classify(stage, "c1") == "done"
    asked = {"verb": "classify", "classification": "prank", "by": "operator", "call": "c1", "operator": "siti"}
    assert stage.engine.requests == [asked]
    assert await classify(stage, "c2") == "database-away"


async def test_operator_classifies_only_own_calls_when_they_are_older(stage: Stage) -> None:
    await add_call(stage, "mine", operator_id="siti")
    await add_call(stage, "shared", operator_id="budi")
    await add_call(stage, "other", operator_id="budi")
    await add_call(stage, "elsewhere", operator_id="siti", centre_id="kpg")
    async with stage.sessions.begin() as session:
        for call, connected in (("shared", ARRIVED), ("other", None)):
            offer = {"offer_id": f"{call}.o1", "call_id": call, "centre_id": "bwi", "operator_id": "siti"}
            session.add(Offer(**offer, made_at=ARRIVED, connected_at=connected))
    take(stage, "budi", call="live")
    await stage.sign_in(Role.OPERATOR)
    calls = ("mine", "shared", "other", "elsewhere", "live", "none")
    assert {call: await classify(stage, call) for call in calls} == {
        "mine": "done",
        "shared": "done",
        **dict.fromkeys(("other", "elsewhere", "live", "none"), "not-found"),
    }
    assert {request["operator"] for request in stage.engine.requests} == {"siti"}


async def test_supervisor_classifies_any_call_of_the_centre(stage: Stage) -> None:
    await add_call(stage, "old", operator_id="budi")
    stage.engine.present["calls"].append({"call": "queued"})
    take(stage, "siti", last_call="last")
    await stage.sign_in(Role.SUPERVISOR)
    assert [await classify(stage, call) for call in ("old", "queued", "last", "none")] == [*["done"] * 3, "not-found"]
    asked = {"verb": "classify", "classification": "prank", "by": "supervisor"}
    assert stage.engine.requests == [{**asked, "call": call} for call in ("old", "queued", "last")]
    lose_database(stage)
    assert [await classify(stage, call) for call in ("queued", "last", "old")] == ["done", "done", "database-away"]


async def test_latest_call_is_classified_by_the_operator_or_a_supervisor_and_no_colleague(stage: Stage) -> None:
    body = {"classification": "ghost"}
    await stage.sign_in(Role.OPERATOR)
    assert (await stage.post("/operators/siti/classification", body)).status == 200
    assert (await stage.post("/operators/budi/classification", body)).status == 403
    await stage.sign_in(Role.SUPERVISOR)
    assert (await stage.post("/operators/budi/classification", body)).status == 200
    asked = {"verb": "classify", "classification": "ghost"}
    assert stage.engine.requests == [
        {**asked, "by": "operator", "operator": "siti"},
        {**asked, "by": "supervisor", "operator": "budi"},
    ]


async def test_nothing_is_asked_when_it_is_no_classification(stage: Stage) -> None:
    take(stage, "siti", call="c1")
    await stage.sign_in(Role.OPERATOR)
    answer = await stage.post("/calls/c1/classification", {"classification": "boring"})
    assert kind(await problem(answer)) == "not-valid"
    assert stage.engine.requests == []
