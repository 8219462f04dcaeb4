"""Opens the database: SQLite with foreign keys and WAL, or PostgreSQL, by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]


def async_url(url: str) -> str:
    """The URL with its asynchronous driver, whichever way it was written."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    name = drivers.get(parsed.drivername.partition("+")[0], parsed.drivername)
    return parsed.set(drivername=name).render_as_string(hide_password=False)


def open_database(url: str) -> AsyncEngine:
    """An engine for the URL. Nothing is connected yet; `await engine.dispose()` ends it.

    Parameters never stand in its errors or logs: they are personal data.
    """
    parsed = make_url(async_url(url))
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_async_engine(parsed, hide_parameters=True, connect_args={"timeout": 10.0})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    # A server that restarted leaves dead connections behind; a hung one must not hold the caller for ever.
    return create_async_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=10.0,
        connect_args={"timeout": 5.0, "command_timeout": 30.0},
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    """Makes sessions; objects stay readable after a commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
