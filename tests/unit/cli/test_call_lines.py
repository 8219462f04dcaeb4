from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from callflow.cli.call_lines import line_of, lines_of
from callflow.core.city import Classification
from callflow.core.facts import ChallengeKind, Direction, LegPurpose, PartyEnd, PartyKind, PartyMode, QueueReason, Stage
from callflow.core.requests import CallbackOutcome
from callflow.storage.records import (
    AssessmentRecord,
    CallbackAttemptRecord,
    CallbackRecord,
    CallRecord,
    CallSummary,
    ChallengeRecord,
    ClassificationRecord,
    ConsultationRecord,
    HeaderRecord,
    PartyRecord,
    QueueRecord,
    StepRecord,
    TrackRecord,
)

from .. import answered_call  # noqa: TID252
from ..answered_call import AT, CALL  # noqa: TID252

ZONE = ZoneInfo("Asia/Jakarta")
SUMMARY = replace(answered_call.SUMMARY, centre_id="bwi", operator="ani")
OFFER = replace(
    answered_call.OFFER,
    operator="ani",
    cause=None,
    reason="longest idle",
    left_at=AT,
    left_reason="confirmed",
)
PARTY = PartyRecord(
    name="polisi",
    kind=PartyKind.AGENCY,
    mode=PartyMode.CONSULT,
    operator="ani",
    sought_at=AT,
    offer_id=f"{CALL}.o2",
    destination="polres",
    joined_at=AT,
    three_way=True,
    spoke_at=AT,
    gone_at=AT,
    reason=PartyEnd.HUNG_UP,
)
NOT_REACHED = replace(
    PARTY,
    name="medical",
    kind=PartyKind.MEDICAL,
    mode=PartyMode.DIRECT,
    operator=None,
    destination=None,
    joined_at=None,
    three_way=None,
    spoke_at=None,
    gone_at=None,
    reason=None,
)
CALLBACK = CallbackRecord(
    call_id=CALL,
    centre_id="bwi",
    number="+6281200001",
    opened_at=AT,
    deadline=AT,
    owner="ani",
    assigned_at=AT,
    attempts=(CallbackAttemptRecord(call_id=f"{CALL}.b1", operator="ani", begun_at=AT, stage=None),),
    closed_at=AT,
    outcome=CallbackOutcome.REACHED,
    closed_by=f"{CALL}.b1",
)
BARE = CallRecord(call=SUMMARY, headers=(), steps=(), queue=(), offers=(), recording=())


def test_everything_is_told_in_the_centres_time_when_much_happened() -> None:
    record = CallRecord(
        call=replace(SUMMARY, classification=Classification.NORMAL, caller_spoke_at=AT),
        headers=(HeaderRecord(name="Diversion", value="x"),),
        steps=(StepRecord(flow_version=1, node="welcome", exit="2", keys="2", entered_at=AT, left_at=AT),),
        queue=(
            QueueRecord(
                queued_at=AT, reason=QueueReason.FLOW, tier="a", skill="health", left_at=AT, left_reason="connected"
            ),
        ),
        offers=(
            OFFER,
            replace(OFFER, operator=None, destination="polres", purpose=LegPurpose.PARTY, reason="", left_at=None),
            replace(OFFER, operator="budi", left_at=None, lost_at=AT, lost_cause=44, outcome=None),
        ),
        recording=(TrackRecord(name="consult-1", path=f"{CALL}-consult-1.wav", sha256="0f", bytes=9, seconds=2.0),),
        parties=(PARTY, NOT_REACHED),
        consultations=(
            ConsultationRecord(
                number=1, offer_id=f"{CALL}.o2", operator="ani", name="polisi", began_at=AT, ended_at=None
            ),
        ),
        assessment=AssessmentRecord(
            score=0.876,
            flagged=True,
            warned=True,
            calls=5,
            pranks=4,
            confirmed=5,
            later_seconds=10.0,
            reason_id="4 dari 5",
            reason_en="4 of 5",
        ),
        challenges=(
            ChallengeRecord(kind=ChallengeKind.PRANK, at=AT, answered_at=AT),
            ChallengeRecord(kind=ChallengeKind.SILENT, at=AT, answered_at=None),
        ),
        classifications=(ClassificationRecord(at=AT, classification=Classification.NORMAL, by="sri", operator=None),),
        callback=CALLBACK,
    )
    now = "2026-01-05 08:00:00"
    assert list(lines_of(record, ZONE)) == [
        "call      node1-7.1",
        "caller    +6281200001 (sent as '081200001')",
        "dialled   112 through trunk-city",
        f"arrived   {now} Asia/Jakarta",
        "known     prank suspected (score 0.88, warned, 10 s later among equals): 4 dari 5 / 4 of 5",
        f"challenge {now} prank: key pressed {now}",
        f"challenge {now} silent: no key pressed",
        f"spoke     {now} the caller, for the first time",
        "header    Diversion: x",
        f"step      {now} welcome → 2, keys 2",
        f"queue     {now} until {now} (flow, tier a, skill health; left: connected)",
        f"offer     {now} ani: answered (person; longest idle)",
        f"left      {now} ani: confirmed",
        f"offer     {now} polres: answered (party)",
        f"offer     {now} budi: rings (person; longest idle)",
        f"lost      {now} budi, cause 44",
        f"party     {now} polisi (agency, consult), asked for by ani",
        f"  joined  {now} polres, with operator and caller",
        f"  spoke   {now}",
        f"  gone    {now} hung_up",
        f"party     {now} medical (medical, direct), asked for by the flow",
        f"consulted {now} until - ani with polisi (track consult-1)",
        f"answered  {now} ani",
        f"ended     {now} by caller, cause 16",
        "stage     answered",
        f"class     {now} normal, says sri",
        f"call-back {now} to +6281200001, due {now}, owner ani",
        f"  tried   {now} ani: in progress (node1-7.1.b1)",
        f"  closed  {now} reached by node1-7.1.b1",
        "recording consult-1: node1-7.1-consult-1.wav, 2.0 s, 9 bytes, sha256 0f",
    ]


def test_outbound_call_says_which_one_it_answers_when_it_is_a_callback() -> None:
    outbound = replace(
        SUMMARY,
        call_id=f"{CALL}.b1",
        direction=Direction.OUTBOUND,
        callback_of=CALL,
        stage=Stage.OUTBOUND_REACHED,
        dialled="",
    )
    lines = list(lines_of(replace(BARE, call=outbound), ZONE))
    assert lines[1:4] == [
        "called    +6281200001 through trunk-city",
        f"answers   abandoned call {CALL}",
        "begun     2026-01-05 08:00:00 Asia/Jakarta",
    ]


def test_fallback_is_told_when_the_dialplan_had_the_call() -> None:
    handed = replace(SUMMARY, fallback=True, handed_back_at=AT, handed_back_reason="no bridge")
    lines = list(lines_of(replace(BARE, call=handed), ZONE))
    assert "handed    2026-01-05 08:00:00 back to the dialplan: no bridge" in lines
    assert "fallback  served by the dialplan alone" in lines


@pytest.mark.parametrize(
    ("call", "end"),
    [
        (SUMMARY, "answered               ani"),
        (replace(SUMMARY, classification=Classification.PRANK, prank_flagged=True), "ani prank flagged"),
        (replace(SUMMARY, operator=None, destination="psc119", fallback=True), "psc119 fallback"),
        (
            replace(SUMMARY, direction=Direction.OUTBOUND, stage=None, operator=None),
            "in_progress            - outbound",
        ),
    ],
)
def test_line_ends_with_what_marks_the_call(call: CallSummary, end: str) -> None:
    assert line_of(call, ZONE).endswith(end)
