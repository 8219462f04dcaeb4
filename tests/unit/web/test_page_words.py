"""The page has Indonesian words for every value that the core can tell it."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.city import Classification
from callflow.core.facts import HangupParty, PartyKind, QueueReason, Stage
from callflow.core.requests import CallbackAction, CallbackOutcome, TalkAction
from callflow.core.state import SET_ASIDE
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.flows.model import Tier
from callflow.web.lens import _SHOWN
from callflow.web.page import DIRECTORY

_WORDS, _BOARD, _PAGE = (
    (DIRECTORY / name).read_text(encoding="utf-8") for name in ("words.js", "board.js", "index.html")
)


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
        ("classification", Classification),
        ("outcome", CallbackOutcome),
        ("brought", PartyKind),
    ],
)
def test_every_value_has_words_when_the_core_can_tell_it(kind: str, values: type[StrEnum]) -> None:
    found = re.search(rf"^  {kind}: \{{(.*?)\}},?$", _WORDS, re.MULTILINE | re.DOTALL)
    assert found is not None
    known = set(re.findall(r"(\w+): \[", found.group(1)))
    assert {value.value for value in values} <= known


def test_centre_s_own_pause_has_words_when_no_reason_of_the_list_is_it() -> None:
    assert f"{SET_ASIDE}: [" in _WORDS


def test_board_takes_every_fact_when_it_is_told_live() -> None:
    taken = set(re.findall(r"^  ([A-Z]\w+)[(:]", _BOARD, re.MULTILINE))
    shows_nothing = {"RecordingStored", "RecordingMissing", "FlowInForce", "CallerChallenged"}
    assert taken == set(_SHOWN) - shows_nothing


def test_desk_has_a_button_for_each_classification_and_what_is_asked_about_a_call() -> None:
    assert set(re.findall(r'data-classify="(\w+)"', _PAGE)) == set(Classification)
    elsewhere = {TalkAction.END}  # the operator hangs up
    assert set(re.findall(r'data-talk="(\w+)"', _PAGE)) == {"medical", *set(TalkAction) - elsewhere}


def test_callbacks_have_a_button_for_each_action() -> None:
    script = (DIRECTORY / "callbacks.js").read_text(encoding="utf-8")
    assert set(re.findall(r'\], "(\w+)", \(\) =>', script)) == set(CallbackAction)
