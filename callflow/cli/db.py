"""`callflow db`: moves the database between revisions, and says at which it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from callflow.settings import Settings
from callflow.storage import migrations
from callflow.storage.errors import DatabaseUnavailable

app = typer.Typer(help="The database's revisions.", no_args_is_help=True)

_T = TypeVar("_T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def upgrade(revision: Annotated[str, typer.Argument(help="A revision; without one the newest.")] = "head") -> None:
    """Bring the database forward. Run again, it changes nothing."""
    url = Settings().database
    before = _run(migrations.current_revision(url))
    _run(migrations.upgrade(url, revision))
    _tell(before, _run(migrations.current_revision(url)))


@app.command()
def downgrade(revision: Annotated[str, typer.Argument(help="A revision, or 'base': drops every table.")]) -> None:
    """Bring the database back. What the older revision has no place for is lost; the journal keeps it."""
    url = Settings().database
    before = _run(migrations.current_revision(url))
    _run(migrations.downgrade(url, revision))
    _tell(before, _run(migrations.current_revision(url)))


@app.command()
def current(as_json: AsJson = False) -> None:
    """Say at which revision the database is; exit code 1 when it is not the newest."""
    at = _run(migrations.current_revision(Settings().database))
    head = migrations.head_revision()
    if as_json:
        typer.echo(json.dumps({"current": at, "head": head, "up_to_date": at == head}))
    else:
        typer.echo(f"{at or 'empty'}{'' if at == head else f'; the newest is {head}: callflow db upgrade'}")
    raise typer.Exit(0 if at == head else 1)


def _tell(before: str | None, after: str | None) -> None:
    moved = "already there" if before == after else f"from {before or 'empty'}"
    typer.echo(f"database at {after or 'empty'} ({moved})", err=True)


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return asyncio.run(work)
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable(type(error).__name__) from error
