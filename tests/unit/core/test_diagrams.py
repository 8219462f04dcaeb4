from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from callflow.core.diagrams import Notation, Table, draw
from callflow.core.states import CALL_TRANSITIONS, OFFER_TRANSITIONS, OPERATOR_TRANSITIONS

TRANSITIONS: dict[Table, Mapping[tuple[Any, Any], Any]] = {
    Table.CALL: CALL_TRANSITIONS,
    Table.OFFER: OFFER_TRANSITIONS,
    Table.OPERATOR: OPERATOR_TRANSITIONS,
}
ARROW = {
    Notation.MERMAID: re.compile(r"^  (\w+) --> (\w+): (.+)$", re.MULTILINE),
    Notation.DOT: re.compile(r'^  (\w+) -> (\w+) \[label="(.+)"\];$', re.MULTILINE),
}


@pytest.mark.parametrize("notation", Notation)
@pytest.mark.parametrize("table", Table)
def test_drawing_shows_every_move_of_the_table_and_no_other(table: Table, notation: Notation) -> None:
    drawn = {
        (before, trigger, after)
        for before, after, triggers in ARROW[notation].findall(draw(table, notation))
        for trigger in triggers.split(", ")
    }
    assert drawn == {(str(s), str(t), str(after)) for (s, t), after in TRANSITIONS[table].items()}


def test_drawing_in_mermaid_marks_where_an_offer_begins_and_ends() -> None:
    assert draw(Table.OFFER, Notation.MERMAID) == (
        "stateDiagram-v2\n"
        "  [*] --> ringing\n"
        "  ringing --> answered: picked_up\n"
        "  ringing --> declined: refused\n"
        "  ringing --> timed_out: rang_out\n"
        "  ringing --> withdrawn: taken_back\n"
        "  answered --> [*]\n"
        "  declined --> [*]\n"
        "  timed_out --> [*]\n"
        "  withdrawn --> [*]\n"
    )


def test_drawing_in_dot_marks_where_a_call_begins_and_ends() -> None:
    drawing = draw(Table.CALL, Notation.DOT)
    assert "  begin -> arrived;\n" in drawing
    assert "  ended [peripheries=2];\n" in drawing
    assert drawing.startswith("digraph call {\n")
    assert drawing.endswith("}\n")


def test_operator_never_ends() -> None:
    assert "--> [*]" not in draw(Table.OPERATOR, Notation.MERMAID)
