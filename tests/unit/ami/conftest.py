from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from .manager import FakeManager


@pytest_asyncio.fixture
async def manager() -> AsyncIterator[FakeManager]:
    async with FakeManager().listening() as listening:
        yield listening
