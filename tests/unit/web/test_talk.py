"""What is asked of the engine about the call in hand, and by whom."""

from __future__ import annotations

import pytest

from callflow.core.commands import Refusal
from callflow.core.requests import TalkAction
from callflow.permissions import Role

from .conftest import Stage, kind, problem


@pytest.mark.parametrize("action", list(TalkAction))
async def test_operator_acts_in_the_call_in_hand_when_asking(stage: Stage, action: TalkAction) -> None:
    await stage.sign_in(Role.OPERATOR)
    answer = await stage.post("/operators/siti/talk", {"action": action})
    assert (answer.status, (await answer.json())["seq"]) == (200, stage.engine.seq)
    assert stage.engine.requests == [{"verb": "talk", "operator": "siti", "action": action.value}]


async def test_supervisor_is_named_when_asking_in_an_operator_s_place(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    await stage.post("/operators/siti/talk", {"action": "join", "target": "medical"})
    asked = {"verb": "talk", "operator": "siti", "action": "join", "target": "medical", "by": "supervisor"}
    assert stage.engine.requests == [asked]


async def test_nothing_is_asked_when_it_is_a_colleague_s_call(stage: Stage) -> None:
    await stage.sign_in(Role.OPERATOR)
    assert kind(await problem(await stage.post("/operators/budi/talk", {"action": "end"}))) == "not-permitted"
    assert stage.engine.requests == []


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("0812-3456 789", "08123456789"),
        ("+62 (812) 345.678", "+62812345678"),
        ("polisi", "polisi"),
        ("dinas-sosial", "dinas-sosial"),
        ("110", "110"),
    ],
)
async def test_number_is_read_as_people_write_it(stage: Stage, given: str, asked: str) -> None:
    await stage.sign_in(Role.OPERATOR)
    await stage.post("/operators/siti/talk", {"action": "join", "target": given})
    assert stage.engine.requests[0]["target"] == asked


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "shout"}, {"action": "join", "target": "x" * 65}, {"action": "join", "target": "sip:a@b"}],
)
async def test_body_is_refused_when_it_asks_for_nothing_there_is(stage: Stage, body: dict[str, str]) -> None:
    await stage.sign_in(Role.OPERATOR)
    assert kind(await problem(await stage.post("/operators/siti/talk", body))) == "not-valid"
    assert stage.engine.requests == []


async def test_reason_is_told_in_both_languages_when_the_party_has_not_spoken(stage: Stage) -> None:
    await stage.sign_in(Role.OPERATOR)
    stage.engine.refusal = Refusal.NOT_SPOKEN.value
    told = await problem(await stage.post("/operators/siti/talk", {"action": "leave"}))
    assert (told["status"], told["refusal"], kind(told)) == (409, "not_spoken", "refused-not-spoken")
    assert "belum bersuara" in told["title_id"]
    assert "has not spoken" in told["title"]
