"""The flow's part of the answer time is the longest way of a caller who presses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from callflow.flows.model import FlowDocument
from callflow.flows.parse import parse_flow
from callflow.flows.timing import longest_seconds_without_key

Mapping = dict[str, Any]
SECONDS = {"id/greeting": 3.0, "en/greeting": 2.0, "id/menu": 10.0, "en/menu": 8.0, "id/postcode": 1.0}
SECONDS |= {"en/postcode": 1.5, "id/news": 20.0, "en/news": 18.0, "id/offer": 4.0, "en/offer": 5.0}


def read(source: Mapping) -> FlowDocument:
    document = parse_flow(source).document
    assert document is not None
    return document


def test_longest_way_is_given_when_branches_differ(whole: Mapping) -> None:
    # greeting in the call's language (3 at most) and in English (2), then the menu (10) and its silence (4.5)
    assert longest_seconds_without_key(read(whole), SECONDS) == 3 + 2 + 10 + 4.5


@pytest.mark.parametrize(("start", "seconds"), [("postcode", 1.5 + 5), ("news", 20 + 5 + 4), ("person", 0)])
def test_prompts_and_silence_count_when_a_node_waits(start: str, seconds: float, whole: Mapping) -> None:
    assert longest_seconds_without_key(read({**whole, "start": start}), SECONDS) == seconds


def test_prompt_is_named_when_its_length_is_not_known(whole: Mapping) -> None:
    with pytest.raises(KeyError, match="en/greeting"):
        longest_seconds_without_key(read(whole), {"id/greeting": 3.0, "id/menu": 1.0, "en/menu": 1.0})
