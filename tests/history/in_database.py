"""Reads the calls in a database, SQLite or PostgreSQL, and how far the projector is. Only reads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url

from .findings import Projected, Row

_CALLS: Final = (
    "SELECT call_id, arrived_at, ended_at, stage, queued_at, answered_at, caller_number, direction FROM calls"
)
_REACHED: Final = "SELECT writer, max(seq) FROM projector_positions GROUP BY writer"
_NUMBERED: Final = "SELECT seq FROM operator_states UNION SELECT seq FROM classifications"
_WITHIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class DatabaseSays:
    """The calls, and how far the database is."""

    rows: list[Row]
    projected: Projected


def read_database(url: str) -> DatabaseSays | None:
    """What stands in the database of a SQLAlchemy URL; None = a SQLite file that is not there. Blocks.

    Raises:
        sqlite3.Error, asyncpg.PostgresError, OSError, TimeoutError: it cannot be read now.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        path = Path(place.database or "")
        return _says(_from_sqlite(path)) if path.is_file() else None
    plain = place.set(drivername="postgresql").render_as_string(hide_password=False)
    with ThreadPoolExecutor(1) as thread:  # there may be a loop in this one
        return _says(thread.submit(asyncio.run, _from_postgresql(plain)).result())


def row_of(values: Sequence[Any]) -> Row:
    """A call of the columns that are read here."""
    call, arrived, ended, stage, queued, answered, number, direction = values
    return Row(
        call=call,
        arrived_at=_utc(arrived),
        ended_at=None if ended is None else _utc(ended),
        stage=stage,
        queued_at=None if queued is None else _utc(queued),
        answered_at=None if answered is None else _utc(answered),
        caller_number=number,
        inbound=direction == "inbound",
    )


_Tables = tuple[Iterable[Sequence[Any]], ...]


def _from_sqlite(path: Path) -> _Tables:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WITHIN_SECONDS)) as database:
        return tuple(database.execute(query).fetchall() for query in (_CALLS, _REACHED, _NUMBERED))


async def _from_postgresql(url: str) -> _Tables:
    database = await asyncpg.connect(url, timeout=_WITHIN_SECONDS, command_timeout=_WITHIN_SECONDS)
    try:
        async with database.transaction(isolation="repeatable_read", readonly=True):
            return tuple([await database.fetch(query) for query in (_CALLS, _REACHED, _NUMBERED)])
    finally:
        await database.close(timeout=_WITHIN_SECONDS)


def _says(tables: _Tables) -> DatabaseSays:
    calls, reached, numbered = tables
    projected = Projected(
        reached={writer: int(seq) for writer, seq in reached}, numbered=frozenset(int(seq) for (seq,) in numbered)
    )
    return DatabaseSays([row_of(values) for values in calls], projected)


def _utc(at: str | datetime) -> datetime:
    told = datetime.fromisoformat(at) if isinstance(at, str) else at
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told
