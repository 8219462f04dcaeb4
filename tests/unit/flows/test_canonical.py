"""A document written out is read back equal, and its version depends on what it says alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callflow.flows.canonical import flow_digest, flow_to_mapping
from callflow.flows.model import FlowDocument
from callflow.flows.parse import parse_flow

Mapping = dict[str, Any]


def read(source: str | Mapping) -> FlowDocument:
    document = parse_flow(source).document
    assert document is not None
    return document


def test_document_is_equal_when_written_and_read_again(whole: Mapping) -> None:
    document = read(whole)
    assert read(flow_to_mapping(document)) == document
    assert flow_to_mapping(document) == whole


def test_optional_fields_stay_away_when_they_were_left_out(whole: Mapping) -> None:
    del whole["nodes"]["person"]["skill"]
    del whole["nodes"]["postcode"]["terminator"]
    assert flow_to_mapping(read(whole)) == whole


def test_version_is_the_same_when_only_the_writing_differs(whole: Mapping) -> None:
    turned = {**whole, "nodes": dict(reversed(whole["nodes"].items()))}
    spaced = json.dumps(turned, indent=4).replace('"timeout_seconds": 5,', '"timeout_seconds": 5.0,')
    assert flow_digest(read(spaced)) == flow_digest(read(whole))
    assert len(flow_digest(read(whole))) == 64


@pytest.mark.parametrize(
    ("node", "field", "value"),
    [
        ("choices", "attempts", 3),
        ("person", "tier", "informasi"),
        ("ambulance", "type", "queue"),
        ("greet", "prompts", ["greeting"]),
    ],
)
def test_version_differs_when_a_field_does(node: str, field: str, value: object, whole: Mapping) -> None:
    before = flow_digest(read(whole))
    whole["nodes"][node][field] = value
    assert flow_digest(read(whole)) != before
