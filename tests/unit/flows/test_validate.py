"""Everything that would keep a caller from a person is named with its node and exit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from callflow.flows.parse import parse_flow
from callflow.flows.problems import Problem, ProblemCode
from callflow.flows.validate import check_flow, validate_flow

Mapping = dict[str, Any]
Make = Callable[..., Mapping]
Prompts = dict[str, frozenset[str]]


def problems(document: Mapping) -> list[tuple[str, str | None, str | None]]:
    found = check_flow(document, None).problems
    return [(problem.code.value, problem.node, problem.exit) for problem in found]


def only(document: Mapping) -> Problem:
    (problem,) = check_flow(document, None).problems
    return problem


def say(to: str) -> Mapping:
    return {"type": "say", "prompts": ["news"], "exits": {"next": to}}


def goto(to: str) -> Mapping:
    return {"type": "goto", "exits": {"to": to}}


def menu(no_input: str = "person", wrong_key: str = "person", **keys: str) -> Mapping:
    exits = {key.removeprefix("key"): to for key, to in keys.items()} or {"1": "person"}
    return {
        "type": "menu",
        "prompts": ["menu"],
        "retry_prompts": ["menu"],
        "timeout_seconds": 4,
        "attempts": 2,
        "exits": {**exits, "no_input": no_input, "wrong_key": wrong_key},
    }


def info(operator: str = "person", end: str = "bye") -> Mapping:
    return {
        "type": "info",
        "prompts": ["news"],
        "offer_prompts": ["offer"],
        "end_key": "9",
        "timeout_seconds": 4,
        "exits": {"operator": operator, "end": end},
    }


def gather(done: str = "person", no_input: str = "person") -> Mapping:
    return {
        "type": "gather",
        "prompts": ["postcode"],
        "max_digits": 5,
        "timeout_seconds": 4,
        "digit_timeout_seconds": 3,
        "exits": {"done": done, "no_input": no_input},
    }


def branch(otherwise: str, yes: str) -> Mapping:
    cases = [{"exit": "yes", "when": {"caller": "known"}}]
    return {"type": "branch", "cases": cases, "exits": {"yes": yes, "otherwise": otherwise}}


BYE: Mapping = {"type": "end"}


def test_no_problem_is_named_when_every_path_ends_at_a_person(whole: Mapping, prompts: Prompts) -> None:
    checked = check_flow(json.dumps(whole), prompts)
    assert checked.problems == ()
    assert checked.document is not None
    assert validate_flow(checked.document, prompts) == ()


def test_text_is_refused_when_it_cannot_be_read() -> None:
    checked = check_flow(b"\xff", None)
    assert checked.document is None
    assert [problem.code for problem in checked.problems] == [ProblemCode.NOT_UTF8]


def test_exit_is_named_when_it_leads_nowhere(of_nodes: Make) -> None:
    problem = only(of_nodes(a=menu(key1="persn")))
    assert (problem.code, problem.node, problem.exit) == (ProblemCode.NO_SUCH_NODE, "a", "1")
    assert problem.message.en == "leads to 'persn', which does not exist; name an existing node ('person'?)"


def test_no_name_is_suggested_when_none_is_like_it(of_nodes: Make) -> None:
    assert only(of_nodes(a=menu(key1="zzz"))).message.en.endswith("name an existing node")


def test_only_the_first_names_get_a_suggestion_when_very_many_do_not_exist(of_nodes: Make) -> None:
    found = check_flow(of_nodes(**{f"a{i}": goto(f"persn{i}") for i in range(30)}), None).problems
    missing = [problem.message.en for problem in found if problem.code is ProblemCode.NO_SUCH_NODE]
    assert len(missing) == 30
    assert [message.endswith("('person'?)") for message in missing] == [True] * 20 + [False] * 10


def test_start_is_named_when_it_does_not_exist(of_nodes: Make) -> None:
    problem = only({**of_nodes(a=menu()), "start": "begin"})
    assert (problem.code, problem.node, problem.field) == (ProblemCode.NO_SUCH_NODE, None, "start")


def test_flow_is_refused_when_it_has_no_queue(of_nodes: Make) -> None:
    document = of_nodes(a=menu(no_input="b", wrong_key="b", key1="b"), b=goto("a"))
    del document["nodes"]["person"]
    assert problems(document) == [("no_queue", None, None), ("endless", "a", None)]


def test_no_queue_is_needed_when_every_path_ends_at_the_medical_branch(of_nodes: Make) -> None:
    document = of_nodes(a=menu(no_input="person", key1="person", key6="news"), news=info(), bye=BYE)
    document["nodes"]["person"] = {**document["nodes"]["person"], "type": "medical"}
    assert problems(document) == []


def test_no_queue_is_not_named_when_a_node_could_not_be_read(of_nodes: Make) -> None:
    document = of_nodes(a=goto("person"))
    document["nodes"]["person"]["type"] = "que"
    assert problems(document) == [("unknown_node_type", "person", None)]


@pytest.mark.parametrize(
    ("node", "exit_name"),
    [
        (say("bye"), "next"),
        (goto("bye"), "to"),
        (menu(key3="bye"), "3"),
        (menu(no_input="bye"), "no_input"),
        (menu(wrong_key="bye"), "wrong_key"),
        (gather(done="bye"), "done"),
        (branch("person", "bye"), "yes"),
    ],
)
def test_exit_is_named_when_it_would_hang_up(node: Mapping, exit_name: str, of_nodes: Make) -> None:
    document = of_nodes(a=menu(key1="b"), b=node, bye=BYE)
    assert problems(document) == [("end_not_allowed", "b", exit_name)]


def test_operator_exit_is_named_when_it_would_hang_up(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key6="b"), b=info(operator="bye"), bye=BYE)
    assert problems(document) == [("end_not_allowed", "b", "operator")]


def test_start_is_named_when_it_would_hang_up(of_nodes: Make) -> None:
    assert ("end_not_allowed", None, None) in problems(of_nodes(bye=BYE))


def test_end_exit_is_named_when_it_leads_to_no_end(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key6="b"), b=info(end="person"))
    assert problems(document) == [("end_exit_elsewhere", "b", "end")]


@pytest.mark.parametrize(
    ("nodes", "source"),
    [
        ({"news": info()}, "start"),
        ({"a": say("news"), "news": info()}, "start"),
        ({"a": menu(no_input="news"), "news": info()}, "a.no_input"),
        ({"a": menu(wrong_key="news"), "news": info()}, "a.wrong_key"),
        ({"a": gather(done="news"), "news": info()}, "a.done"),
        ({"a": menu(no_input="b", key6="news"), "b": branch("news", "person"), "news": info()}, "a.no_input"),
        ({"a": menu(no_input="b", key6="b"), "b": goto("news"), "news": info()}, "a.no_input"),
    ],
)
def test_information_is_refused_when_it_was_not_chosen_by_key(nodes: Mapping, source: str, of_nodes: Make) -> None:
    problem = only(of_nodes(**nodes, bye=BYE))
    assert (problem.code, problem.node) == (ProblemCode.INFO_NOT_CHOSEN, "news")
    assert f"(from {source})" in problem.message.en


@pytest.mark.parametrize("between", [say("news"), goto("news"), branch("news", "person")])
def test_information_is_allowed_when_a_key_leads_there_over_other_nodes(between: Mapping, of_nodes: Make) -> None:
    assert problems(of_nodes(a=menu(key6="b"), b=between, news=info(), bye=BYE)) == []


@pytest.mark.parametrize("between", [say("person"), goto("person"), branch("person", "person")])
def test_offered_operator_is_there_when_other_nodes_lead_on_to_the_queue(between: Mapping, of_nodes: Make) -> None:
    assert problems(of_nodes(a=menu(key6="news"), news=info(operator="b"), b=between, bye=BYE)) == []


@pytest.mark.parametrize(
    ("nodes", "target"),
    [
        ({"b": menu()}, "b"),
        ({"b": gather()}, "b"),
        ({"b": branch("person", "c"), "c": menu()}, "c"),
    ],
)
def test_information_is_refused_when_the_offered_operator_is_not_there(
    nodes: Mapping, target: str, of_nodes: Make
) -> None:
    problem = only(of_nodes(a=menu(key6="news"), news=info(operator="b"), **nodes, bye=BYE))
    assert (problem.code, problem.node, problem.exit) == (ProblemCode.INFO_WITHOUT_OPERATOR, "news", "operator")
    assert f"'{target}'" in problem.message.en


def test_information_is_refused_when_its_operator_is_more_information(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key6="news"), news=info(operator="more"), more=info(), bye=BYE)
    assert problems(document) == [("info_without_operator", "news", "operator"), ("info_not_chosen", "more", None)]


@pytest.mark.parametrize(
    ("nodes", "circle", "exits"),
    [
        ({"a": goto("a")}, "a", "a.to"),
        ({"a": menu(no_input="a")}, "a", "a.no_input"),
        ({"a": menu(wrong_key="a")}, "a", "a.wrong_key"),
        ({"a": goto("b"), "b": say("a")}, "a, b", "a.to, b.next"),
        ({"a": menu(no_input="b"), "b": gather(no_input="a")}, "a, b", "a.no_input, b.no_input"),
        ({"a": branch("person", "b"), "b": goto("a")}, "a, b", "a.yes, b.to"),
        ({"a": menu(key6="b"), "b": say("b")}, "b", "b.next"),
    ],
)
def test_circle_is_named_when_a_caller_who_presses_nothing_never_leaves_it(
    nodes: Mapping, circle: str, exits: str, of_nodes: Make
) -> None:
    document = of_nodes(**nodes)
    endless = [p for p in check_flow(document, None).problems if p.code is ProblemCode.ENDLESS]
    assert [problem.message.en for problem in endless] == [
        f"a caller who presses nothing goes round {circle} without end; lead one of these exits to a queue: {exits}"
    ]


def test_each_circle_is_named_in_the_order_of_the_document_when_there_are_two(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key1="b", key2="d"), b=goto("c"), c=goto("b"), d=goto("d"))
    assert problems(document) == [("endless", "b", None), ("endless", "d", None)]


def test_circle_is_allowed_when_each_round_takes_a_key(of_nodes: Make) -> None:
    assert problems(of_nodes(a=menu(key1="b", key2="person"), b=say("a"))) == []


def test_node_is_named_when_nobody_can_get_there(of_nodes: Make) -> None:
    problem = only(of_nodes(a=menu(), lonely=say("person")))
    assert (problem.code, problem.node) == (ProblemCode.UNREACHABLE, "lonely")
    assert "from the start node 'a'" in problem.message.en


def test_node_counts_as_reached_when_a_node_of_unknown_type_leads_there(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key1="b"), b=say("c"), c=say("person"))
    document["nodes"]["b"]["type"] = "speak"
    assert problems(document) == [("unknown_node_type", "b", None)]


@pytest.mark.parametrize(
    ("nodes", "needed"),
    [
        ({"a": goto("person")}, 2),
        ({"a": say("b"), "b": say("c"), "c": menu()}, 4),
        ({"a": branch("b", "person"), "b": say("c"), "c": menu()}, 4),
        ({"a": menu(key1="b"), "b": menu(key1="a", key2="c"), "c": menu()}, 4),
    ],
)
def test_step_budget_is_refused_when_the_longest_path_needs_more(nodes: Mapping, needed: int, of_nodes: Make) -> None:
    assert problems({**of_nodes(**nodes), "step_budget": needed}) == []
    problem = only({**of_nodes(**nodes), "step_budget": needed - 1})
    assert (problem.code, problem.field) == (ProblemCode.STEP_BUDGET_TOO_SMALL, "step_budget")
    assert f"write at least {needed}" in problem.message.en


def test_prompt_is_named_when_it_does_not_exist_in_a_language(whole: Mapping, prompts: Prompts) -> None:
    prompts["en"] -= {"menu", "offer", "postcode"}
    prompts["id"] -= {"greeting"}
    found = check_flow(whole, prompts).problems
    assert {problem.code for problem in found} == {ProblemCode.PROMPT_MISSING}
    assert [(problem.node, problem.field) for problem in found] == [
        ("greet", "prompts[1]"),
        ("choices", "prompts[1]"),
        ("choices", "retry_prompts[2]"),
        ("postcode", "prompts[1]"),
        ("news", "offer_prompts[1]"),
    ]
    assert found[0].message.en.startswith("prompt 'greeting' does not exist in language 'id'")


def test_every_prompt_is_named_when_a_language_has_none(whole: Mapping, prompts: Prompts) -> None:
    found = check_flow(whole, {"id": prompts["id"]}).problems
    assert {problem.message.en.split("'")[3] for problem in found} == {"en"}
    assert len(found) == 8


def test_language_is_named_when_the_document_does_not_have_it(whole: Mapping, prompts: Prompts) -> None:
    whole["languages"] = ["id"]
    found = check_flow(whole, prompts).problems
    assert [(problem.code, problem.node, problem.field) for problem in found] == [
        (ProblemCode.LANGUAGE_UNKNOWN, "greet", "prompts[2]"),
        (ProblemCode.LANGUAGE_UNKNOWN, "hours", "cases[2].when.language"),
    ]


def test_problems_of_text_and_flow_are_named_together_when_both_are_there(whole: Mapping, prompts: Prompts) -> None:
    nodes = whole["nodes"]
    del nodes["choices"]["exits"]["no_input"]
    nodes["choices"]["timeout_seconds"] = 99
    nodes["greet"]["exits"]["next"] = "nowhere"
    nodes["postcode"]["exits"]["done"] = "bye"
    nodes["lonely"] = goto("lonely")
    whole["start"] = "choices"
    found = check_flow(whole, {"id": prompts["id"], "en": prompts["en"] - {"offer"}})
    assert found.document is None
    assert sorted((p.code.value, p.node or "", p.exit or "") for p in found.problems) == [
        ("end_not_allowed", "postcode", "done"),
        ("endless", "lonely", ""),
        ("missing_exit", "choices", "no_input"),
        ("no_such_node", "greet", "next"),
        ("out_of_range", "choices", ""),
        ("prompt_missing", "news", ""),
        ("unreachable", "hop", ""),
        ("unreachable", "hours", ""),
        ("unreachable", "lonely", ""),
    ]
    assert parse_flow(whole).document is None


def test_information_offer_to_nowhere_is_named_once_when_the_queue_does_not_exist(of_nodes: Make) -> None:
    document = of_nodes(a=menu(key6="news"), news=info(operator="nobody"), bye=BYE)
    assert problems(document) == [("no_such_node", "news", "operator")]
