"""Fixtures of the tests on real databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.storage.migrations import upgrade
from callflow.storage.sessions import Sessions, open_database, sessions_of

from ..history.after_test import pytest_pyfunc_call  # noqa: F401, TID252 a hook of this layer
from .postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'callflow.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest_asyncio.fixture
async def url(empty_url: str) -> str:
    """A migrated database of each kind."""
    await upgrade(empty_url)
    return empty_url


@pytest_asyncio.fixture
async def sessions(url: str) -> AsyncIterator[Sessions]:
    """Sessions of a migrated database of each kind."""
    engine = open_database(url)
    yield sessions_of(engine)
    await engine.dispose()
