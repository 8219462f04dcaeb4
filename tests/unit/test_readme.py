from __future__ import annotations

from pathlib import Path

import pytest

from callflow.core.diagrams import Notation, Table, draw

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", list(Table))
def test_readme_shows_the_diagram_when_it_is_drawn_from_the_table(table: Table) -> None:
    assert draw(table, Notation.MERMAID).strip() in README
