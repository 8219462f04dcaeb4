"""Fixtures of the tests on a real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from .pbx import Pbx, start_pbx


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[Pbx]:
    """A fresh private Asterisk on our whole configuration, for one test."""
    async with start_pbx() as running:
        yield running
