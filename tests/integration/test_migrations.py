from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import StatementError

from callflow.storage.migrations import current_revision, downgrade, head_revision, upgrade
from callflow.storage.models import Access, Base
from callflow.storage.sessions import open_database, sessions_of


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def on(url: str, work: Any) -> Any:
    engine = open_database(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_models_and_migrations_agree_when_the_database_is_at_the_newest(empty_url: str) -> None:
    assert await current_revision(empty_url) is None
    await upgrade(empty_url)
    assert await current_revision(empty_url) == head_revision()
    assert await on(empty_url, differences) == []


async def test_tables_are_the_same_when_the_database_went_back_and_forth(empty_url: str) -> None:
    await upgrade(empty_url)
    before = await on(empty_url, tables)
    await upgrade(empty_url)
    await downgrade(empty_url, "base")
    assert await on(empty_url, tables) == {"alembic_version"}
    assert await current_revision(empty_url) is None
    await upgrade(empty_url)
    assert await on(empty_url, tables) == before
    assert await on(empty_url, differences) == []


async def test_time_comes_back_in_utc_and_a_naive_one_is_refused_when_stored(empty_url: str) -> None:
    await upgrade(empty_url)
    engine = open_database(empty_url)
    at = datetime(2026, 1, 5, 1, 2, 3, 456789, tzinfo=UTC)

    def access(when: datetime, who: str) -> Access:
        return Access(centre_id="bwi", at=when, who=who, what="call", purpose="test")

    async with sessions_of(engine).begin() as session:
        session.add(access(at.astimezone(), "a\0di" + "x" * 500))
    async with sessions_of(engine)() as session:
        row = await session.get_one(Access, 1)
        assert (row.at, row.at.tzinfo) == (at, UTC)
        assert row.who == "adi" + "x" * 125
        session.add(access(datetime(2026, 1, 5), "adi"))  # noqa: DTZ001
        with pytest.raises(StatementError, match="naive"):
            await session.flush()
    await engine.dispose()
