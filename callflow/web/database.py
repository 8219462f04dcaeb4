"""Asks the database within a bound of time: whoever needs it hears soon that it is away, and nothing else waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.storage.sessions import Sessions
from callflow.web.errors import DatabaseAway

ANSWER_WITHIN_SECONDS: Final = 3.0


class Database:
    """The database as the web uses it: for reading."""

    def __init__(self, sessions: Sessions, *, answer_within_seconds: float = ANSWER_WITHIN_SECONDS) -> None:
        self._sessions = sessions
        self._answer_within_seconds = answer_within_seconds

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session to read with.

        Raises:
            DatabaseAway: it failed, or did not answer in time.
        """
        try:
            async with asyncio.timeout(self._answer_within_seconds), self._sessions() as session:
                yield session
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise DatabaseAway(type(error).__name__) from error
