"""The web process whole: its own settings, secrets, chain and database of each kind."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from callflow.core.facts import Stage
from callflow.storage.models import Call, CallStep, Recording
from callflow.storage.users import set_active, set_password
from callflow.web import directory
from callflow.web.server import build

from .postgres import PostgresServer
from .web_lab import PASSWORD, QUICK_HASHER, Visitor, WebLab, web_lab

ARRIVED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
async def lab(tmp_path: Path, empty_url: str) -> AsyncIterator[WebLab]:
    async with web_lab(tmp_path / "data", empty_url) as running:
        yield running


async def add_call(lab: WebLab, call_id: str = "pbx1-1.1", audio: bytes = b"RIFF" * 100) -> None:
    lab.settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    (lab.settings.recordings_dir / f"{call_id}.wav").write_bytes(audio)
    async with lab.sessions.begin() as session:
        session.add(
            Call(
                call_id=call_id,
                centre_id="bwi",
                arrived_at=ARRIVED,
                caller_number="+6281234567890",
                caller_raw="081234567890",
                dialled="112",
                trunk="telkom",
                stage=Stage.ANSWERED,
                operator_id="siti",
                answered_at=ARRIVED + timedelta(seconds=9),
                ended_at=ARRIVED + timedelta(seconds=99),
                fallback=False,
            )
        )
        await session.flush()
        session.add(
            CallStep(
                call_id=call_id,
                seq=1,
                position=0,
                centre_id="bwi",
                flow_version=1,
                node="menu",
                exit="1",
                keys="1",
                entered_at=ARRIVED,
                left_at=ARRIVED + timedelta(seconds=4),
            )
        )
        session.add(
            Recording(
                call_id=call_id,
                name="mixed",
                centre_id="bwi",
                path=f"{call_id}.wav",
                sha256="0" * 64,
                bytes=len(audio),
                seconds=90.0,
                stored_at=ARRIVED,
            )
        )


def looks(lab: WebLab) -> list[dict[str, Any]]:
    """The accesses in the web's chain on disk."""
    with closing(sqlite3.connect(lab.settings.journal_dir / "web.sqlite")) as chain:
        rows = [row for (row,) in chain.execute("SELECT payload FROM payloads ORDER BY seq")]
    return [json.loads(row)["event"] for row in rows]


async def test_record_and_audio_are_shown_and_both_looks_are_in_the_chain_when_an_auditor_asks(lab: WebLab) -> None:
    await add_call(lab)
    async with lab.browser("agus") as visitor:
        page = await (await visitor.client.get("/api/v1/calls?in_progress=false")).json()
        assert [call["call_id"] for call in page["calls"]] == ["pbx1-1.1"]
        record = await (await visitor.client.get("/api/v1/calls/pbx1-1.1")).json()
        assert [step["node"] for step in record["steps"]] == ["menu"]
        assert datetime.fromisoformat(record["call"]["arrived_at"]) == ARRIVED
        async with visitor.client.get("/api/v1/calls/pbx1-1.1/recording/mixed") as audio:
            assert (audio.status, await audio.read()) == (200, b"RIFF" * 100)
    assert [(look["who"], look["what"], look["call"]) for look in looks(lab)] == [
        ("agus", "calls", None),
        ("agus", "call", "pbx1-1.1"),
        ("agus", "recording", "pbx1-1.1"),
    ]


async def test_record_says_why_when_there_is_no_recording(lab: WebLab) -> None:
    await add_call(lab)
    async with lab.sessions.begin() as session:
        await session.execute(delete(Recording))
        await session.execute(update(Call).values(no_recording="the disk was full"))
    async with lab.browser("agus") as visitor:
        record = await (await visitor.client.get("/api/v1/calls/pbx1-1.1")).json()
        described = await (await visitor.client.get("/api/v1/openapi.json")).json()
    assert (record["call"]["no_recording"], record["recording"]) == ("the disk was full", [])
    assert "no_recording" in described["components"]["schemas"]["CallSummary"]["properties"]


async def test_pages_are_whole_when_arrivals_fall_together(lab: WebLab) -> None:
    for number in range(5):
        await add_call(lab, f"pbx1-1.{number}")
    async with lab.browser("wati") as visitor:
        seen, query = [], ""
        while True:
            page = await (await visitor.client.get(f"/api/v1/calls?limit=2{query}")).json()
            seen += [call["call_id"] for call in page["calls"]]
            if page["next_cursor"] is None:
                break
            query = f"&cursor={page['next_cursor']}"
    assert seen == [f"pbx1-1.{number}" for number in (4, 3, 2, 1, 0)]


async def test_sessions_end_when_the_password_changes_or_the_user_is_disabled(
    lab: WebLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab.browser("siti") as siti, lab.browser("adi") as adi:
        at = datetime.now(UTC)
        async with lab.sessions.begin() as session:
            new_hash = QUICK_HASHER.hash("yang-baru-sekali")
            await set_password(session, centre="bwi", login="siti", password_hash=new_hash, at=at)
            await set_active(session, centre="bwi", login="adi", active=False, at=at)
        # A sign-in makes the web read the users, so that nobody needs to wait for its own round.
        monkeypatch.setattr(directory, "FRESH_SECONDS", 0.0)
        async with lab.browser() as fresh:
            await fresh.sign_in("siti", "yang-baru-sekali")
            for visitor in (siti, adi):
                async with visitor.client.get("/api/v1/session") as answer:
                    assert answer.status == 401
            async with fresh.client.post("/api/v1/session", json={"login": "siti", "password": PASSWORD}) as answer:
                assert answer.status == 401


async def test_secrets_and_copies_are_closed_to_others_when_the_web_has_run(lab: WebLab) -> None:
    async with lab.browser("siti") as visitor:
        await visitor.client.delete("/api/v1/session", headers=visitor.headers)
    data = lab.settings.data_dir
    for path in (data / "secrets" / "web_cookie_key", data / "web" / "users.json", data / "web" / "ended-sessions"):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_operator_moves_through_the_port_when_signed_in(lab: WebLab) -> None:
    async with lab.browser("siti") as visitor:
        path = "/api/v1/operators/siti/sign-in"
        async with visitor.client.post(path, json={}, headers=visitor.headers) as answer:
            assert answer.status == 200
    assert lab.engine.requests == [{"verb": "sign_in", "operator": "siti"}]


async def work_with_a_call(lab: WebLab, visitor: Visitor) -> None:
    """Everything that an operator needs for a call, as long as the engine answers."""
    lab.engine.present["operators"][0].update(call="c1")
    lab.engine.add_callback("c0", "+6281234567890")
    for path, body in (
        ("/operators/siti/pause", {"reason": "makan"}),
        ("/operators/siti/talk", {"action": "join", "target": "medical"}),
        ("/calls/c1/classification", {"classification": "normal"}),
        ("/operators/siti/classification", {"classification": "ghost"}),
        ("/callbacks/c0/take", {}),
        ("/callbacks/c0/dial", {}),
    ):
        async with visitor.client.post(f"/api/v1{path}", json=body, headers=visitor.headers) as answer:
            assert answer.status == 200, path
    for path in ("/callbacks", "/roster", "/codes", "/operators", "/alarms"):
        async with visitor.client.get(f"/api/v1{path}") as answer:
            assert answer.status == 200, path


async def test_people_sign_in_follow_live_and_work_when_postgresql_dies(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with web_lab(tmp_path / "data", postgres.new_database()) as lab, lab.browser("wati") as before:
        postgres.stop()
        try:
            async with asyncio.timeout(10):
                async with before.client.get("/api/v1/calls") as answer:
                    assert answer.status == 503
                    assert (await answer.json())["type"].endswith("database-away")
                async with lab.browser("siti") as visitor, visitor.client.ws_connect("/api/v1/live") as live:
                    kinds = {(await live.receive_json())["type"] for _ in range(3)}
                    assert "snapshot" in kinds
                    await work_with_a_call(lab, visitor)
        finally:
            postgres.start()
        async with before.client.get("/api/v1/calls") as answer:
            assert answer.status == 200


async def test_sessions_outlive_a_restart_and_ended_ones_stay_ended_when_the_web_starts_again(tmp_path: Path) -> None:
    async with web_lab(tmp_path) as lab, lab.browser("siti") as kept, lab.browser("wati") as ended:
        cookies = [
            {cookie.key: cookie.value for cookie in visitor.client.cookie_jar}["callflow"] for visitor in (kept, ended)
        ]
        async with ended.client.delete("/api/v1/session", headers=ended.headers) as answer:
            assert answer.status == 204
        settings = lab.settings
    async with build(settings) as (context, users):
        await users.refresh()
        opened = [context.auth._seal.open(cookie) for cookie in cookies]
        valid = [session is not None and context.auth.valid(session) is not None for session in opened]
    assert valid == [True, False]
