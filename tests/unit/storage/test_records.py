"""The shape that others rely on: what docs/RECORDS.md names is what records have, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

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
    OfferRecord,
    PartyRecord,
    QueueRecord,
    StepRecord,
    TrackRecord,
)

SHAPES: dict[str, type] = {
    "record": CallRecord,
    "call": CallSummary,
    "headers": HeaderRecord,
    "steps": StepRecord,
    "queue": QueueRecord,
    "offers": OfferRecord,
    "recording": TrackRecord,
    "parties": PartyRecord,
    "consultations": ConsultationRecord,
    "assessment": AssessmentRecord,
    "challenges": ChallengeRecord,
    "classifications": ClassificationRecord,
    "callback": CallbackRecord,
    "attempts": CallbackAttemptRecord,
}
_TEXT = (Path(__file__).parents[3] / "docs" / "RECORDS.md").read_text()
DOCUMENTED = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", _TEXT, flags=re.DOTALL | re.MULTILINE))


def test_every_part_of_a_record_has_a_section_when_the_document_is_read() -> None:
    assert list(DOCUMENTED) == list(SHAPES)


@pytest.mark.parametrize("section", SHAPES)
def test_document_names_each_field_once_when_the_section_is_read(section: str) -> None:
    lines = re.findall(r"^- (.*)$", DOCUMENTED[section], flags=re.MULTILINE)
    named = [name for line in lines for name in re.findall(r"`(\w+)`", line.partition(":")[0])]
    assert sorted(named) == sorted(field.name for field in fields(SHAPES[section]))
