"""Writes a flow document as plain data, and names its version by a digest of that data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import assert_never

import rfc8785

from callflow.flows.model import (
    FORMAT_VERSION,
    Branch,
    CallerKnown,
    CallerPrefix,
    Condition,
    DayOfWeek,
    End,
    FlowDocument,
    Gather,
    Goto,
    Info,
    LanguageIs,
    Medical,
    Menu,
    Node,
    Prompt,
    Queue,
    Say,
    Text,
    TimeOfDay,
)


def flow_to_mapping(document: FlowDocument) -> dict[str, object]:
    """The document as the plain JSON data that `parse.parse_flow` reads back to an equal document."""
    return {
        "format": FORMAT_VERSION,
        "flow": document.flow,
        "title": _text(document.title),
        "languages": list(document.languages),
        "start": document.start,
        "step_budget": document.step_budget,
        "nodes": {name: _node(node) for name, node in document.nodes.items()},
    }


def flow_digest(document: FlowDocument) -> str:
    """The version of the document: SHA-256, in hex, of its canonical JSON (RFC 8785).

    Order of nodes, spaces and the way a number was written make no difference.
    """
    return hashlib.sha256(rfc8785.dumps(flow_to_mapping(document))).hexdigest()  # type: ignore[arg-type]


def _text(text: Text) -> dict[str, object]:
    return {"id": text.id, "en": text.en}


def _prompts(prompts: Sequence[Prompt]) -> list[str]:
    return [str(prompt) for prompt in prompts]


def _node(node: Node) -> dict[str, object]:
    kind: dict[str, object] = {"type": type(node).__name__.lower()}
    exits = {"exits": dict(node.exits)} if node.exits else {}
    return {**kind, **_own_fields(node), **exits}


def _own_fields(node: Node) -> dict[str, object]:
    """The fields that this type of node has beside its type and exits."""
    fields: dict[str, object] = {}
    match node:
        case Say():
            fields = {"prompts": _prompts(node.prompts)}
        case Menu():
            fields = {
                "prompts": _prompts(node.prompts),
                "retry_prompts": _prompts(node.retry_prompts),
                "timeout_seconds": node.timeout_seconds,
                "attempts": node.attempts,
            }
        case Gather():
            fields = {
                "prompts": _prompts(node.prompts),
                "max_digits": node.max_digits,
                **({} if node.terminator is None else {"terminator": node.terminator}),
                "timeout_seconds": node.timeout_seconds,
                "digit_timeout_seconds": node.digit_timeout_seconds,
            }
        case Branch():
            fields = {"cases": [{"exit": case.exit, "when": _conditions(case.when)} for case in node.cases]}
        case Queue():
            skill = {} if node.skill is None else {"skill": node.skill}
            fields = {"tier": node.tier.value, **skill, "label": _text(node.label)}
        case Medical():
            fields = {"tier": node.tier.value, "skill": node.skill, "label": _text(node.label)}
        case Info():
            fields = {
                "prompts": _prompts(node.prompts),
                "offer_prompts": _prompts(node.offer_prompts),
                "end_key": node.end_key,
                "timeout_seconds": node.timeout_seconds,
            }
        case Goto() | End():
            pass
        case _:
            assert_never(node)
    return fields


def _conditions(conditions: Sequence[Condition]) -> dict[str, object]:
    return dict(_condition(condition) for condition in conditions)


def _condition(condition: Condition) -> tuple[str, object]:
    match condition:
        case CallerKnown():
            return "caller", "known" if condition.known else "unknown"
        case CallerPrefix():
            return "caller_prefix", list(condition.prefixes)
        case TimeOfDay():
            return "time", {"from": _clock(condition.from_minute), "to": _clock(condition.to_minute)}
        case DayOfWeek():
            return "days", [day.value for day in condition.days]
        case LanguageIs():
            return "language", condition.language
        case _:
            assert_never(condition)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
