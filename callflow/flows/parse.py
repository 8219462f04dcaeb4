"""Reads a flow document from JSON and names every problem at once; it never raises, whoever wrote the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callflow.flows.exits import Exits
from callflow.flows.fields import LANGUAGE, NAME, SLUG, Fields, bare, shown
from callflow.flows.model import FORMAT_VERSION, FlowDocument, FlowId, Language, Node, NodeName, Text
from callflow.flows.parse_nodes import read_node
from callflow.flows.problems import Problem, ProblemCode, problem
from callflow.flows.text import read_json

MAX_NODES: Final = 200
MAX_LANGUAGES: Final = 10
MAX_STEP_BUDGET: Final = 100

_VERSION: Final = Text(id=f"versi format, {FORMAT_VERSION}", en=f"the format's version, {FORMAT_VERSION}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What could be understood of a document, right or wrong: it is only good for finding further problems.

    Attributes:
        document: as read; an exit that could not be read leads to ''.
        unread: the exits of the nodes whose type is not known.
    """

    document: FlowDocument
    unread: Mapping[NodeName, Mapping[str, NodeName]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The outcome of parsing.

    Attributes:
        document: None when there is any problem.
        problems: all of them, in the document's order.
        draft: None when not even an object could be read.
    """

    document: FlowDocument | None
    problems: tuple[Problem, ...]
    draft: Draft | None


def parse_flow(source: str | bytes | Mapping[str, object]) -> Parsed:
    """Read a document from JSON text, or from the mapping that such a text holds.

    A clean outcome says that every field is right, not yet that the flow leads everybody to a person: see
    `validate.check_flow`.
    """
    if isinstance(source, Mapping):
        return _parse_value(source)
    value, unreadable = read_json(source)
    if unreadable is not None:
        return Parsed(document=None, problems=(unreadable,), draft=None)
    return _parse_value(value)


def _parse_value(value: object) -> Parsed:
    if not isinstance(value, Mapping):
        expected = Text(id="objek {...}", en="an object {...}")
        wrong = problem(ProblemCode.WRONG_TYPE, found=shown(value), expected=expected)
        return Parsed(document=None, problems=(wrong,), draft=None)
    problems: list[Problem] = []
    draft = _document(Fields(value, problems, node=None, path=""), problems)
    return Parsed(document=None if problems else draft.document, problems=tuple(problems), draft=draft)


def _document(fields: Fields, problems: list[Problem]) -> Draft:
    version = fields.take("format", _VERSION)
    if version is not None and (version != FORMAT_VERSION or isinstance(version, bool)):
        fields.report(ProblemCode.BAD_VALUE, "format", found=shown(version), expected=_VERSION)
    flow = FlowId(fields.string("flow", SLUG))
    title = fields.text("title")
    languages = fields.strings("languages", LANGUAGE, 1, MAX_LANGUAGES)
    fields.distinct("languages", languages)
    start = NodeName(fields.string("start", NAME))
    step_budget = fields.whole("step_budget", 1, MAX_STEP_BUDGET)
    written = fields.inner("nodes")
    named = written.items()
    fields.finish()
    if written.readable and not 1 <= len(named) <= MAX_NODES:
        fields.report(ProblemCode.WRONG_LENGTH, "nodes", found=len(named), least=1, most=MAX_NODES)
    nodes: dict[NodeName, Node] = {}
    unread: dict[NodeName, Mapping[str, NodeName]] = {}
    for name, value in named[:MAX_NODES]:
        read = _node(NodeName(name), value, fields, problems)
        if isinstance(read, Exits):
            unread[NodeName(name)] = read.guessed()
        else:
            nodes[NodeName(name)] = read
    document = FlowDocument(
        flow=flow,
        title=title,
        languages=tuple(Language(language) for language in languages),
        start=start,
        step_budget=step_budget,
        nodes=nodes,
    )
    return Draft(document=document, unread=unread)


def _node(name: NodeName, value: object, document: Fields, problems: list[Problem]) -> Node | Exits:
    place = bare(name)
    if not NAME.pattern.fullmatch(name):
        document.report(ProblemCode.BAD_VALUE, "nodes", found=shown(name), expected=NAME.expected)

    def exits_of(raw: object) -> Exits:
        return Exits(raw, problems, node=place)

    if not isinstance(value, Mapping):
        expected = Text(id="objek {...}", en="an object {...}")
        problems.append(problem(ProblemCode.WRONG_TYPE, node=place, found=shown(value), expected=expected))
        return exits_of(None)
    return read_node(name, Fields(value, problems, node=place, path=""), exits_of)
