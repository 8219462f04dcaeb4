"""`callflow asterisk …`: which Asterisk is used, its private installation, and its rendered configuration."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from callflow.app import run_until_signalled
from callflow.asterisk.errors import NoAsterisk
from callflow.asterisk.install import ensure_root
from callflow.asterisk.locate import PRIVATE_ROOT, Installation, locate
from callflow.asterisk.render import render as render_configuration
from callflow.asterisk.server import PrivateServer
from callflow.centre import load_centre
from callflow.centre.in_force import CentreInForce
from callflow.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The Asterisk that callflow drives.")

AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on standard output.")]


@app.command()
def render(
    out: Annotated[
        Path | None,
        typer.Option(help="Directory to write to, for example /etc/asterisk. Default: DATA_DIR/asterisk/etc."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write Asterisk's configuration from the centre document; makes each missing secret once, prints none."""
    settings = Settings()
    rendered = render_configuration(settings, load_centre(settings.centre_path), locate(), out=out)
    if as_json:
        facts = {"etc": str(rendered.etc_dir), "files": rendered.files, "changed": rendered.changed}
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{len(rendered.files)} files in {rendered.etc_dir}, changed: {', '.join(rendered.changed) or 'none'}")
    if rendered.changed:
        typer.echo("A running Asterisk takes them with: core reload (transports and modules: core restart gracefully)")


@app.command()
def run() -> None:
    """Render the configuration and run Asterisk on it in the foreground, for systemd; it ends on SIGTERM."""
    settings = Settings()
    os.umask(0o077)  # its recordings and logs are nobody else's on this machine
    centre, installation = CentreInForce.of(settings).document, locate()
    rendered = render_configuration(settings, centre, installation)
    run_until_signalled(_serve(PrivateServer(settings, installation, rendered)))


async def _serve(server: PrivateServer) -> None:
    async with server:
        typer.echo(f"Asterisk runs (process {server.pid}); its log: {server.rendered.log}", err=True)
        raise typer.Exit(await server.wait())


@app.command()
def install(
    root: Annotated[Path, typer.Option(help="Where the private Asterisk goes.")] = PRIVATE_ROOT,
    as_json: AsJson = False,
) -> None:
    """Make a private Asterisk, unless this machine has a good one of its own already."""
    _tell(_ready(root), as_json)


@app.command()
def where(as_json: AsJson = False) -> None:
    """Say which Asterisk is used and how it is started."""
    _tell(locate(), as_json)


def _ready(root: Path) -> Installation:
    if root == PRIVATE_ROOT:
        try:
            return locate()
        except NoAsterisk:
            pass
    return ensure_root(root, progress=lambda line: typer.echo(f"  {line}", err=True))


def _tell(installation: Installation, as_json: bool) -> None:
    if as_json:
        facts = {
            "version": str(installation.version),
            "start": installation.start,
            "root": str(installation.root) if installation.root else None,
        }
        typer.echo(json.dumps(facts))
    else:
        typer.echo(
            f"Asterisk {installation.version}, {installation.root or 'the system itself'}, by {installation.start}"
        )
