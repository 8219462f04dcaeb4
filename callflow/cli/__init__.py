"""The `callflow` command: one module per noun. Data goes to standard output, progress and logs to standard error."""

from __future__ import annotations

import sys

import typer

from callflow.cli import (
    agi,
    ari,
    asterisk,
    audit,
    calls,
    centre,
    db,
    demo,
    diagrams,
    doctor,
    flows,
    prompts,
    run,
    simulate,
    users,
    watchdog,
)
from callflow.errors import CallflowError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="callflow: the open system on which an Indonesian city runs its emergency number 112.",
)
app.command("run")(run.run)
app.command("agi")(agi.agi)
app.command("watchdog")(watchdog.watchdog)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("diagrams")(diagrams.diagrams)
for name, group in {
    "ari": ari.app,
    "asterisk": asterisk.app,
    "audit": audit.app,
    "calls": calls.app,
    "centre": centre.app,
    "db": db.app,
    "flows": flows.app,
    "prompts": prompts.app,
    "simulate": simulate.app,
    "users": users.app,
}.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command; an error of ours is one clear line and exit code 1."""
    try:
        app()
    except CallflowError as error:
        typer.echo(f"callflow: {error}", err=True)
        sys.exit(1)
