"""Moves the database from one revision to another, both ways, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from callflow.errors import ConfigurationError
from callflow.storage.sessions import open_database

_T = TypeVar("_T")
SCRIPTS: Final = Path(__file__).resolve().parents[2] / "db"


def head_revision() -> str:
    """The revision that this version of callflow wants.

    Raises:
        ConfigurationError: when the migrations are not where they belong.
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise ConfigurationError(str(SCRIPTS), ["holds no migration"])
    return head


async def current_revision(url: str) -> str | None:
    """The revision that the database is at; None = it is empty.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: when the database cannot be reached.
    """
    return await _with_connection(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database forward. Run again, it changes nothing.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: when the database cannot be reached or refuses.
    """
    await _with_connection(url, lambda connection: command.upgrade(_config(connection), revision))


async def downgrade(url: str, revision: str) -> None:
    """Bring the database back to `revision`; `base` empties it of everything that is ours.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: when the database cannot be reached or refuses.
    """
    await _with_connection(url, lambda connection: command.downgrade(_config(connection), revision))


async def _with_connection(url: str, work: Callable[[Connection], _T]) -> _T:
    engine = open_database(url)
    try:
        async with engine.connect() as connection:
            result = await connection.run_sync(work)
            await connection.commit()
            return result
    finally:
        await engine.dispose()


def _config(connection: Connection | None = None) -> Config:
    if not (SCRIPTS / "env.py").is_file():
        raise ConfigurationError(str(SCRIPTS), ["no migrations here; run callflow from its source tree"])
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config
