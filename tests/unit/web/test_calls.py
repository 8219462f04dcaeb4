"""Calls, their records and recordings: who sees what, and that each look is recorded first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callflow.core.city import Classification
from callflow.core.facts import Direction, PartyKind, PartyMode
from callflow.core.facts import Stage as FunnelStage
from callflow.core.requests import CallbackOutcome
from callflow.permissions import Role
from callflow.storage.models import Access, Call, Callback, ClassificationChange, Offer, Party, Recording

from .conftest import Stage, kind, problem

ARRIVED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


async def add_call(on: Stage, call_id: str, /, **fields: Any) -> None:
    given: dict[str, Any] = {
        "call_id": call_id,
        "centre_id": "bwi",
        "arrived_at": ARRIVED,
        "caller_number": "+6281234567890",
        "caller_raw": "081234567890",
        "dialled": "112",
        "trunk": "telkom",
        "stage": FunnelStage.ANSWERED,
        "ended_at": ARRIVED + timedelta(minutes=2),
        "fallback": False,
    }
    async with on.sessions.begin() as session:
        session.add(Call(**(given | fields)))


async def add_recording(
    stage: Stage, call_id: str, audio: bytes, *, path: str | None = None, name: str = "mixed"
) -> None:
    place = path or f"{call_id}-{name}.wav"
    if path is None:
        (stage.recordings / place).write_bytes(audio)
    async with stage.sessions.begin() as session:
        session.add(
            Recording(
                call_id=call_id,
                name=name,
                centre_id="bwi",
                path=place,
                sha256="0" * 64,
                bytes=len(audio),
                seconds=1.0,
                stored_at=ARRIVED,
            )
        )


async def test_pages_follow_each_other_when_there_are_many_calls(stage: Stage) -> None:
    for number in range(5):
        await add_call(stage, f"c{number}", arrived_at=ARRIVED + timedelta(seconds=number))
    await stage.sign_in(Role.SUPERVISOR)
    seen, cursor = [], ""
    while cursor is not None:
        page = await (await stage.get(f"/calls?limit=2{cursor and f'&cursor={cursor}'}")).json()
        seen += [call["call_id"] for call in page["calls"]]
        cursor = page["next_cursor"]
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


async def test_cursor_is_refused_when_it_is_none_of_ours(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert kind(await problem(await stage.get("/calls?cursor=bm90aGluZw=="))) == "bad-cursor"


async def test_list_is_recorded_when_it_shows_callers(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert (await (await stage.get("/calls")).json())["calls"] == []
    assert stage.chain.events == []
    await add_call(stage, "c1")
    await stage.get("/calls")
    assert [(event.who, event.what, event.call) for event in stage.chain.events] == [("supervisor", "calls", None)]


async def test_operator_sees_only_own_calls_when_listing(stage: Stage) -> None:
    await add_call(stage, "mine", operator_id="siti")
    await add_call(stage, "other", operator_id="budi")
    await stage.sign_in(Role.OPERATOR)
    assert [call["call_id"] for call in (await (await stage.get("/calls")).json())["calls"]] == ["mine"]
    assert (await (await stage.get("/calls?operator=budi")).json())["calls"] == []


async def test_operator_sees_only_own_records_when_asking_for_one(stage: Stage) -> None:
    await add_call(stage, "mine", operator_id="siti")
    await add_call(stage, "other", operator_id="budi")
    await add_call(stage, "shared", operator_id="budi")
    async with stage.sessions.begin() as session:
        for offer_id, call, connected in (("shared.o1", "shared", ARRIVED), ("other.o1", "other", None)):
            session.add(
                Offer(
                    offer_id=offer_id,
                    call_id=call,
                    centre_id="bwi",
                    operator_id="siti",
                    made_at=ARRIVED,
                    connected_at=connected,
                )
            )
    await stage.sign_in(Role.OPERATOR)
    statuses = {call: (await stage.get(f"/calls/{call}")).status for call in ("mine", "shared", "other", "none")}
    assert statuses == {"mine": 200, "shared": 200, "other": 404, "none": 404}


async def test_nothing_of_another_centre_is_shown_when_asked_for(stage: Stage) -> None:
    await add_call(stage, "elsewhere", centre_id="kpg")
    await stage.sign_in(Role.ADMIN)
    assert (await stage.get("/calls/elsewhere")).status == 404
    assert (await (await stage.get("/calls")).json())["calls"] == []


async def test_record_is_recorded_before_it_is_shown(stage: Stage) -> None:
    await add_call(stage, "c1")
    await stage.sign_in(Role.AUDITOR)
    assert (await stage.get("/calls/c1")).status == 200
    assert [(event.who, event.what, event.call) for event in stage.chain.events] == [("auditor", "call", "c1")]
    assert stage.chain.committed_up_to == 1


async def test_record_is_withheld_when_the_access_cannot_be_recorded(stage: Stage) -> None:
    await add_call(stage, "c1")
    await add_recording(stage, "c1", b"RIFF")
    await stage.sign_in(Role.AUDITOR)
    stage.chain.lost = True
    for path in ("/calls", "/calls/c1", "/calls/c1/recording/mixed"):
        answer = await stage.get(path)
        assert kind(await problem(answer)) == "access-not-recorded"
        assert answer.headers["Retry-After"]


async def test_calls_are_narrowed_by_direction_and_classification_when_asked_for(stage: Stage) -> None:
    await add_call(stage, "prank", classification=Classification.PRANK, classified_by="siti", prank_flagged=True)
    await add_call(stage, "back", direction=Direction.OUTBOUND, callback_of="gave-up")
    await stage.sign_in(Role.SUPERVISOR)

    async def listed(query: str) -> list[str]:
        return [call["call_id"] for call in (await (await stage.get(f"/calls?{query}")).json())["calls"]]

    assert await listed("classification=prank") == ["prank"]
    assert await listed("direction=outbound") == ["back"]
    assert await listed("direction=inbound&classification=normal") == []
    assert (await stage.get("/calls?classification=boring")).status == 422


async def test_parties_words_and_callback_are_in_the_record_when_there_were_some(stage: Stage) -> None:
    await add_call(
        stage,
        "c1",
        stage=FunnelStage.ABANDONED_IN_QUEUE,
        prank_score=0.8,
        prank_flagged=True,
        prank_reason_id="4 dari 5",
        prank_reason_en="4 of 5",
    )
    key = {"call_id": "c1", "centre_id": "bwi", "seq": 1, "position": 0}
    async with stage.sessions.begin() as session:
        session.add(Party(**key, name="medical", kind=PartyKind.MEDICAL, mode=PartyMode.DIRECT, sought_at=ARRIVED))
        session.add(
            ClassificationChange(**key, at=ARRIVED, classification=Classification.GHOST, by="siti", operator_id="siti")
        )
        session.add(settled_callback("c1"))
    await stage.sign_in(Role.SUPERVISOR)
    record = await (await stage.get("/calls/c1")).json()
    assert [(party["name"], party["kind"]) for party in record["parties"]] == [("medical", "medical")]
    assert record["assessment"]["reason_en"] == "4 of 5"
    assert [word["classification"] for word in record["classifications"]] == ["ghost"]
    assert (record["callback"]["outcome"], record["callback"]["owner"]) == ("not_needed", "siti")
    assert (record["consultations"], record["challenges"]) == ([], [])


def settled_callback(call: str, **fields: Any) -> Callback:
    given: dict[str, Any] = {
        "call_id": call,
        "centre_id": "bwi",
        "number": "+6281234567890",
        "opened_at": ARRIVED,
        "deadline": ARRIVED + timedelta(minutes=2),
        "owner_id": "siti",
        "assigned_at": ARRIVED,
        "attempts": 0,
        "closed_at": ARRIVED + timedelta(minutes=1),
        "outcome": CallbackOutcome.NOT_NEEDED,
        "closed_by": "siti",
    }
    return Callback(**(given | fields))


async def test_audio_of_a_consultation_is_sent_when_it_is_asked_for(stage: Stage) -> None:
    await add_call(stage, "c1")
    await add_recording(stage, "c1", b"RIFFconsult", name="consult-1")
    await stage.sign_in(Role.AUDITOR)
    answer = await stage.get("/calls/c1/recording/consult-1")
    assert (answer.status, await answer.read()) == (200, b"RIFFconsult")
    assert (await stage.get("/calls/c1/recording/consult-2")).status == 404
    assert (await stage.get("/calls/c1/recording/consult-")).status == 404


async def test_who_looked_is_shown_to_auditors_and_not_to_supervisors(stage: Stage) -> None:
    await add_call(stage, "c1")
    async with stage.sessions.begin() as session:
        session.add(Access(centre_id="bwi", at=ARRIVED, who="wati", what="call", call_id="c1", purpose="record"))
    await stage.sign_in(Role.AUDITOR)
    record = await (await stage.get("/calls/c1")).json()
    assert [access["who"] for access in record["accesses"]] == ["wati"]
    await stage.sign_in(Role.SUPERVISOR)
    assert (await (await stage.get("/calls/c1")).json())["accesses"] is None


async def test_audio_comes_in_ranges_when_asked_for_and_each_is_recorded(stage: Stage) -> None:
    await add_call(stage, "c1")
    await add_recording(stage, "c1", bytes(range(200)))
    await stage.sign_in(Role.AUDITOR)
    whole = await stage.get("/calls/c1/recording/mixed")
    part = await stage.get("/calls/c1/recording/mixed", headers={"Range": "bytes=10-19"})
    assert (whole.status, await whole.read()) == (200, bytes(range(200)))
    assert (part.status, await part.read()) == (206, bytes(range(10, 20)))
    assert whole.content_type == "audio/wav"
    assert whole.headers["Cache-Control"] == "no-store"
    looks = [(event.what, event.purpose) for event in stage.chain.events]
    assert looks == [("recording", "mixed, whole"), ("recording", "mixed, bytes=10-19")]


async def test_audio_is_refused_when_the_call_still_runs(stage: Stage) -> None:
    await add_call(stage, "c1", stage=None, ended_at=None)
    await stage.sign_in(Role.AUDITOR)
    assert kind(await problem(await stage.get("/calls/c1/recording/mixed"))) == "call-still-runs"
    stage.context.feed.calls.take_fact({"type": "CallOpened", "call": "live", "caller": {"number": None, "raw": ""}})
    assert (await stage.get("/calls/live/recording/mixed")).status == 409


@pytest.mark.parametrize("path", ["../secrets/key", "/etc/passwd", "gone.wav"])
async def test_audio_is_not_found_when_the_record_leads_out_or_nowhere(stage: Stage, path: str) -> None:
    await add_call(stage, "c1")
    await add_recording(stage, "c1", b"", path=path)
    await stage.sign_in(Role.AUDITOR)
    assert (await stage.get("/calls/c1/recording/mixed")).status == 404
    assert stage.chain.events == []


async def test_audio_is_forbidden_when_an_operator_asks(stage: Stage) -> None:
    await add_call(stage, "c1", operator_id="siti")
    await stage.sign_in(Role.OPERATOR)
    assert kind(await problem(await stage.get("/calls/c1/recording/mixed"))) == "not-permitted"


async def test_lists_are_away_and_operators_are_not_when_the_database_is_away(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)

    def refuse() -> None:
        raise ConnectionRefusedError("no database")

    stage.context.database._sessions = refuse  # type: ignore[assignment]
    for path in ("/calls", "/calls/c1", "/flows"):
        assert kind(await problem(await stage.get(path))) == "database-away"
    assert (await stage.get("/operators")).status == 200
    assert (await (await stage.get("/health")).json())["parts"]["database"] == "away"
