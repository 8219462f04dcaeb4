from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, bindparam, inspect, text
from sqlalchemy.exc import StatementError

from callflow.core.facts import Direction, LegPurpose
from callflow.storage.calls import get_call
from callflow.storage.funnel import funnel
from callflow.storage.migrations import current_revision, downgrade, head_revision, upgrade
from callflow.storage.models import Access, Base
from callflow.storage.models.base import UtcTime
from callflow.storage.operators import list_operators
from callflow.storage.sessions import open_database, sessions_of

FIRST_ROWS = tuple(
    text(statement).bindparams(bindparam("at", type_=UtcTime()))
    for statement in (
        "INSERT INTO calls (call_id, centre_id, arrived_at, caller_raw, dialled, trunk, stage, fallback)"
        " VALUES ('c1', 'bwi', :at, '', '112', 'trunk-telkom', 'answered', FALSE)",
        "INSERT INTO offers (offer_id, call_id, centre_id, operator_id, made_at)"
        " VALUES ('c1.o1', 'c1', 'bwi', 'ani', :at)",
        "INSERT INTO operators (centre_id, operator_id, name, endpoint, skills, active, state, reason, online, since)"
        " VALUES ('bwi', 'ani', 'Ani', 'op-ani', '[]', TRUE, 'available', '', TRUE, :at)",
    )
)
"""Rows as the first revision knew them."""


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


async def test_records_are_kept_and_are_citizens_calls_when_the_database_moves_from_the_first_revision_and_back(
    empty_url: str,
) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    await upgrade(empty_url, "0001")
    engine = open_database(empty_url)
    async with engine.begin() as connection:
        for statement in FIRST_ROWS:
            await connection.execute(statement, {"at": at})
    await upgrade(empty_url)
    async with sessions_of(engine)() as session:
        record = await get_call(session, "c1")
        assert record is not None
        assert (record.call.direction, record.call.classification) == (Direction.INBOUND, None)
        assert (record.offers[0].purpose, record.offers[0].reason) == (LegPurpose.PERSON, "")
        assert (record.parties, record.callback, record.assessment) == ((), None, None)
        counted = await funnel(session, centre="bwi", begin=at, end=at + timedelta(days=1))
        assert (counted.arrived, counted.answered) == (1, 1)
        (ani,) = await list_operators(session, "bwi")
        assert (ani.number, ani.agency) == ("", "")
    await engine.dispose()
    await downgrade(empty_url, "0001")
    engine = open_database(empty_url)
    async with engine.connect() as connection:
        kept = await connection.execute(text("SELECT c.call_id, o.offer_id FROM calls c JOIN offers o USING (call_id)"))
        assert kept.all() == [("c1", "c1.o1")]
    await engine.dispose()


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
