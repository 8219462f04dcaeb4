"""Hostile text is answered with a problem, never with an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callflow.flows.parse import parse_flow
from callflow.flows.problems import ProblemCode
from callflow.flows.text import MAX_DOCUMENT_BYTES, JsonObject, read_json


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", ProblemCode.NOT_JSON),
        ("", ProblemCode.NOT_JSON),
        (b"{", ProblemCode.NOT_JSON),
        (b"{} {}", ProblemCode.NOT_JSON),
        (b'{"a": 1,}', ProblemCode.NOT_JSON),
        (b"\xff\xfe{\x00}\x00", ProblemCode.NOT_UTF8),
        (b'{"a": "\xed\xa0\x80"}', ProblemCode.NOT_UTF8),
        (b"[" * 100_000, ProblemCode.TOO_DEEP),
        (b'{"a":' * 40_000, ProblemCode.TOO_DEEP),
        (b" " * (MAX_DOCUMENT_BYTES + 1), ProblemCode.TOO_LARGE),
    ],
)
def test_problem_is_named_when_text_is_no_document(source: str | bytes, code: ProblemCode) -> None:
    value, problem = read_json(source)
    assert value is None
    assert problem is not None
    assert problem.code is code


def test_line_and_column_are_named_when_json_is_broken() -> None:
    _, problem = read_json('{\n  "a": }')
    assert problem is not None
    assert problem.message.en.startswith("line 2, column 8 is not valid JSON")


def test_text_is_read_when_it_begins_with_a_byte_order_mark() -> None:
    assert read_json(b"\xef\xbb\xbf{}") == ({}, None)


def test_first_value_and_name_are_kept_when_a_key_stands_twice() -> None:
    value, _ = read_json('{"a": 1, "b": 2, "a": 3, "a": 4}')
    assert isinstance(value, JsonObject)
    assert value == {"a": 1, "b": 2}
    assert value.duplicates == ("a",)


def test_duplicates_are_named_with_their_place_when_keys_stand_twice(whole: dict[str, Any]) -> None:
    text = json.dumps(whole)
    text = text.replace('"format": 1', '"format": 1, "format": 1')
    text = text.replace('"hop": {"type": "goto"', '"hop": {"type": "end"}, "hop": {"type": "goto", "type": "end"')
    text = text.replace('"no_input": "person", "wrong_key"', '"no_input": "person", "no_input": "bye", "wrong_key"')
    found = [(p.node, p.exit, p.field) for p in parse_flow(text).problems if p.code is ProblemCode.DUPLICATE_KEY]
    assert found == [(None, None, "nodes"), (None, None, None), ("choices", "no_input", None)]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 5000])
def test_field_is_named_when_its_number_is_none_that_anybody_needs(number: str, whole: dict[str, Any]) -> None:
    text = json.dumps(whole).replace('"step_budget": 12', f'"step_budget": {number}')
    assert [problem.field for problem in parse_flow(text).problems] == ["step_budget"]
