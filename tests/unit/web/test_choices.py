"""What operators choose from and who is expected: codes, reasons to pause, agencies, the roster."""

from __future__ import annotations

from callflow.core.codes import CODES
from callflow.permissions import Role

from .conftest import Stage, kind, problem
from .test_classifications import lose_database

PAGI = {"shift": "pagi", "until": "2026-11-23T07:00:00+00:00", "expected": ["siti", "budi"], "present": ["siti"]}
SORE = {"shift": "sore", "at": "2026-11-23T07:00:00+00:00", "expected": ["budi"]}


async def test_every_code_reason_and_agency_is_told_in_both_languages_when_asked_for(stage: Stage) -> None:
    lose_database(stage)
    await stage.sign_in(Role.OPERATOR)
    shown = await (await stage.get("/codes")).json()
    assert [code["digits"] for code in shown["codes"]] == list(CODES)
    join = next(code for code in shown["codes"] if code["digits"] == "*31")
    assert join == {
        "digits": "*31",
        "action": "join",
        "argument": "none",
        "target": "medical",
        "label_id": "Sambungkan ambulans",
        "label_en": "Join the ambulance service",
    }
    assert {reason["name"] for reason in shown["pause_reasons"]} >= {"makan", "ibadah"}
    assert shown["agencies"][0]["name"] == "medical"


async def test_expected_present_and_next_are_told_when_the_roster_is_asked_for(stage: Stage) -> None:
    lose_database(stage)
    await stage.sign_in(Role.OPERATOR)
    assert await (await stage.get("/roster")).json() == {"seq": 0, "now": [], "next": None}
    stage.engine.present["roster"] = {"now": [PAGI], "next": SORE}
    shown = await (await stage.get("/roster")).json()
    assert shown["now"][0]["present"] == ["siti"]
    assert shown["next"]["shift"] == "sore"


async def test_both_are_away_when_the_engine_is(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    await stage.engine.stop()
    for path in ("/codes", "/roster", "/callbacks"):
        assert kind(await problem(await stage.get(path))) == "engine-away"
