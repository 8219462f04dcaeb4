"""`callflow calls`: lists calls and shows one whole record. Every look is journalled before anything is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.centre import CentreDocument, load_centre
from callflow.cli.call_lines import line_of, lines_of
from callflow.core.city import Classification
from callflow.core.facts import Direction, Stage
from callflow.core.ids import CallId, CentreId
from callflow.errors import ConfigurationError
from callflow.journal.accesses import record_access
from callflow.settings import Settings
from callflow.storage.calls import MAX_PAGE, CallFilter, CallPage, get_call, list_calls
from callflow.storage.errors import DatabaseUnavailable
from callflow.storage.records import CallRecord
from callflow.storage.sessions import open_database, sessions_of

app = typer.Typer(help="The records of calls. Every look is recorded.", no_args_is_help=True)

_T = TypeVar("_T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, times in UTC.")]
Purpose = Annotated[str, typer.Option(help="Why you look; it is recorded with your name.")]


@app.command(name="list")
def list_command(
    *,
    begin: Annotated[str | None, typer.Option("--from", help="Earliest arrival, ISO; the centre's time zone.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Arrivals before this, ISO; the centre's time zone.")] = None,
    caller: Annotated[str | None, typer.Option(help="The caller's number, E.164.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Where the call ended.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who spoke with the caller.")] = None,
    in_progress: Annotated[bool | None, typer.Option("--in-progress/--over", help="Only calls that go on.")] = None,
    fallback: Annotated[bool | None, typer.Option("--fallback/--no-fallback", help="Served by the dialplan.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Calls of citizens, or calls to them.")] = None,
    classification: Annotated[Classification | None, typer.Option(help="The latest word on what it was.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    purpose: Purpose = "callflow calls list",
    as_json: AsJson = False,
) -> None:
    """List calls, latest first."""
    settings, document = _centre()
    zone = ZoneInfo(document.centre.zone)
    which = CallFilter(
        centre=document.centre.id,
        arrived_from=_time(begin, zone),
        arrived_to=_time(end, zone),
        caller_number=caller,
        stage=stage,
        operator=operator,
        in_progress=in_progress,
        fallback=fallback,
        direction=direction,
        classification=classification,
    )
    page = _in_database(settings, lambda session: list_calls(session, which, limit=limit, cursor=cursor))
    _record(settings, document, what="calls", call=None, purpose=purpose)
    if as_json:
        typer.echo(_json(CallPage, page))
        return
    for call in page.calls:
        typer.echo(line_of(call, zone))
    if page.next_cursor is not None:
        typer.echo(f"more: --cursor {page.next_cursor}", err=True)


@app.command()
def show(call: str, purpose: Purpose = "callflow calls show", as_json: AsJson = False) -> None:
    """Show all that is known of a call; exit code 1 when there is none of that id."""
    settings, document = _centre()
    record = _in_database(settings, lambda session: get_call(session, call))
    if record is None or record.call.centre_id != document.centre.id:
        typer.echo(f"there is no call {call!r}", err=True)
        raise typer.Exit(1)
    _record(settings, document, what="call", call=CallId(call), purpose=purpose)
    if as_json:
        typer.echo(_json(CallRecord, record))
        return
    for line in lines_of(record, ZoneInfo(document.centre.zone)):
        typer.echo(line)


def _centre() -> tuple[Settings, CentreDocument]:
    settings = Settings()
    return settings, load_centre(settings.centre_path)


def _in_database(settings: Settings, work: Callable[[AsyncSession], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        engine = open_database(settings.database)
        try:
            async with sessions_of(engine)() as session:
                return await work(session)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable(type(error).__name__) from error


def _record(settings: Settings, document: CentreDocument, *, what: str, call: CallId | None, purpose: str) -> None:
    centre = CentreId(document.centre.id)
    record_access(settings.journal_dir, centre, what=what, call=call, purpose=purpose)


def _json(kind: type[_T], value: _T) -> str:
    return TypeAdapter(kind).dump_json(value, indent=2).decode()


def _time(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(text, ["is no time; write for example 2026-01-31T08:00"]) from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
