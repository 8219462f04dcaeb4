from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from callflow.cli.diagrams import diagrams
from callflow.core.diagrams import Notation, Table, draw

app = typer.Typer()
app.command()(diagrams)


@pytest.mark.parametrize(
    ("arguments", "table", "notation"),
    [
        ([], Table.CALL, Notation.MERMAID),
        (["offer"], Table.OFFER, Notation.MERMAID),
        (["operator", "--format", "dot"], Table.OPERATOR, Notation.DOT),
    ],
)
def test_drawing_is_printed_as_it_is(arguments: list[str], table: Table, notation: Notation) -> None:
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.output) == (0, draw(table, notation))


def test_exit_code_is_2_when_there_is_no_such_table() -> None:
    assert CliRunner().invoke(app, ["trunk"]).exit_code == 2
