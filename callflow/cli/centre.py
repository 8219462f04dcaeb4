"""`callflow centre`: checks the centre document, and brings it into force without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callflow.centre import load_centre
from callflow.engine.client import EngineClient
from callflow.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The centre document: people, trunks, destinations, queue.")

File = Annotated[Path | None, typer.Argument(help="A centre document; without it the one that the settings name.")]


@app.command()
def check(file: File = None) -> None:
    """Name everything that is wrong with a centre document."""
    path = file or Settings().centre_path
    document = load_centre(path)
    typer.echo(f"{path}: {document.centre.name}: {len(document.operators)} operators, {len(document.trunks)} trunks")


@app.command()
def apply() -> None:
    """Bring the centre document into force: operators and queue at once, endpoints after `asterisk render`."""
    settings = Settings()
    load_centre(settings.centre_path)
    changes = asyncio.run(_apply(settings))
    typer.echo(f"{changes} changes are in force")


async def _apply(settings: Settings) -> int:
    async with EngineClient(settings.engine_socket) as client:
        return await client.apply_centre()
