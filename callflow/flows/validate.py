"""Decides whether a flow leads every caller to a person, and names everything that would keep it from that.

What the rules rest on (DOMAIN.md, rule 1; DESIGN.md, Flows): an exit is *chosen* when the caller pressed a menu key
or an information's end key, else it is *automatic*: silence, wrong keys, digits, what is known of the call. Automatic
exits never form a circle, so a caller who does nothing always reaches a queue or the medical branch. A circle that
needs a key each time round (hear it again) is bounded by the step budget, after which a person takes the call.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import networkx as nx

from callflow.flows.model import (
    Branch,
    End,
    FlowDocument,
    Gather,
    Goto,
    Info,
    LanguageIs,
    Menu,
    Node,
    NodeName,
    Prompt,
    Say,
    SeeksPerson,
)
from callflow.flows.parse import Draft, parse_flow
from callflow.flows.problems import Problem, ProblemCode, problem

_MOST_HINTS: Final = 20

AvailablePrompts: TypeAlias = Mapping[str, Collection[str]]
"""The names of the prompts that exist, by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of a whole check.

    Attributes:
        document: None when there is any problem.
        problems: all of them: those of the text first, then those of the flow.
    """

    document: FlowDocument | None
    problems: tuple[Problem, ...]


def check_flow(source: str | bytes | Mapping[str, object], prompts: AvailablePrompts | None) -> Checked:
    """Parse and validate: every problem of the text and, as far as it can be read, of the flow. It never raises.

    Args:
        source: the document.
        prompts: the prompts that exist; None = leave prompts unchecked.
    """
    parsed = parse_flow(source)
    found = parsed.problems if parsed.draft is None else (*parsed.problems, *_problems(parsed.draft, prompts))
    return Checked(document=None if found else parsed.document, problems=found)


def validate_flow(document: FlowDocument, prompts: AvailablePrompts | None) -> tuple[Problem, ...]:
    """Every problem of a parsed document: none means that it may be published."""
    return tuple(_problems(Draft(document=document, unread={}), prompts))


def can_be_followed(document: FlowDocument) -> bool:
    """Whether nobody is lost in a flow that is in force, however it got there: no way leads nowhere or to a hang-up.

    What else may be wrong with it (unreachable nodes, circles, prompts) costs time at most: the step budget ends it.
    """
    if any(_dangling(document, {name: node.exits for name, node in document.nodes.items()})):
        return False
    return all(each.code is not ProblemCode.END_NOT_ALLOWED for each in _endings(document, all_read=True))


def _problems(draft: Draft, prompts: AvailablePrompts | None) -> Iterator[Problem]:
    document = draft.document
    exits = {name: node.exits for name, node in document.nodes.items()} | dict(draft.unread)
    yield from _dangling(document, exits)
    yield from _endings(document, all_read=not draft.unread)
    yield from _information(document)
    yield from _endless(document)
    if document.start in exits:
        graph = _graph(exits)
        yield from _unreachable(document, graph)
        yield from _step_budget(document, graph)
    yield from _languages(document)
    if prompts is not None:
        yield from _missing_prompts(document, prompts)


def _graph(exits: Mapping[NodeName, Mapping[str, NodeName]]) -> nx.DiGraph[NodeName]:
    graph: nx.DiGraph[NodeName] = nx.DiGraph()
    graph.add_nodes_from(exits)
    graph.add_edges_from((name, to) for name, leads in exits.items() for to in leads.values() if to in exits)
    return graph


def _dangling(document: FlowDocument, exits: Mapping[NodeName, Mapping[str, NodeName]]) -> Iterator[Problem]:
    # '' stands for what could not be read, which is a problem already.
    missing = [(name, exit_name, to) for name, leads in exits.items() for exit_name, to in leads.items()]
    missing = [(name, exit_name, to) for name, exit_name, to in missing if to and to not in exits]
    # A look for similar names takes milliseconds: it is worth them for slips of the pen, not for thousands of names.
    hints = {to: _hint(to, exits) for to in {document.start, *(to for _, _, to in missing[:_MOST_HINTS])} - set(exits)}
    if document.start and document.start not in exits:
        yield problem(ProblemCode.NO_SUCH_NODE, field="start", target=document.start, hint=hints[document.start])
    for name, exit_name, to in missing:
        yield problem(ProblemCode.NO_SUCH_NODE, node=name, at_exit=exit_name, target=to, hint=hints.get(to, ""))


def _hint(name: NodeName, names: Collection[NodeName]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" ('{close[0]}'?)" if close else ""


def _endings(document: FlowDocument, *, all_read: bool) -> Iterator[Problem]:
    """A call ends with a person, or at an end that the caller chose."""
    nodes = document.nodes
    if nodes and all_read and not any(isinstance(node, SeeksPerson) for node in nodes.values()):
        yield problem(ProblemCode.NO_QUEUE, field="nodes")
    if isinstance(nodes.get(document.start), End):
        yield problem(ProblemCode.END_NOT_ALLOWED, field="start", target=document.start)
    for name, node in nodes.items():
        for exit_name, target in node.exits.items():
            may_end = isinstance(node, Info) and exit_name == "end"
            ends = isinstance(nodes.get(target), End)
            if ends and not may_end:
                yield problem(ProblemCode.END_NOT_ALLOWED, node=name, at_exit=exit_name, target=target)
            elif may_end and not ends and target in nodes:
                yield problem(ProblemCode.END_EXIT_ELSEWHERE, node=name, at_exit=exit_name, target=target)


def _carries_choice(node: Node) -> bool:
    """Whether a key pressed before this node is still the choice that leads on from it."""
    return isinstance(node, Say | Goto | Branch)


def _information(document: FlowDocument) -> Iterator[Problem]:
    """Information that can end a call is chosen by key, and the operator it offers is there."""
    nodes = document.nodes
    unchosen = _entered_without_key(document)
    for name, node in nodes.items():
        if not isinstance(node, Info):
            continue
        if name in unchosen:
            yield problem(ProblemCode.INFO_NOT_CHOSEN, node=name, source=unchosen[name])
        offered = _settled(document, node.operator)
        for target in (target for target in nodes if target in offered):
            if not isinstance(nodes[target], SeeksPerson | End):
                kind = type(nodes[target]).__name__.lower()
                yield problem(
                    ProblemCode.INFO_WITHOUT_OPERATOR, node=name, at_exit="operator", target=target, kind=kind
                )


def _settled(document: FlowDocument, start: NodeName) -> set[NodeName]:
    """The nodes where a caller who is led on from `start` comes to rest, or has to press something."""
    resting: set[NodeName] = set()
    seen: set[NodeName] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        node = document.nodes.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if _carries_choice(node):
            ahead.extend(node.exits.values())
        else:
            resting.add(name)
    return resting


def _entered_without_key(document: FlowDocument) -> dict[NodeName, str]:
    """The nodes that a caller may enter without a menu key having led there, each with one exit that does it."""
    entered: dict[NodeName, str] = {}
    sources = [("start", document.start)]
    for name, node in document.nodes.items():
        if not _carries_choice(node):
            chosen = set(node.on_key) if isinstance(node, Menu) else set()
            sources += [(f"{name}.{exit_name}", to) for exit_name, to in node.exits.items() if exit_name not in chosen]
    while sources:
        source, name = sources.pop(0)
        node_here = document.nodes.get(name)
        if node_here is None or name in entered:
            continue
        entered[name] = source
        if _carries_choice(node_here):
            sources += [(source, to) for to in node_here.exits.values()]
    return entered


def _automatic(node: Node) -> dict[str, NodeName]:
    """The exits that the caller does not choose."""
    chosen: Collection[str] = node.on_key if isinstance(node, Menu) else ("end",) if isinstance(node, Info) else ()
    return {exit_name: to for exit_name, to in node.exits.items() if exit_name not in chosen}


def _endless(document: FlowDocument) -> Iterator[Problem]:
    """Circles that a caller goes round without choosing to."""
    automatic = {name: _automatic(node) for name, node in document.nodes.items()}
    order = list(automatic)
    circles = [
        sorted(circle, key=order.index)
        for circle in nx.strongly_connected_components(_graph(automatic))
        if len(circle) > 1 or any(to in circle for name in circle for to in automatic[name].values())
    ]
    for circle in sorted(circles, key=lambda names: order.index(names[0])):
        inside = [f"{name}.{e}" for name in circle for e, to in automatic[name].items() if to in circle]
        yield problem(ProblemCode.ENDLESS, node=circle[0], names=", ".join(circle), exits=", ".join(inside))


def _unreachable(document: FlowDocument, graph: nx.DiGraph[NodeName]) -> Iterator[Problem]:
    reached = nx.descendants(graph, document.start) | {document.start}
    for name in graph:
        if name not in reached:
            yield problem(ProblemCode.UNREACHABLE, node=name, start=document.start)


def _step_budget(document: FlowDocument, graph: nx.DiGraph[NodeName]) -> Iterator[Problem]:
    """The budget lets everybody through who goes round no circle.

    The longest such path is hard to find where circles overlap; counting all nodes of a circle is never too few.
    """
    whole = nx.condensation(graph)
    needed: dict[int, int] = {}
    for part in reversed(list(nx.topological_sort(whole))):
        size = len(whole.nodes[part]["members"])
        needed[part] = size + max((needed[after] for after in whole.successors(part)), default=0)
    steps = needed[whole.graph["mapping"][document.start]]
    if steps > document.step_budget:
        yield problem(ProblemCode.STEP_BUDGET_TOO_SMALL, field="step_budget", budget=document.step_budget, needed=steps)


def _prompts_of(node: Node) -> Iterator[tuple[str, Prompt]]:
    """Each prompt of a node with the field it stands in."""
    match node:
        case Say() | Gather():
            fields = {"prompts": node.prompts}
        case Menu():
            fields = {"prompts": node.prompts, "retry_prompts": node.retry_prompts}
        case Info():
            fields = {"prompts": node.prompts, "offer_prompts": node.offer_prompts}
        case _:
            fields = {}
    for field, prompts in fields.items():
        for i, prompt in enumerate(prompts, 1):
            yield f"{field}[{i}]", prompt


def _languages(document: FlowDocument) -> Iterator[Problem]:
    """Only the document's own languages are spoken and asked for."""
    allowed = ", ".join(document.languages)

    def unknown(name: NodeName, field: str, language: str) -> Problem:
        return problem(ProblemCode.LANGUAGE_UNKNOWN, node=name, field=field, language=language, allowed=allowed)

    for name, node in document.nodes.items():
        for field, prompt in _prompts_of(node):
            if prompt.language is not None and prompt.language not in document.languages:
                yield unknown(name, field, prompt.language)
        if isinstance(node, Branch):
            for i, case in enumerate(node.cases, 1):
                for condition in case.when:
                    if isinstance(condition, LanguageIs) and condition.language not in document.languages:
                        yield unknown(name, f"cases[{i}].when.language", condition.language)


def _missing_prompts(document: FlowDocument, available: AvailablePrompts) -> Iterator[Problem]:
    for name, node in document.nodes.items():
        for field, prompt in _prompts_of(node):
            for language in document.languages if prompt.language is None else (prompt.language,):
                if prompt.name not in available.get(language, ()):
                    yield problem(
                        ProblemCode.PROMPT_MISSING, node=name, field=field, prompt=prompt.name, language=language
                    )
