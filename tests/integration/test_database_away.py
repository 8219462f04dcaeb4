"""The database refuses, freezes, is slow, dies or is full while the journal grows: all is there afterwards, once."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from callflow.core.centre_facts import AlarmKind
from callflow.core.ids import CallId
from callflow.journal import projector as projecting
from callflow.journal.files import chain_path
from callflow.journal.projector import Projector
from callflow.journal.reader import read_entries
from callflow.storage.migrations import upgrade
from callflow.storage.models import Call, ProjectionFault
from callflow.storage.sessions import Sessions, open_database, sessions_of
from callflow.watching import DatabaseWatch
from callflow.web.database import Database
from callflow.web.errors import DatabaseAway

# Relative, since another package calls itself `tests` too.
from ..faults.database import DatabaseProxy, database_proxy  # noqa: TID252
from ..faults.disks import small_disk  # noqa: TID252
from .postgres import PostgresServer, owner_of_servers, running_postgres
from .test_projector import OPENED, has_calls, running, until, write_facts
from .web_lab import web_lab

CALLS = 120
BEHIND_SECONDS = 0.5


@dataclass
class Lab:
    """A projector, a watch and readers that reach PostgreSQL through a proxy; `direct` sees it past the proxy."""

    proxy: DatabaseProxy
    url: str
    sessions: Sessions
    direct: Sessions


def through(url: str, proxy: DatabaseProxy) -> str:
    return make_url(url).set(port=proxy.port).render_as_string(hide_password=False)


@asynccontextmanager
async def lab_of(url: str) -> AsyncIterator[Lab]:
    await upgrade(url)
    async with database_proxy(make_url(url).port or 0) as proxy:
        engines = open_database(through(url, proxy)), open_database(url)
        yield Lab(proxy, through(url, proxy), sessions_of(engines[0]), sessions_of(engines[1]))
        for engine in engines:
            await engine.dispose()


def watching(sessions: Sessions, projector: Projector) -> DatabaseWatch:
    async def ask() -> None:
        async with sessions() as session:
            await session.execute(text("SELECT 1"))

    return DatabaseWatch(ask, lambda: projector.lag, BEHIND_SECONDS)


async def calls_in(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(select(Call.call_id)))


async def whole(sessions: Sessions, directory: Path) -> None:
    """Each call that the journal opened stands in the database once, and nothing was passed over."""
    entries = read_entries(chain_path(directory, "engine"), limit=10 * CALLS)
    journalled = [command["fact"]["call"] for entry in entries for command in entry.commands]

    async def all_there() -> bool:
        return len(await calls_in(sessions)) >= len(journalled)

    await until(all_there)
    assert sorted(await calls_in(sessions)) == sorted(journalled)
    async with sessions() as session:
        assert (await session.scalars(select(ProjectionFault))).all() == []


def more_calls(directory: Path, batch: int) -> None:
    write_facts(directory, *(replace(OPENED, call=CallId(f"pbx-{batch}.{n}")) for n in range(CALLS)))


FAULTS: dict[str, Callable[[DatabaseProxy], AbstractAsyncContextManager[None]]] = {
    "refuses": lambda proxy: proxy.refusing(),
    "frozen": lambda proxy: proxy.frozen(),
    "slow": lambda proxy: proxy.slow(0.4),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_lag_is_told_and_nothing_is_lost_or_doubled_when_the_database_is_away(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(projecting, "TRANSACTION_SECONDS", 2.0)
    monkeypatch.setattr("callflow.watching.AWAY_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("callflow.watching.ANSWER_SECONDS", 1.0)
    async with lab_of(postgres.new_database()) as lab, running(tmp_path, lab.sessions) as projector:
        watch = watching(lab.sessions, projector)
        write_facts(tmp_path, OPENED)
        await until(has_calls(lab.direct, 1))
        await until(lambda: projector.lag.entries == 0)
        assert await watch.look() == []
        async with FAULTS[fault](lab.proxy):
            await asyncio.to_thread(more_calls, tmp_path, 2)
            await until(lambda: projector.lag.entries > 0 and projector.lag.seconds > BEHIND_SECONDS)

            async def raised() -> bool:
                kinds = {fault.kind for fault in await watch.look()}
                return bool(kinds & {AlarmKind.DATABASE_AWAY, AlarmKind.DATABASE_BEHIND})

            await until(raised)
            assert lab.proxy.most <= 15
        lab.proxy.cut()
        await asyncio.to_thread(more_calls, tmp_path, 3)
        await whole(lab.direct, tmp_path)
        await until(lambda: projector.lag.entries == 0)

        async def over() -> bool:
            return await watch.look() == []

        await until(over)


async def test_slow_database_gets_on_in_small_steps(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is too long is made smaller until it fits, or nothing would ever be written."""
    monkeypatch.setattr(projecting, "TRANSACTION_SECONDS", 1.5)
    async with lab_of(postgres.new_database()) as lab, running(tmp_path, lab.sessions):
        async with lab.proxy.slow(0.15):
            await asyncio.to_thread(more_calls, tmp_path, 2)

            async def some() -> bool:
                return len(await calls_in(lab.direct)) > 0

            await until(some)
        await whole(lab.direct, tmp_path)


async def test_nothing_is_passed_over_when_the_databases_disk_is_full(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # `tmp_path` is closed to the server's user
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - only who may pass through
        await _full_and_free_again(Path(folder) / "small", tmp_path)


async def _full_and_free_again(place: Path, tmp_path: Path) -> None:
    async with small_disk(place, "24m", owner=owner_of_servers()) as disk:
        with running_postgres(tuple(disk.command())) as server:
            async with lab_of(await asyncio.to_thread(lambda: server.new_database(tablespace=disk.path))) as lab:
                directory = tmp_path / "journal"
                async with running(directory, lab.sessions) as projector:
                    write_facts(directory, OPENED)
                    await until(has_calls(lab.direct, 1))
                    with disk.full():
                        for batch in range(2, 6):
                            await asyncio.to_thread(more_calls, directory, batch)
                        await until(lambda: projector.lag.seconds > 1.0)
                    await whole(lab.direct, directory)


@pytest.mark.parametrize("code", ["disk_full", "deadlock_detected", "read_only_sql_transaction", "query_canceled"])
async def test_entry_waits_when_the_servers_refusal_will_pass(
    tmp_path: Path, postgres: PostgresServer, code: str
) -> None:
    async with lab_of(postgres.new_database()) as lab, running(tmp_path, lab.sessions) as projector:
        raises = f"BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'no'; END"
        async with lab.direct.begin() as session:
            await session.execute(text(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {raises} $$"))
            await session.execute(
                text("CREATE TRIGGER refuse BEFORE INSERT ON calls FOR EACH ROW EXECUTE FUNCTION refuse()")
            )
        write_facts(tmp_path, OPENED)
        await until(lambda: projector.lag.seconds > 1.0)
        async with lab.direct.begin() as session:
            await session.execute(text("DROP TRIGGER refuse ON calls"))
        await whole(lab.direct, tmp_path)


async def test_readers_are_told_soon_and_connections_do_not_pile_up_when_answers_take_ten_seconds(
    postgres: PostgresServer,
) -> None:
    async with lab_of(postgres.new_database()) as lab:
        database = Database(lab.sessions, answer_within_seconds=1.0)

        async def look() -> float:
            began = time.monotonic()
            with pytest.raises(DatabaseAway):
                async with database.reading() as session:
                    await session.execute(text("SELECT 1"))
            return time.monotonic() - began

        async with lab.proxy.slow(10.0):
            waited = [await asyncio.gather(*(look() for _ in range(30))) for _ in range(3)]
        assert max(max(each) for each in waited) < 5.0
        assert lab.proxy.most <= 20
        lab.proxy.cut()


async def test_people_sign_in_within_seconds_when_the_database_is_frozen(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    async with (
        database_proxy(make_url(url).port or 0) as proxy,
        web_lab(tmp_path / "data", through(url, proxy)) as lab,
        proxy.frozen(),
    ):
        await asyncio.sleep(0)
        began = time.monotonic()
        async with lab.browser("siti"):
            assert time.monotonic() - began < 8.0
        proxy.cut()
