"""Operators' moves, alarms, health, flows: what is asked of the engine and for whom."""

from __future__ import annotations

import pytest

from callflow.core.commands import Refusal
from callflow.permissions import Role
from callflow.web.refusals import REFUSALS

from .conftest import Stage, kind, problem


@pytest.mark.parametrize("verb", ["sign-in", "sign-out", "pause", "resume"])
async def test_operator_moves_oneself_without_approval_when_asking(stage: Stage, verb: str) -> None:
    await stage.sign_in(Role.OPERATOR)
    answer = await stage.post(f"/operators/siti/{verb}")
    assert answer.status == 200
    assert (await answer.json())["seq"] == 1
    assert stage.engine.requests == [{"verb": verb.replace("-", "_"), "operator": "siti"}]


async def test_operator_moves_nobody_else_when_asking(stage: Stage) -> None:
    await stage.sign_in(Role.OPERATOR)
    assert kind(await problem(await stage.post("/operators/budi/sign-out"))) == "not-permitted"
    assert stage.engine.requests == []


async def test_supervisor_approves_when_moving_others(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    await stage.post("/operators/siti/pause", {"reason": "sholat"})
    await stage.post("/operators/siti/resume")
    assert stage.engine.requests == [
        {"verb": "pause", "operator": "siti", "reason": "sholat", "approved_by": "supervisor"},
        {"verb": "resume", "operator": "siti"},
    ]


async def test_a_user_who_is_no_operator_moves_nobody_when_not_a_supervisor(stage: Stage) -> None:
    await stage.change("operator", operator=None)
    await stage.sign_in(Role.OPERATOR)
    assert (await stage.post("/operators/siti/sign-in")).status == 403


@pytest.mark.parametrize("refusal", list(Refusal))
async def test_refusal_is_told_when_the_engine_refuses(stage: Stage, refusal: Refusal) -> None:
    await stage.sign_in(Role.OPERATOR)
    stage.engine.refusal = refusal.value
    answer = await problem(await stage.post("/operators/siti/sign-out"))
    assert (answer["status"], answer["refusal"]) == (409, refusal.value)
    assert kind(answer) == f"refused-{refusal.replace('_', '-')}"
    assert (answer["title_id"], answer["title"]) == (REFUSALS[refusal].id, REFUSALS[refusal].en)


def test_words_differ_when_refusals_do() -> None:
    for said in ({words.id for words in REFUSALS.values()}, {words.en for words in REFUSALS.values()}):
        assert len(said) == len(Refusal)


async def test_answer_is_away_when_the_engine_is_stopped(stage: Stage) -> None:
    await stage.sign_in(Role.ADMIN)
    await stage.engine.stop()
    for answer in (
        await stage.get("/operators"),
        await stage.get("/alarms"),
        await stage.post("/operators/siti/pause"),
    ):
        assert kind(await problem(answer)) == "engine-away"
        assert answer.headers["Retry-After"]
    parts = (await (await stage.get("/health")).json())["parts"]
    assert parts["engine"] is None
    assert (await stage.get("/metrics")).status == 200


async def test_move_is_seen_at_once_when_operators_are_asked_for(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    await stage.get("/operators")
    await stage.post("/operators/siti/sign-in")
    states = {
        entry["operator"]: entry["state"] for entry in (await (await stage.get("/operators")).json())["operators"]
    }
    assert states["siti"] == "available"


async def test_alarms_are_told_when_they_stand(stage: Stage) -> None:
    alarm = {"kind": "nobody_ready", "subject": "", "detail": "", "since": "2026-11-23T01:00:00+00:00"}
    stage.engine.present["alarms"].append(alarm)
    await stage.sign_in(Role.SERVICE)
    assert [entry["kind"] for entry in (await (await stage.get("/alarms")).json())["alarms"]] == ["nobody_ready"]


async def test_health_tells_parts_only_to_those_who_may_see_them(stage: Stage) -> None:
    assert await (await stage.get("/health")).json() == {"status": "ok", "parts": None}
    await stage.sign_in(Role.OPERATOR)
    assert (await (await stage.get("/health")).json())["parts"] is None
    await stage.sign_in(Role.SERVICE)
    parts = (await (await stage.get("/health")).json())["parts"]
    assert (parts["database"], parts["engine"]["ari"]) == ("connected", "connected")


async def test_figures_of_web_and_engine_are_told_when_asked_from_this_machine(stage: Stage) -> None:
    await stage.get("/health")
    figures = await (await stage.get("/metrics")).text()
    assert "callflow_web_request_seconds_bucket" in figures
    assert "callflow_engine_calls 0" in figures


@pytest.mark.parametrize("behind_tls", [True])
async def test_figures_need_the_permission_when_a_proxy_makes_everybody_local(stage: Stage) -> None:
    assert (await stage.get("/metrics")).status == 401


async def test_flow_is_published_under_ones_name_when_an_admin_does_it(stage: Stage) -> None:
    await stage.sign_in(Role.ADMIN)
    answer = await stage.post("/flows", {"document": "{}"})
    assert (answer.status, await answer.json()) == (201, {"version": 2})
    assert stage.engine.requests == [{"verb": "publish_flow", "document": "{}", "by": "admin"}]


async def test_every_problem_is_told_when_a_flow_is_refused(stage: Stage) -> None:
    await stage.sign_in(Role.ADMIN)
    stage.engine.flow_problems = ["start: no such node", "menu: exit 1 leads nowhere"]
    answer = await problem(await stage.post("/flows", {"document": "{}"}))
    assert (answer["status"], answer["problems"]) == (422, stage.engine.flow_problems)
