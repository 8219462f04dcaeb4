"""Draws a flow as a Mermaid flowchart; the same document always gives the same text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from callflow.flows.model import (
    Branch,
    End,
    FlowDocument,
    Gather,
    Goto,
    Info,
    Medical,
    Menu,
    Node,
    NodeName,
    Prompt,
    Queue,
    Say,
)

_OUTLINES: Final[Mapping[type[Node], tuple[str, str]]] = {
    Say: ("[", "]"),
    Menu: ("{{", "}}"),
    Gather: ("[/", "/]"),
    Branch: ("{", "}"),
    Queue: ("([", "])"),
    Medical: ("[/", "\\]"),
    Info: ("[[", "]]"),
    Goto: (">", "]"),
    End: ("(((", ")))"),
}
"""The outline of each type of node in Mermaid's notation."""

# Mermaid's own escapes: a quotation mark would end the label, '#' begins an escape, '<' a tag.
_ESCAPES: Final = str.maketrans({'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;"})


def draw_flow(document: FlowDocument) -> str:
    """The flowchart's text. Exits of a node that lead to the same place share an arrow."""
    lines = [
        "---",
        # A JSON string is a YAML string.
        f"title: {json.dumps(f'{document.title.id} / {document.title.en}', ensure_ascii=False)}",
        "---",
        "flowchart TD",
        '  caller(("112"))',
        f"  caller --> {_id(document.start)}",
    ]
    for node in document.nodes.values():
        left, right = _OUTLINES[type(node)]
        lines.append(f"  {_id(node.name)}{left}{_quoted(*_described(node))}{right}")
    for node in document.nodes.values():
        arrows: dict[NodeName, list[str]] = {}
        for exit_name, target in node.exits.items():
            arrows.setdefault(target, []).append(exit_name)
        for target, names in arrows.items():
            lines.append(f"  {_id(node.name)} -->|{_quoted(', '.join(names))}| {_id(target)}")
    return "\n".join(lines) + "\n"


def _id(name: NodeName) -> str:
    # Prefixed: Mermaid takes a node called 'end' for the end of the drawing.
    return f"n_{name}"


def _quoted(*lines: str) -> str:
    """The lines as one label."""
    return '"' + "<br/>".join(line.translate(_ESCAPES) for line in lines) + '"'


def _described(node: Node) -> list[str]:
    """The lines inside a node's outline."""
    lines = [f"{node.name} ({type(node).__name__.lower()})"]
    match node:
        case Say() | Gather():
            lines.append(_names(node.prompts))
        case Menu():
            lines += [_names(node.prompts), f"{node.timeout_seconds:g} s, {node.attempts} x"]
        case Info():
            lines += [_names(node.prompts), f"{node.end_key} = end"]
        case Queue() | Medical():
            lines += [f"{node.label.id} / {node.label.en}", node.tier.value]
            if node.skill is not None:
                lines.append(f"skill {node.skill}")
        case _:
            pass
    return lines


def _names(prompts: tuple[Prompt, ...]) -> str:
    return ", ".join(str(prompt) for prompt in prompts)
