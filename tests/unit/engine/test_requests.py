"""What people ask, read from the port's JSON bodies: every verb's event, and what is wrong with a body that is none."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.city import Classification
from callflow.core.events import Event
from callflow.core.ids import CallId, OperatorId, RequestId
from callflow.core.requests import (
    CallbackAction,
    CallbackOutcome,
    CallbackRequested,
    ClassificationRequested,
    PauseRequested,
    ResumeRequested,
    SignInRequested,
    SignOutRequested,
    TalkAction,
    TalkRequested,
)
from callflow.engine.requests import REQUESTS, MalformedRequest, read_request

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
R = RequestId("r1")
SITI, C1 = OperatorId("siti"), CallId("c1")


def read(verb: str, **fields: Any) -> Event:
    return read_request(verb, {"verb": verb, **fields}, AT, R)


@pytest.mark.parametrize(
    ("verb", "fields", "event"),
    [
        ("sign_in", {"operator": "siti"}, SignInRequested(at=AT, request=R, operator=SITI)),
        (
            "sign_out",
            {"operator": "siti", "approved_by": "wati"},
            SignOutRequested(at=AT, request=R, operator=SITI, approved_by="wati"),
        ),
        (
            "pause",
            {"operator": "siti", "reason": "makan", "approved_by": None},
            PauseRequested(at=AT, request=R, operator=SITI, reason="makan"),
        ),
        ("pause", {"operator": "siti"}, PauseRequested(at=AT, request=R, operator=SITI, reason="")),
        ("resume", {"operator": "siti"}, ResumeRequested(at=AT, request=R, operator=SITI)),
        (
            "talk",
            {"operator": "siti", "action": "join", "target": "medical", "by": "wati"},
            TalkRequested(at=AT, request=R, operator=SITI, action=TalkAction.JOIN, target="medical", by="wati"),
        ),
        (
            "talk",
            {"operator": "siti", "action": "leave"},
            TalkRequested(at=AT, request=R, operator=SITI, action=TalkAction.LEAVE),
        ),
        (
            "classify",
            {"by": "siti", "classification": "prank", "operator": "siti"},
            ClassificationRequested(at=AT, request=R, classification=Classification.PRANK, by="siti", operator=SITI),
        ),
        (
            "classify",
            {"by": "wati", "classification": "normal", "call": "c1"},
            ClassificationRequested(at=AT, request=R, classification=Classification.NORMAL, by="wati", call=C1),
        ),
        (
            "callback",
            {"by": "siti", "action": "dial", "operator": "siti"},
            CallbackRequested(at=AT, request=R, action=CallbackAction.DIAL, operator=SITI, by="siti"),
        ),
        (
            "callback",
            {"by": "wati", "action": "close", "callback": "c1", "outcome": "not_needed"},
            CallbackRequested(
                at=AT,
                request=R,
                action=CallbackAction.CLOSE,
                operator=None,
                by="wati",
                callback=C1,
                outcome=CallbackOutcome.NOT_NEEDED,
            ),
        ),
    ],
)
def test_event_says_what_the_body_asks_for(verb: str, fields: dict[str, Any], event: Event) -> None:
    assert read(verb, **fields) == event


@pytest.mark.parametrize(
    ("verb", "fields", "field", "problem"),
    [
        ("sign_in", {}, "operator", "is missing"),
        ("sign_in", {"operator": ""}, "operator", "is missing"),
        ("sign_in", {"operator": 7}, "operator", "is no text"),
        ("pause", {"operator": "siti", "reason": ["makan"]}, "reason", "is no text"),
        ("talk", {"operator": "siti"}, "action", "is missing"),
        ("talk", {"operator": "siti", "action": "shout"}, "action", "is none of: join, consult, merge"),
        ("talk", {"operator": "siti", "action": "join", "target": 110}, "target", "is no text"),
        ("classify", {"by": "siti", "classification": "boring"}, "classification", "is none of: normal, ghost"),
        ("classify", {"classification": "prank"}, "by", "is missing"),
        ("callback", {"by": "siti", "action": "ignore"}, "action", "is none of: take, dial, close"),
        ("callback", {"by": "siti", "action": "close", "outcome": "?"}, "outcome", "is none of: reached"),
    ],
)
def test_field_and_fault_are_named_when_a_body_is_wrong(
    verb: str, fields: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(MalformedRequest) as wrong:
        read(verb, **fields)
    assert wrong.value.field == field
    assert problem in wrong.value.problem
    assert str(wrong.value).startswith(f"{verb}: field '{field}' {problem}")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
_FIELDS = ("operator", "action", "target", "by", "classification", "call", "callback", "outcome", "reason")


@settings(deadline=None)
@given(verb=st.sampled_from(sorted(REQUESTS)), fields=st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_nothing_else_is_raised_when_a_body_is_anything(verb: str, fields: dict[str, Any]) -> None:
    with suppress(MalformedRequest):
        assert read_request(verb, fields, AT, R).at == AT
