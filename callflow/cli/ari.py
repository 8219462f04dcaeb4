"""`callflow ari`: regenerates the typed protocol from Asterisk's own description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callflow.ari.generate import PROTOCOL, write
from callflow.asterisk.locate import locate

app = typer.Typer(no_args_is_help=True, help="ARI's generated protocol.")


@app.callback()
def _group() -> None:
    """Keep `generate` a command of its own."""


@app.command()
def generate(
    source: Annotated[Path | None, typer.Option("--from", help="A rest-api directory; default: Asterisk's.")] = None,
    out: Annotated[Path, typer.Option(help="Where the protocol is written.")] = PROTOCOL,
) -> None:
    """Write the protocol's modules; names those that changed."""
    changed = write(source or locate().rest_api_dir, out)
    typer.echo(f"changed: {', '.join(changed) or 'none'}")
