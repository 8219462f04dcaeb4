"""A small flow with every type of node, and ways to change it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

Mapping = dict[str, Any]

_WHOLE: Mapping = {
    "format": 1,
    "flow": "every-node",
    "title": {"id": "Semua simpul", "en": "Every node"},
    "languages": ["id", "en"],
    "start": "greet",
    "step_budget": 12,
    "nodes": {
        "greet": {"type": "say", "prompts": ["greeting", "en/greeting"], "exits": {"next": "hours"}},
        "hours": {
            "type": "branch",
            "cases": [
                {"exit": "night", "when": {"time": {"from": "22:00", "to": "06:00"}}},
                {"exit": "weekend", "when": {"days": ["sat", "sun"], "language": "en"}},
                {"exit": "province", "when": {"caller_prefix": ["+62370", "+62371"]}},
                {"exit": "withheld", "when": {"caller": "unknown"}},
                {"exit": "named", "when": {"caller": "known", "time": {"from": "06:00", "to": "07:30"}}},
            ],
            "exits": {
                "night": "person",
                "weekend": "hop",
                "province": "hop",
                "withheld": "person",
                "named": "choices",
                "otherwise": "choices",
            },
        },
        "hop": {"type": "goto", "exits": {"to": "choices"}},
        "choices": {
            "type": "menu",
            "prompts": ["menu"],
            "retry_prompts": ["wrong_key", "menu"],
            "timeout_seconds": 4.5,
            "attempts": 2,
            "exits": {
                "1": "person",
                "2": "postcode",
                "4": "ambulance",
                "6": "news",
                "*": "greet",
                "no_input": "person",
                "wrong_key": "person",
            },
        },
        "postcode": {
            "type": "gather",
            "prompts": ["postcode"],
            "max_digits": 5,
            "terminator": "#",
            "timeout_seconds": 5,
            "digit_timeout_seconds": 3,
            "exits": {"done": "person", "no_input": "person"},
        },
        "news": {
            "type": "info",
            "prompts": ["news"],
            "offer_prompts": ["offer"],
            "end_key": "9",
            "timeout_seconds": 4,
            "exits": {"operator": "person", "end": "bye"},
        },
        "person": {
            "type": "queue",
            "tier": "gawat_darurat",
            "skill": "health",
            "label": {"id": "Siapa saja", "en": "Anyone"},
        },
        "ambulance": {
            "type": "medical",
            "tier": "gawat_darurat",
            "skill": "health",
            "label": {"id": "Ambulans", "en": "Ambulance"},
        },
        "bye": {"type": "end"},
    },
}
_NAMES = frozenset({"greeting", "menu", "wrong_key", "postcode", "news", "offer"})

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("flows", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("flows")


@pytest.fixture
def whole() -> Mapping:
    """A clean document with every type of node and condition."""
    return copy.deepcopy(_WHOLE)


@pytest.fixture
def prompts() -> dict[str, frozenset[str]]:
    """The prompts that the clean document needs."""
    return {"id": _NAMES, "en": _NAMES}


@pytest.fixture
def queue() -> Mapping:
    return copy.deepcopy(_WHOLE["nodes"]["person"])


@pytest.fixture
def of_nodes(queue: Mapping) -> Callable[..., Mapping]:
    """Makes a document of these nodes, the first of which is the start, and of a queue called `person`."""

    def make(**nodes: Mapping) -> Mapping:
        return {**copy.deepcopy(_WHOLE), "start": next(iter(nodes)), "nodes": {**nodes, "person": queue}}

    return make
