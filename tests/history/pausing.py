"""How a check after a test waits: with the test's loop going on, so that its connections do not take it for a fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

Pause = Callable[[float], None]


def pause_after(item: pytest.Function) -> Pause:
    """Waits some seconds between the end of a test and the taking down of its fixtures."""
    scope = getattr(item, "_loop_scope", None)  # of pytest-asyncio's tests
    if scope is None:
        return time.sleep
    runner: asyncio.Runner = item._request.getfixturevalue(f"_{scope}_scoped_runner")
    return lambda seconds: runner.run(asyncio.sleep(seconds))
