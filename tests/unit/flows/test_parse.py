"""Every wrong field is named, with its node, its exit and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callflow.flows.model import Branch, Gather, Medical, Menu, Queue, TimeOfDay
from callflow.flows.parse import MAX_NODES, parse_flow
from callflow.flows.problems import Problem, ProblemCode

Mapping = dict[str, Any]


def places(problems: tuple[Problem, ...]) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(problem.code.value, problem.node, problem.exit, problem.field) for problem in problems]


def set_at(document: Mapping, path: str, value: object) -> Mapping:
    *parents, last = path.split("/")
    at: Any = document
    for part in parents:
        at = at[int(part) if part.isdecimal() and isinstance(at, list) else part]
    at[int(last) if isinstance(at, list) else last] = value
    return document


def test_document_is_read_when_every_field_is_right(whole: Mapping) -> None:
    parsed = parse_flow(json.dumps(whole))
    assert parsed.problems == ()
    assert parsed.document is not None
    nodes = {str(name): node for name, node in parsed.document.nodes.items()}
    menu, gather, branch, queue = nodes["choices"], nodes["postcode"], nodes["hours"], nodes["person"]
    assert isinstance(menu, Menu)
    assert (menu.timeout_seconds, menu.attempts) == (4.5, 2)
    assert list(menu.exits) == ["1", "2", "4", "6", "*", "no_input", "wrong_key"]
    assert isinstance(gather, Gather)
    assert (gather.max_digits, gather.terminator) == (5, "#")
    assert isinstance(branch, Branch)
    assert branch.cases[0].when == (TimeOfDay(from_minute=22 * 60, to_minute=6 * 60),)
    assert isinstance(queue, Queue)
    assert queue.exits == {}
    medical = nodes["ambulance"]
    assert isinstance(medical, Medical)
    assert (medical.skill, medical.label.en, dict(medical.exits)) == ("health", "Ambulance", {})


def test_optional_fields_are_none_when_left_out(whole: Mapping) -> None:
    del whole["nodes"]["person"]["skill"]
    del whole["nodes"]["postcode"]["terminator"]
    document = parse_flow(whole).document
    assert document is not None
    nodes = {str(name): node for name, node in document.nodes.items()}
    assert isinstance(nodes["person"], Queue)
    assert nodes["person"].skill is None
    assert isinstance(nodes["postcode"], Gather)
    assert nodes["postcode"].terminator is None


@pytest.mark.parametrize("exits", [{}, {"exits": {}}], ids=["absent", "empty"])
@pytest.mark.parametrize("node", ["person", "ambulance"])
def test_queue_is_read_when_its_exits_are(node: str, exits: Mapping, whole: Mapping) -> None:
    whole["nodes"][node] |= exits
    assert parse_flow(whole).problems == ()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("format", 2, ("bad_value", None, None, "format")),
        ("format", True, ("bad_value", None, None, "format")),
        ("flow", "Not a slug", ("bad_value", None, None, "flow")),
        ("flow", "x" * 1000, ("bad_value", None, None, "flow")),
        ("title", "Title", ("wrong_type", None, None, "title")),
        ("title", None, ("wrong_type", None, None, "title")),
        ("title/id", "", ("bad_value", None, None, "title.id")),
        ("title/id", "two\nlines", ("bad_value", None, None, "title.id")),
        ("title/en", "\ud800", ("bad_value", None, None, "title.en")),
        ("title/fr", "Titre", ("unknown_key", None, None, "title")),
        ("languages", "id", ("wrong_type", None, None, "languages")),
        ("languages", [], ("wrong_length", None, None, "languages")),
        ("languages", ["id", "en", "id"], ("repeated", None, None, "languages")),
        ("languages/1", 7, ("wrong_type", None, None, "languages[2]")),
        ("start", 7, ("wrong_type", None, None, "start")),
        ("step_budget", 0, ("out_of_range", None, None, "step_budget")),
        ("step_budget", 10**400, ("out_of_range", None, None, "step_budget")),
        ("step_budget", 12.5, ("wrong_type", None, None, "step_budget")),
        ("step_budget", True, ("wrong_type", None, None, "step_budget")),
        ("step_budget", float("nan"), ("out_of_range", None, None, "step_budget")),
        ("nodes", [], ("wrong_type", None, None, "nodes")),
        ("nodes", {}, ("wrong_length", None, None, "nodes")),
        ("nodes/hop", 5, ("wrong_type", "hop", None, None)),
        ("nodes/hop/type", "jump", ("unknown_node_type", "hop", None, "type")),
        ("nodes/hop/type", ["goto"], ("unknown_node_type", "hop", None, "type")),
        ("nodes/hop/type", None, ("wrong_type", "hop", None, "type")),
        ("nodes/hop/extra", 1, ("unknown_key", "hop", None, None)),
        ("nodes/hop/exits", ["choices"], ("wrong_type", "hop", None, "exits")),
        ("nodes/hop/exits/to", 5, ("bad_value", "hop", "to", None)),
        ("nodes/hop/exits/then", "choices", ("unknown_exit", "hop", "then", None)),
        ("nodes/greet/prompts", ["Bad Name"], ("bad_value", "greet", None, "prompts[1]")),
        ("nodes/greet/prompts", [], ("wrong_length", "greet", None, "prompts")),
        ("nodes/greet/prompts", ["menu"] * 11, ("wrong_length", "greet", None, "prompts")),
        ("nodes/greet/prompts", ["../../etc/passwd"], ("bad_value", "greet", None, "prompts[1]")),
        ("nodes/choices/timeout_seconds", 1, ("out_of_range", "choices", None, "timeout_seconds")),
        ("nodes/choices/timeout_seconds", 16, ("out_of_range", "choices", None, "timeout_seconds")),
        ("nodes/choices/timeout_seconds", "4", ("wrong_type", "choices", None, "timeout_seconds")),
        ("nodes/choices/attempts", 9, ("out_of_range", "choices", None, "attempts")),
        ("nodes/choices/exits/A", "person", ("unknown_exit", "choices", "A", None)),
        ("nodes/postcode/terminator", "5", ("bad_value", "postcode", None, "terminator")),
        ("nodes/postcode/max_digits", 99, ("out_of_range", "postcode", None, "max_digits")),
        ("nodes/news/end_key", "99", ("bad_value", "news", None, "end_key")),
        ("nodes/person/tier", "urgent", ("bad_value", "person", None, "tier")),
        ("nodes/person/tier", None, ("wrong_type", "person", None, "tier")),
        ("nodes/person/skill", None, ("wrong_type", "person", None, "skill")),
        ("nodes/person/exits", {"next": "bye"}, ("unknown_exit", "person", "next", None)),
        ("nodes/ambulance/skill", "Not a slug", ("bad_value", "ambulance", None, "skill")),
        ("nodes/ambulance/tier", "urgent", ("bad_value", "ambulance", None, "tier")),
        ("nodes/ambulance/destinations", ["118"], ("unknown_key", "ambulance", None, None)),
        ("nodes/ambulance/exits", {"next": "bye"}, ("unknown_exit", "ambulance", "next", None)),
        ("nodes/bye/prompts", ["menu"], ("unknown_key", "bye", None, None)),
        ("nodes/hours/cases", {}, ("wrong_type", "hours", None, "cases")),
        ("nodes/hours/cases/0", 5, ("wrong_type", "hours", None, "cases[1]")),
        ("nodes/hours/cases/0/when", {}, ("wrong_length", "hours", None, "cases[1].when")),
        ("nodes/hours/cases/0/when", 5, ("wrong_type", "hours", None, "cases[1].when")),
        ("nodes/hours/cases/0/when/moon", "full", ("unknown_key", "hours", None, "cases[1].when")),
        ("nodes/hours/cases/0/when/time", "night", ("wrong_type", "hours", None, "cases[1].when.time")),
        ("nodes/hours/cases/0/when/time/from", "25:00", ("bad_value", "hours", None, "cases[1].when.time.from")),
        ("nodes/hours/cases/0/when/time/to", "22:00", ("bad_value", "hours", None, "cases[1].when.time.to")),
        ("nodes/hours/cases/0/exit", "otherwise", ("bad_value", "hours", None, "cases[1].exit")),
        ("nodes/hours/cases/1/exit", "night", ("repeated", "hours", None, "cases")),
        ("nodes/hours/cases/1/when/days", ["sat", "sat"], ("repeated", "hours", None, "cases[2].when.days")),
        ("nodes/hours/cases/1/when/days", ["someday"], ("bad_value", "hours", None, "cases[2].when.days[1]")),
        ("nodes/hours/cases/1/when/days", [6], ("bad_value", "hours", None, "cases[2].when.days[1]")),
        (
            "nodes/hours/cases/2/when/caller_prefix",
            ["tel"],
            ("bad_value", "hours", None, "cases[3].when.caller_prefix[1]"),
        ),
        ("nodes/hours/cases/3/when/caller", "friend", ("bad_value", "hours", None, "cases[4].when.caller")),
        ("nodes/hours/cases/3/when/caller", None, ("wrong_type", "hours", None, "cases[4].when.caller")),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 and value.isprintable() else "",
)
def test_problem_is_named_when_a_field_is_wrong(
    path: str, value: object, expected: tuple[str, str | None, str | None, str | None], whole: Mapping
) -> None:
    parsed = parse_flow(set_at(whole, path, value))
    assert parsed.document is None
    assert expected in places(parsed.problems)


@pytest.mark.parametrize("name", ["format", "flow", "title", "languages", "start", "step_budget", "nodes"])
def test_missing_is_named_when_a_field_of_the_document_is_left_out(name: str, whole: Mapping) -> None:
    del whole[name]
    assert places(parse_flow(whole).problems) == [("missing", None, None, name)]


def test_missing_is_named_once_when_the_type_of_a_node_is_left_out(whole: Mapping) -> None:
    del whole["nodes"]["hop"]["type"]
    assert places(parse_flow(whole).problems) == [("missing", "hop", None, "type")]


@pytest.mark.parametrize("field", ["tier", "skill", "label"])
def test_missing_is_named_when_a_field_of_a_medical_node_is_left_out(field: str, whole: Mapping) -> None:
    del whole["nodes"]["ambulance"][field]
    assert places(parse_flow(whole).problems) == [("missing", "ambulance", None, field)]


def test_missing_exit_is_named_when_any_exit_of_any_node_is_left_out(whole: Mapping) -> None:
    names = [(node, name) for node, value in whole["nodes"].items() for name in value.get("exits", {})]
    assert len(names) == 19
    for node, name in names:
        if len(name) == 1:  # a menu may have any of the keys
            continue
        document = json.loads(json.dumps(whole))
        del document["nodes"][node]["exits"][name]
        assert places(parse_flow(document).problems) == [("missing_exit", node, name, None)]


def test_missing_exit_is_named_when_a_menu_has_no_key(whole: Mapping) -> None:
    whole["nodes"]["choices"]["exits"] = {"no_input": "person", "wrong_key": "person"}
    assert places(parse_flow(whole).problems) == [("missing_exit", "choices", None, "exits")]


def test_all_problems_are_named_when_there_are_many(whole: Mapping) -> None:
    del whole["start"]
    whole["nodes"]["greet"]["prompts"] = 5
    whole["nodes"]["person"]["tier"] = "none"
    whole["nodes"]["choices"]["exits"]["1"] = ""
    assert places(parse_flow(whole).problems) == [
        ("missing", None, None, "start"),
        ("wrong_type", "greet", None, "prompts"),
        ("bad_value", "choices", "1", None),
        ("bad_value", "person", None, "tier"),
    ]


@pytest.mark.parametrize("name", ["Upper", "has space", "x" * 100_000, "\ud800", ""])
def test_name_is_refused_and_shown_short_when_a_node_has_a_bad_one(name: str, whole: Mapping, queue: Mapping) -> None:
    whole["nodes"][name] = queue
    (problem,) = parse_flow(whole).problems
    assert (problem.code, problem.field) == (ProblemCode.BAD_VALUE, "nodes")
    assert len(str(problem)) < 250
    str(problem).encode()


def test_names_are_refused_when_they_are_no_text(whole: Mapping) -> None:
    whole["nodes"][7] = {"type": "end"}
    whole["nodes"]["hop"]["exits"][b"to"] = "person"
    whole["nodes"]["hop"][None] = 1
    assert places(parse_flow(whole).problems) == [
        ("wrong_type", None, None, "nodes"),
        ("unknown_exit", "hop", "no JSON value", None),
        ("unknown_key", "hop", None, None),
    ]


def test_number_of_nodes_is_refused_when_there_are_too_many(whole: Mapping) -> None:
    whole["nodes"] |= {f"extra{i}": {"type": "end"} for i in range(MAX_NODES)}
    assert places(parse_flow(whole).problems) == [("wrong_length", None, None, "nodes")]


@pytest.mark.parametrize("value", [None, 5, 1.5, True, "text", [], [{}]])
def test_wrong_type_is_named_when_the_document_is_no_object(value: object) -> None:
    parsed = parse_flow(json.dumps(value))
    assert parsed.draft is None
    assert places(parsed.problems) == [("wrong_type", None, None, None)]


def test_place_and_message_are_given_in_both_languages_when_printed(whole: Mapping) -> None:
    del whole["nodes"]["choices"]["exits"]["no_input"]
    (problem,) = parse_flow(whole).problems
    assert str(problem).startswith("node 'choices', exit 'no_input': exit 'no_input' is missing; lead it to a node")
    assert problem.to_mapping() == {
        "code": "missing_exit",
        "node": "choices",
        "exit": "no_input",
        "field": None,
        "message": {
            "id": "jalan keluar 'no_input' belum ada; arahkan ke sebuah simpul, agar penelepon tidak ditinggal diam",
            "en": "exit 'no_input' is missing; lead it to a node, or the caller would be left in silence",
        },
    }


def test_place_is_the_document_when_no_node_is_meant(whole: Mapping) -> None:
    whole["step_budget"] = 0
    assert parse_flow(whole).problems[0].place == "document, step_budget"
