from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from callflow.core.city import Classification
from callflow.core.facts import Direction, HangupParty, PartyKind, PartyMode, Stage
from callflow.core.states import OfferState
from callflow.demo.cast import Cast, Placed
from callflow.demo.judge import judge, shown
from callflow.demo.scripts.told import Told
from callflow.storage.records import (
    AssessmentRecord,
    CallRecord,
    ConsultationRecord,
    HeaderRecord,
    PartyRecord,
    StepRecord,
    TrackRecord,
)

from ..answered_call import AT, CALL, OFFER, SUMMARY  # noqa: TID252

NUMBER = SUMMARY.caller_number or ""
RECORD = CallRecord(
    call=SUMMARY,
    headers=(HeaderRecord(name="P-Asserted-Identity", value="<sip:081200001@x>"),),
    steps=(StepRecord(flow_version=1, node="welcome", exit="2", keys="2", entered_at=AT, left_at=AT),),
    queue=(),
    offers=(OFFER,),
    recording=tuple(
        TrackRecord(name=name, path=f"{name}.wav", sha256="0" * 64, bytes=1, seconds=2.0)
        for name in ("mixed", "in", "out")
    ),
)


PARTY = PartyRecord(
    name="medical",
    kind=PartyKind.MEDICAL,
    mode=PartyMode.JOIN,
    operator="siti",
    sought_at=AT,
    offer_id=f"{CALL}.o2",
    destination="Ambulans 118",
    joined_at=AT,
    three_way=True,
    spoke_at=AT,
    gone_at=None,
    reason=None,
)
CONSULTATION = ConsultationRecord(
    number=1, offer_id=f"{CALL}.o2", operator="siti", name="polisi", began_at=AT, ended_at=AT
)
ASSESSMENT = AssessmentRecord(
    score=0.8,
    flagged=True,
    warned=False,
    calls=2,
    pranks=2,
    confirmed=2,
    later_seconds=0.0,
    reason_id="dua",
    reason_en="two",
)


@pytest.fixture
def told() -> Told:
    return Told(
        placed=Placed(cast("Any", None), NUMBER, CALL),
        stage=Stage.ANSWERED,
        path=("welcome:2",),
        operator="siti",
        outcomes=("answered",),
        tones={"-in": (440.0,)},
    )


@pytest.fixture
def judged(tmp_path: Path, told: Told) -> Callable[[CallRecord | None], list[str]]:
    """What is found wrong with a record, the citizen's tone of two seconds being in the track."""
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 8000)
    soundfile.write(tmp_path / f"{CALL}-in.wav", wave, 8000, subtype="PCM_16")
    stage = SimpleNamespace(layout=SimpleNamespace(settings=SimpleNamespace(recordings_dir=tmp_path)))

    def judged(record: CallRecord | None, told: Told = told) -> list[str]:
        nobody = cast("Any", None)
        everybody = Cast(cast("Any", stage), nobody, nobody, nobody, {}, nobody, {})
        judge(everybody, told, record)
        return everybody.failures

    return judged


def test_nothing_is_found_when_the_record_is_as_told(judged: Callable[[CallRecord | None], list[str]]) -> None:
    assert judged(RECORD) == []


def test_missing_record_is_found(judged: Callable[[CallRecord | None], list[str]]) -> None:
    assert judged(None) == [f"no record of call {CALL}"]


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("stage", Stage.ABANDONED_IN_QUEUE, "stage is"),
        ("operator", "budi", "operator is"),
        ("destination", "Provinsi", "destination is"),
        ("ended_by", HangupParty.SYSTEM, "ended by is"),
        ("fallback", True, "fallback is"),
        ("caller_number", None, "caller is"),
        ("ended_at", None, "no end"),
    ],
)
def test_difference_is_found_when_the_call_went_otherwise(
    judged: Callable[[CallRecord | None], list[str]], field: str, value: object, word: str
) -> None:
    (fault,) = judged(replace(RECORD, call=replace(SUMMARY, **{field: value})))
    assert word in fault


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"steps": ()}, "path is"),
        ({"offers": ()}, "offers ended"),
        ({"offers": (replace(OFFER, outcome=OfferState.TIMED_OUT), OFFER)}, "offers ended"),
        ({"headers": ()}, "P-Asserted-Identity"),
        ({"recording": RECORD.recording[:1]}, "the recording has only"),
    ],
)
def test_difference_is_found_when_a_part_of_the_record_is_otherwise(
    judged: Callable[[CallRecord | None], list[str]], change: dict[str, Any], word: str
) -> None:
    (fault,) = judged(replace(RECORD, **change))
    assert word in fault


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"parties": (PARTY,)}, "parties is ('medical',)"),
        ({"consultations": (CONSULTATION,)}, "consultations is 1"),
        ({"assessment": ASSESSMENT}, "suspicion is True"),
        ({"call": replace(SUMMARY, classification=Classification.PRANK)}, "classification is"),
        ({"call": replace(SUMMARY, direction=Direction.OUTBOUND)}, "direction is"),
    ],
)
def test_difference_is_found_when_something_else_was_made_of_the_call(
    judged: Callable[[CallRecord | None], list[str]], change: dict[str, Any], word: str
) -> None:
    (fault,) = judged(replace(RECORD, **change))
    assert fault.startswith(word)


def test_tone_that_should_not_be_there_is_found(judged: Any, told: Told) -> None:
    (fault,) = judged(RECORD, replace(told, absent={"-in": (440.0,)}))
    assert fault.startswith("440 Hz is 2.00 s")


def test_track_of_a_consultation_is_asked_for(judged: Any, told: Told) -> None:
    (fault,) = judged(replace(RECORD, consultations=(CONSULTATION,)), replace(told, consultations=1))
    assert "consult-1" in fault


def test_no_header_is_asked_for_when_the_number_is_withheld(judged: Any, told: Told) -> None:
    anonymous = replace(RECORD, headers=(), call=replace(SUMMARY, caller_number=None))
    assert judged(anonymous, replace(told, placed=Placed(cast("Any", None), None, CALL))) == []


def test_what_was_made_of_the_call_is_shown() -> None:
    record = replace(
        RECORD,
        call=replace(SUMMARY, classification=Classification.NORMAL),
        parties=(PARTY,),
        consultations=(CONSULTATION,),
        assessment=ASSESSMENT,
    )
    document = shown("118", record)
    assert document["classification"] == "normal"
    assert document["prank"] == {"score": 0.8, "flagged": True, "warned": False, "reason": {"id": "dua", "en": "two"}}
    assert document["medical"] == document["parties"][0]
    assert (document["medical"]["destination"], document["medical"]["three_way"]) == ("Ambulans 118", True)
    assert document["consultations"] == [{"number": 1, "with": "polisi"}]
    json.dumps(document)


def test_missing_tone_is_found(judged: Any, told: Told) -> None:
    (fault,) = judged(RECORD, replace(told, tones={"-in": (440.0, 620.0)}))
    assert fault.startswith("620 Hz is only")


def test_record_is_shown_in_the_stable_form() -> None:
    document = shown("key 2", RECORD)
    assert list(document) == [
        *("call_id", "scenario", "caller", "arrived_at", "answered_at", "ended_at", "stage", "path", "operator"),
        *("offers", "medical", "classification", "prank", "recording", "hangup", "fallback"),
        *("direction", "callback_of", "parties", "consultations"),
    ]
    assert (document["medical"], document["classification"], document["prank"]) == (None, None, None)
    assert document["path"] == ["welcome:2"]
    assert document["arrived_at"] == AT.isoformat()
    assert document["hangup"] == {"by": HangupParty.CALLER, "cause": 16}
    assert set(document["recording"]) == {"mixed", "in", "out"}
