"""`callflow diagrams`: prints the states of a call, an offer or an operator, drawn from the tables that decide."""

from __future__ import annotations

from typing import Annotated

import typer

from callflow.core.diagrams import Notation, Table, draw


def diagrams(
    table: Annotated[Table, typer.Argument(help="What to draw.")] = Table.CALL,
    notation: Annotated[Notation, typer.Option("--format", help="Mermaid for a README, dot for Graphviz.")] = (
        Notation.MERMAID
    ),
) -> None:
    """Draw the states of a call, an offer or an operator, and what moves them."""
    typer.echo(draw(table, notation), nl=False)
