"""Draws the three tables of transitions, in Mermaid's or Graphviz's notation: what is drawn is what is decided by."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, assert_never

from callflow.core.states import (
    CALL_TRANSITIONS,
    OFFER_TRANSITIONS,
    OPERATOR_TRANSITIONS,
    CallState,
    OfferState,
    OperatorState,
)


class Table(StrEnum):
    """A table of transitions."""

    CALL = "call"
    OFFER = "offer"
    OPERATOR = "operator"


class Notation(StrEnum):
    """How a drawing is written."""

    MERMAID = "mermaid"
    DOT = "dot"


_TRANSITIONS: Final[Mapping[Table, Mapping[tuple[Any, Any], Any]]] = MappingProxyType(
    {Table.CALL: CALL_TRANSITIONS, Table.OFFER: OFFER_TRANSITIONS, Table.OPERATOR: OPERATOR_TRANSITIONS}
)
_BEGINNINGS: Final[Mapping[Table, StrEnum]] = MappingProxyType(
    {
        Table.CALL: CallState.ARRIVED,
        Table.OFFER: OfferState.RINGING,
        Table.OPERATOR: OperatorState.SIGNED_OUT,
    }
)


def draw(table: Table, notation: Notation) -> str:
    """The drawing's text; triggers that lead from one state to the same other share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, trigger), after in _TRANSITIONS[table].items():
        arrows.setdefault((str(state), str(after)), []).append(str(trigger))
    beginning = str(_BEGINNINGS[table])
    leaving = {before for before, _ in arrows}
    endings = [after for after in dict.fromkeys(after for _, after in arrows) if after not in leaving]
    match notation:
        case Notation.MERMAID:
            return _mermaid(arrows, beginning, endings)
        case Notation.DOT:
            return _dot(table, arrows, beginning, endings)
        case _:
            assert_never(notation)


def _mermaid(arrows: Mapping[tuple[str, str], list[str]], beginning: str, endings: list[str]) -> str:
    lines = ["stateDiagram-v2", f"  [*] --> {beginning}"]
    lines += [f"  {before} --> {after}: {', '.join(triggers)}" for (before, after), triggers in arrows.items()]
    lines += [f"  {ending} --> [*]" for ending in endings]
    return "\n".join(lines) + "\n"


def _dot(table: Table, arrows: Mapping[tuple[str, str], list[str]], beginning: str, endings: list[str]) -> str:
    lines = [f"digraph {table} {{", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines += ["  begin [shape=point];", f"  begin -> {beginning};"]
    lines += [f"  {ending} [peripheries=2];" for ending in endings]
    lines += [f'  {before} -> {after} [label="{", ".join(triggers)}"];' for (before, after), triggers in arrows.items()]
    return "\n".join([*lines, "}"]) + "\n"
