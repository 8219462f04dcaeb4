from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.ari.messages import Answer, Unusable, read_message
from callflow.ari.protocol.event_types import EVENTS, Event
from callflow.ari.unwanted import UNWANTED_EVENTS

from .samples import EVENT_CLASSES, full_sample, is_required, json_name, sample

KINDS = sorted(EVENTS.keys() - {"RESTResponse"})  # that one is no event: it answers a request of ours
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", KINDS)
def test_event_is_read_when_only_what_is_required_is_there(kind: str) -> None:
    read = read_message(json.dumps(sample(EVENT_CLASSES[kind])))
    assert type(read) is EVENT_CLASSES[kind]
    assert read.type == kind


@pytest.mark.parametrize("kind", KINDS)
def test_event_is_read_when_everything_is_there(kind: str) -> None:
    read = read_message(json.dumps(full_sample(EVENT_CLASSES[kind])).encode())
    assert type(read) is EVENT_CLASSES[kind]
    assert None not in [getattr(read, field.name) for field in dataclasses.fields(read)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, json_name(field))
        for kind, described in sorted(EVENT_CLASSES.items())
        if kind in KINDS
        for field in dataclasses.fields(described)
        if is_required(field) and field.name != "type"
    ],
)
def test_field_is_named_when_it_is_missing(kind: str, name: str) -> None:
    raw = sample(EVENT_CLASSES[kind])
    del raw[name]
    assert read_message(json.dumps(raw)) == Unusable(kind=kind, why=f"field {name}")


@pytest.mark.parametrize("channel", [{}, [], "x", 7, {"id": 7}])
def test_event_is_unusable_when_its_channel_is_none(channel: object) -> None:
    read = read_message(json.dumps(sample(EVENT_CLASSES["StasisEnd"]) | {"channel": channel}))
    assert isinstance(read, Unusable)
    assert read.why.startswith("field ")


def test_time_is_utc_when_asterisk_tells_its_own_zone() -> None:
    read = read_message(json.dumps(sample(EVENT_CLASSES["StasisEnd"])))
    assert isinstance(read, Event)
    assert read.timestamp.isoformat() == "2026-01-05T01:00:00.123000+00:00"


@pytest.mark.parametrize(
    ("frame", "kind", "why"),
    [
        (b"\xff\xfe\xfd", "", "no JSON"),
        ("", "", "no JSON"),
        ("[" * 100_000, "", "no JSON"),
        ("[]", "", "no type"),
        ('{"type": 7}', "", "no type"),
        ('{"type": "Tomorrow"}', "Tomorrow", "unknown type"),
        (json.dumps({"type": "T" * 4096}), "T" * 64, "unknown type"),
        ('{"type": "RESTResponse"}', "RESTResponse", "malformed"),
    ],
)
def test_frame_is_unusable_with_its_reason_when_it_is_no_event(frame: str | bytes, kind: str, why: str) -> None:
    assert read_message(frame) == Unusable(kind=kind, why=why)


@pytest.mark.parametrize("offset", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05T08:00:00"])
def test_event_is_unusable_when_its_time_cannot_be_told_in_utc(offset: str) -> None:
    raw = sample(EVENT_CLASSES["StasisEnd"]) | {"timestamp": offset}
    assert read_message(json.dumps(raw)) == Unusable(kind="StasisEnd", why="field timestamp")


def answer(**fields: Any) -> dict[str, Any]:
    return {"type": "RESTResponse", "request_id": "3", "status_code": 200, "reason_phrase": "OK"} | fields


def test_answer_is_read_with_its_body_and_without() -> None:
    assert read_message(json.dumps(answer(message_body='{"id": "x"}'))) == Answer(
        request="3", status=200, reason="OK", body={"id": "x"}
    )
    assert read_message(json.dumps(answer(message_body=""))) == Answer(request="3", status=200, reason="OK", body=None)


@pytest.mark.parametrize(
    "fields",
    [{"message_body": "{"}, {"message_body": "[" * 100_000}, {"status_code": float("inf")}, {"status_code": []}],
)
def test_answer_is_unusable_when_it_is_no_answer(fields: dict[str, Any]) -> None:
    assert read_message(json.dumps(answer(**fields))) == Unusable(kind="RESTResponse", why="malformed")


@given(st.binary() | st.text())
def test_reading_never_raises_whatever_the_frame_is(frame: str | bytes) -> None:
    assert isinstance(read_message(frame), Unusable)


@given(st.sampled_from(sorted({*EVENTS, "RESTResponse"})), st.dictionaries(st.text(), JSON), st.data())
def test_reading_never_raises_whatever_an_events_fields_are(
    kind: str, extra: dict[str, Any], data: st.DataObject
) -> None:
    raw = answer() if kind == "RESTResponse" else full_sample(EVENT_CLASSES[kind])
    spoilt = data.draw(st.dictionaries(st.sampled_from(sorted(set(raw) - {"type"})), JSON, max_size=3))
    read = read_message(json.dumps(extra | raw | spoilt))
    assert isinstance(read, Event | Answer | Unusable)


def test_every_unwanted_event_is_one_that_asterisk_has() -> None:
    assert set(UNWANTED_EVENTS) <= EVENTS.keys()
