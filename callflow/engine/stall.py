"""Notices that this process stood still: stopped, swapped out, blocked, or on a machine that slept.

What waits in its queues is then old, and Asterisk has gone on. Timers of an event loop that wakes up fire all at once
and in no useful order, so whoever is about to act looks first: the first look after the stall notices it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

TICK_SECONDS: Final = 0.2
STALL_SECONDS: Final = 1.0
"""Longer between two ticks is a stall. A call that was offered meanwhile has gone on without us (0.5 s)."""


class StallWatch:
    """Ticks while the loop turns; `look` compares the time with the last tick.

    Args:
        elapsed: seconds that never stand still, not even while the machine sleeps.
        on_stall: called once for each stall with its seconds, before whoever looked goes on.
    """

    def __init__(self, elapsed: Callable[[], float], on_stall: Callable[[float], None]) -> None:
        self._elapsed = elapsed
        self._on_stall = on_stall
        self._last = elapsed()
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick; what came before is no stall."""
        self._last = self._elapsed()
        self._tick()

    def look(self) -> None:
        """Notice a stall, if there was one since the last tick."""
        if self._next is None:
            return
        now = self._elapsed()
        seconds = now - self._last
        if seconds > STALL_SECONDS:
            self._last = now
            self._on_stall(seconds)

    def forgive(self) -> None:
        """The time until now was spent on what follows a stall: were it one too, there would be no end of them."""
        self._last = self._elapsed()

    def close(self) -> None:
        """Tick no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _tick(self) -> None:
        """A timer's callback, not a task: in a loop that wakes up it runs before any task that waited."""
        self.look()
        self._last = self._elapsed()
        self._next = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
