"""Virtual time: what is to happen, soonest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush


class Schedule:
    """A clock that stands still between `run`s."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now = start
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return (self.now - self.start).total_seconds()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Do this then."""
        self._count += 1
        heappush(self._entries, (max(moment, self.now), self._count, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do this after so many seconds."""
        self.at(self.now + timedelta(seconds=seconds), action)

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        end = self.now + timedelta(seconds=seconds)
        while self._entries and self._entries[0][0] <= end:
            self.now, _, action = heappop(self._entries)
            action()
        self.now = end
