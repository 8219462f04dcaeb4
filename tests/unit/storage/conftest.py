"""A database in a file of its own, without migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from callflow.storage.models import Base
from callflow.storage.sessions import Sessions, open_database, sessions_of


@pytest_asyncio.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'callflow.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield sessions_of(engine)
    await engine.dispose()
