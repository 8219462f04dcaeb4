"""`callflow simulate`: what a policy does to callers, before it is used on any."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from callflow.core.city import PrankPolicy
from callflow.simulate.mixes import ASSUMPTIONS, MIXES
from callflow.simulate.pranks import simulate
from callflow.simulate.report import as_document, as_text

app = typer.Typer(no_args_is_help=True, help="Simulations on published figures.")

USUAL_SEED = 112


@app.callback()
def simulations() -> None:
    """Simulations on published figures."""


@app.command("pranks")
def pranks(
    seed: Annotated[int, typer.Option(help="Another seed, another city of the same kind.")] = USUAL_SEED,
    as_json: Annotated[bool, typer.Option("--json", help="All figures and assumptions as JSON.")] = False,
) -> None:
    """What the usual prank policy does on the published mixes: precision, recall, and genuine callers that it hits."""
    policy = PrankPolicy()
    outcomes = [simulate(mix, ASSUMPTIONS, policy, seed) for mix in MIXES]
    if as_json:
        typer.echo(json.dumps(as_document(outcomes, ASSUMPTIONS, policy, seed), indent=2))
    else:
        typer.echo(as_text(outcomes))
