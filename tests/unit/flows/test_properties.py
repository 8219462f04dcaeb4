"""What must hold for all documents: reading never fails, and a clean flow never loses a caller.

The walk below is written from the nodes' descriptions in `model.py`, apart from the code that the engine runs.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, example, given, note
from hypothesis import strategies as st

from callflow.flows.canonical import flow_digest, flow_to_mapping
from callflow.flows.default import default_flow_text
from callflow.flows.draw import draw_flow
from callflow.flows.facts import CallFacts, choose
from callflow.flows.model import (
    FALLBACK_QUEUE,
    KEYS,
    Branch,
    End,
    FlowDocument,
    Gather,
    Goto,
    Info,
    Language,
    Medical,
    Menu,
    NodeName,
    Queue,
    Say,
    SeeksPerson,
)
from callflow.flows.parse import parse_flow
from callflow.flows.problems import Problem, ProblemCode
from callflow.flows.text import read_json
from callflow.flows.validate import check_flow

Mapping = dict[str, Any]

# --- reading never fails --------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
WORDS = st.sampled_from(["type", "exits", "prompts", "nodes", "menu", "goto", "when", "cases", "time", "id", "en", "1"])
JSON_VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | WORDS, inner, max_size=6),
    max_leaves=30,
)


def assert_presentable(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        assert isinstance(problem.code, ProblemCode)
        assert len(str(problem)) < 600
        assert problem.message.id != problem.message.en
        json.dumps(problem.to_mapping()).encode()
        str(problem).encode()


@given(st.binary(max_size=200) | st.text(max_size=200))
@example("\ud800")
@example('{"a": 1e400}')
def test_problems_are_named_when_text_is_anything(source: str | bytes) -> None:
    checked = check_flow(source, {})
    assert checked.document is None
    assert checked.problems
    assert_presentable(checked.problems)


@given(JSON_VALUES)
def test_problems_are_named_when_json_is_anything(value: object) -> None:
    checked = check_flow(json.dumps(value), {})
    assert checked.document is None
    assert_presentable(checked.problems)


@given(st.dictionaries(st.sampled_from(["format", "flow", "title", "languages", "start", "nodes"]), JSON_VALUES))
def test_problems_are_named_when_the_fields_hold_anything(value: Mapping) -> None:
    checked = check_flow(value, {})
    assert checked.document is None
    assert_presentable(checked.problems)


@given(st.data())
def test_problems_are_named_or_the_document_is_whole_when_any_value_in_it_is_replaced(data: st.DataObject) -> None:
    document = json.loads(default_flow_text())
    at: Any = document
    for _ in range(data.draw(st.integers(0, 5))):
        inner = [key for key, value in _items(at) if isinstance(value, dict | list)]
        if not inner:
            break
        at = at[data.draw(st.sampled_from(inner))]
    key = data.draw(st.sampled_from([key for key, _ in _items(at)]))
    at[key] = data.draw(JSON_VALUES)
    checked = check_flow(document, None)
    assert (checked.document is None) == bool(checked.problems)
    assert_presentable(checked.problems)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value))


@given(st.binary(max_size=50))
def test_value_or_problem_is_given_when_bytes_are_anything(source: bytes) -> None:
    value, problem = read_json(source)
    assert problem is None or value is None


# --- flows that people might write ----------------------------------------------------------------------------------

TEXT = {"id": "Teks", "en": "Text"}
CONDITIONS = [
    {"caller": "known"},
    {"caller": "unknown"},
    {"caller_prefix": ["+62"]},
    {"time": {"from": "22:00", "to": "06:00"}},
    {"days": ["mon", "sun"]},
    {"language": "id"},
]


@st.composite
def flows(draw: st.DrawFn, *, careful: bool) -> Mapping:
    """A flow of up to ten nodes; a careful writer leads automatic exits onwards and ends calls only where allowed."""
    inner = [f"n{i}" for i in range(draw(st.integers(1, 8)))]
    everywhere = [*inner, "person", "bye"]
    seeks = draw(st.sampled_from([{"type": "queue"}, {"type": "medical", "skill": "health"}]))
    nodes: Mapping = {"person": {**seeks, "tier": "gawat_darurat", "label": TEXT}, "bye": {"type": "end"}}
    kinds = {name: draw(st.sampled_from(["say", "menu", "menu", "gather", "branch", "goto", "info"])) for name in inner}
    if careful and kinds["n0"] == "info":
        kinds["n0"] = "menu"
    for number, name in enumerate(inner):
        ahead = [*(later for later in inner[number + 1 :] if kinds[later] != "info"), "person"]
        nodes[name] = _node(
            draw,
            kinds[name],
            automatic=st.sampled_from(ahead if careful else everywhere),
            chosen=st.sampled_from([*inner, "person"] if careful else everywhere),
            operator=st.sampled_from(["person"] if careful else everywhere),
            end=st.sampled_from(["bye"] if careful else everywhere),
        )
    return {
        "format": 1,
        "flow": "any",
        "title": TEXT,
        "languages": ["id"],
        "start": "n0",
        "step_budget": draw(st.integers(10 if careful else 1, 20)),
        "nodes": _reached(nodes, "n0") if careful else nodes,
    }


def _node(draw: st.DrawFn, kind: str, **to: st.SearchStrategy[str]) -> Mapping:
    prompts = ["greeting"]
    silence = {"timeout_seconds": 3}
    match kind:
        case "say":
            fields: Mapping = {"prompts": prompts}
            exits = {"next": draw(to["automatic"])}
        case "menu":
            fields = {"prompts": prompts, "retry_prompts": prompts, **silence, "attempts": draw(st.integers(1, 3))}
            keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
            exits = {key: draw(to["chosen"]) for key in keys}
            exits |= {"no_input": draw(to["automatic"]), "wrong_key": draw(to["automatic"])}
        case "gather":
            fields = {"prompts": prompts, "max_digits": draw(st.integers(1, 4)), "digit_timeout_seconds": 3, **silence}
            exits = {"done": draw(to["automatic"]), "no_input": draw(to["automatic"])}
        case "branch":
            when = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3))
            fields = {"cases": [{"exit": f"case{i}", "when": condition} for i, condition in enumerate(when)]}
            exits = {f"case{i}": draw(to["automatic"]) for i in range(len(when))}
            exits["otherwise"] = draw(to["automatic"])
        case "goto":
            fields = {}
            exits = {"to": draw(to["automatic"])}
        case _:
            fields = {"prompts": prompts, "offer_prompts": prompts, "end_key": draw(st.sampled_from(KEYS)), **silence}
            exits = {"operator": draw(to["operator"]), "end": draw(to["end"])}
    return {"type": kind, **fields, "exits": exits}


def _reached(nodes: Mapping, start: str) -> Mapping:
    reached: Mapping = {}
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached[name] = nodes[name]
            ahead += nodes[name].get("exits", {}).values()
    return reached


# --- a clean flow never loses a caller ------------------------------------------------------------------------------


@dataclass
class Outcome:
    """Where a walk ended, and what the caller had done by then."""

    at: SeeksPerson | End
    steps: int
    ended_by_key: bool


def walk(document: FlowDocument, keys: st.SearchStrategy[str | None], facts: CallFacts, data: st.DataObject) -> Outcome:
    """One caller's way through the flow, within its step budget."""
    name, steps, ended_by_key, kept = document.start, 0, False, None
    while True:
        if steps == document.step_budget:
            return Outcome(FALLBACK_QUEUE, steps, ended_by_key)
        steps += 1
        node = document.nodes[name]
        exit_name = ""
        match node:
            case Queue() | Medical() | End():
                return Outcome(node, steps, ended_by_key)
            case Say():
                exit_name, kept = "next", kept or data.draw(keys)
            case Goto():
                exit_name = "to"
            case Branch():
                exit_name = choose(node, facts)
            case Menu():
                exit_name = "wrong_key"
                for _ in range(node.attempts):
                    key, kept = kept or data.draw(keys), None
                    if key is None or key in node.on_key:
                        exit_name = key or "no_input"
                        break
            case Gather():
                key, kept = kept or data.draw(keys), None
                exit_name = "no_input" if key is None else "done"
            case Info():
                exit_name = "end" if data.draw(keys) == node.end_key else "operator"
                ended_by_key, kept = exit_name == "end", None
        name = node.exits[exit_name]


FACTS = st.builds(
    CallFacts,
    caller_number=st.none() | st.just("+6281234567890"),
    language=st.just(Language("id")),
    local_time=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(flows(careful=True), FACTS, st.data())
def test_caller_comes_to_a_person_or_a_chosen_end_when_a_clean_flow_is_walked(
    source: Mapping, facts: CallFacts, data: st.DataObject
) -> None:
    checked = check_flow(source, {"id": ["greeting"]})
    assume(checked.document is not None)
    assert checked.document is not None
    outcome = walk(checked.document, st.none() | st.sampled_from(KEYS), facts, data)
    note(str(outcome))
    assert isinstance(outcome.at, SeeksPerson) or outcome.ended_by_key
    assert outcome.steps <= checked.document.step_budget


@given(flows(careful=True), FACTS, st.data())
def test_caller_who_presses_nothing_comes_to_a_queue_of_the_flow_when_it_is_clean(
    source: Mapping, facts: CallFacts, data: st.DataObject
) -> None:
    document = check_flow(source, None).document
    assume(document is not None)
    assert document is not None
    outcome = walk(document, st.none(), facts, data)
    assert isinstance(outcome.at, SeeksPerson)
    assert outcome.at is not FALLBACK_QUEUE


@given(flows(careful=True))
def test_careful_writer_is_told_at_most_of_the_step_budget_when_the_flow_is_long(source: Mapping) -> None:
    found = {problem.code for problem in check_flow(source, None).problems}
    assert found <= {ProblemCode.STEP_BUDGET_TOO_SMALL}


@given(flows(careful=False))
def test_problem_is_named_when_any_caller_could_be_lost(source: Mapping) -> None:
    found = {problem.code for problem in check_flow(source, None).problems}
    assert found >= _ways_to_lose_a_caller(source["nodes"], source["start"], source["step_budget"])


def _ways_to_lose_a_caller(nodes: Mapping, start: str, step_budget: int) -> set[ProblemCode]:
    """An independent look: every way that any caller can go, one exit at a time."""
    ways: set[ProblemCode] = set()
    ahead, seen = [(start, False)], set[tuple[str, bool]]()
    while ahead:
        name, chosen = ahead.pop()
        if (name, chosen) in seen:
            continue
        seen.add((name, chosen))
        kind = nodes[name]["type"]
        if kind == "info" and not chosen:
            ways.add(ProblemCode.INFO_NOT_CHOSEN)
        for exit_name, target in nodes[name].get("exits", {}).items():
            if nodes[target]["type"] == "end" and (kind, exit_name) != ("info", "end"):
                ways.add(ProblemCode.END_NOT_ALLOWED)
            ahead.append((target, _pressed(nodes, name, exit_name) or (chosen and kind in {"say", "goto", "branch"})))
    if any(_comes_back(nodes, name) for name, _ in seen):
        ways.add(ProblemCode.ENDLESS)
    if _longest_path(nodes, start, frozenset()) > step_budget:
        ways.add(ProblemCode.STEP_BUDGET_TOO_SMALL)
    if {name for name, _ in seen} != set(nodes):
        ways.add(ProblemCode.UNREACHABLE)
    return ways


def _pressed(nodes: Mapping, name: str, exit_name: str) -> bool:
    return nodes[name]["type"] == "menu" and len(exit_name) == 1


def _comes_back(nodes: Mapping, name: str) -> bool:
    """Whether a caller who presses nothing comes from this node to it again."""
    ahead, seen = [name], set[str]()
    while ahead:
        here = ahead.pop()
        for exit_name, target in nodes[here].get("exits", {}).items():
            if _pressed(nodes, here, exit_name) or (nodes[here]["type"], exit_name) == ("info", "end"):
                continue
            if target == name:
                return True
            if target not in seen:
                seen.add(target)
                ahead.append(target)
    return False


def _longest_path(nodes: Mapping, name: str, before: frozenset[str]) -> int:
    here = before | {name}
    further = {*nodes[name].get("exits", {}).values()} - here
    return 1 + max((_longest_path(nodes, target, here) for target in further), default=0)


# --- documents that are clean ---------------------------------------------------------------------------------------


@given(flows(careful=True))
def test_document_is_equal_when_written_and_read_again(source: Mapping) -> None:
    document = parse_flow(source).document
    assert document is not None
    again = parse_flow(json.dumps(flow_to_mapping(document))).document
    assert again == document
    assert flow_digest(again) == flow_digest(document)
    assert draw_flow(again) == draw_flow(document)


@pytest.mark.parametrize("name", [NodeName(name) for name in json.loads(default_flow_text())["nodes"]])
def test_problem_is_named_when_any_node_of_the_default_flow_is_taken_away(name: NodeName) -> None:
    source = copy.deepcopy(json.loads(default_flow_text()))
    del source["nodes"][name]
    assert ProblemCode.NO_SUCH_NODE in {problem.code for problem in check_flow(source, None).problems}
