from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from callflow.core.city import Classification
from callflow.storage.documents import document_of


@dataclass(frozen=True)
class Inner:
    day: date


@dataclass(frozen=True)
class Outer:
    names: frozenset[str]
    inner: tuple[Inner, ...]
    kind: Classification
    at: datetime
    share: float | None


def test_document_is_jsons_own_and_in_order_when_the_value_is_the_cores() -> None:
    value = Outer(
        names=frozenset("cba"),
        inner=(Inner(date(2026, 1, 5)),),
        kind=Classification.GHOST,
        at=datetime(2026, 1, 5, 1, tzinfo=UTC),
        share=None,
    )
    document = document_of(value)
    assert document == {
        "names": ["a", "b", "c"],
        "inner": [{"day": "2026-01-05"}],
        "kind": "ghost",
        "at": "2026-01-05T01:00:00+00:00",
        "share": None,
    }
    assert json.loads(json.dumps(document)) == document
    assert type(document["kind"]) is str


def test_value_is_refused_when_it_has_no_form_in_a_document() -> None:
    with pytest.raises(TypeError, match="complex"):
        document_of((1j,))
