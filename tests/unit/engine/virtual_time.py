"""An event loop whose clock jumps to the next timer when nothing else is left to do, and a Clock that reads it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from callflow.engine.clock import Clock

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  # chosen by platform
    """Never waits: passes the time that it was to wait."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("the test waits for what will never happen")
        self.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Begins at 0 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing of ours runs, as in a process that was stopped."""
        self._jumping.passed += seconds


def stand_still(seconds: float) -> None:
    """As the running loop's."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.stand_still(seconds)


class VirtualClock(Clock):
    """Reads the running loop's time, which does not begin before it runs."""

    def __init__(self) -> None:
        """Nothing to anchor."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed_seconds())

    def elapsed_seconds(self) -> float:
        return asyncio.get_running_loop().time()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
