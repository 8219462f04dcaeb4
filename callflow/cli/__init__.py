"""The `callflow` command: one module per noun. Data goes to standard output, progress and logs to standard error."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress

import typer

from callflow.errors import CallflowError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for name in ("run", "demo", "doctor", "diagrams"):
    with suppress(ImportError):
        app.command(name)(getattr(importlib.import_module(f"callflow.cli.{name}"), name))
for name in ("ari", "asterisk", "audit", "calls", "centre", "db", "flows", "prompts", "users"):
    with suppress(ImportError):
        app.add_typer(importlib.import_module(f"callflow.cli.{name}").app, name=name)


def main() -> None:
    """Run the command; an error of ours is one clear line and exit code 1."""
    try:
        app()
    except CallflowError as error:
        typer.echo(f"callflow: {error}", err=True)
        sys.exit(1)
