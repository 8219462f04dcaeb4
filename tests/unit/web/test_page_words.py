"""The page has Indonesian words for every value that the core can tell it."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from callflow.core.commands import Refusal
from callflow.core.facts import AlarmKind, HangupParty, QueueReason, Stage
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.flows.model import Tier
from callflow.web.page import DIRECTORY

_WORDS = (DIRECTORY / "words.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("call", CallState),
        ("operator", OperatorState),
        ("offer", OfferState),
        ("stage", Stage),
        ("party", HangupParty),
        ("reason", QueueReason),
        ("tier", Tier),
        ("alarm", AlarmKind),
        ("refusal", Refusal),
    ],
)
def test_every_value_has_words_when_the_core_can_tell_it(kind: str, values: type[StrEnum]) -> None:
    found = re.search(rf"^  {kind}: \{{(.*?)\}},?$", _WORDS, re.MULTILINE | re.DOTALL)
    assert found is not None
    known = set(re.findall(r"(\w+): \[", found.group(1)))
    assert {value.value for value in values} <= known
