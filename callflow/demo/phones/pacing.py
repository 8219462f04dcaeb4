"""Paces the phone process: when its next timer is due, and whether the library can stand one more call."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable

MAX_RECENT_CALLS = 28
RECENT_SECONDS = 0.7
"""The library waits half a second before it uses a socket again, has 64, and aborts the process at the next."""

Act = Callable[[], None]


class Timers:
    """What is to be done later. Times are those of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Act]] = []
        self._numbers = itertools.count()

    def at(self, due: float, act: Act) -> None:
        """Have `act` done once `due` has come."""
        heapq.heappush(self._heap, (due, next(self._numbers), act))

    def wait_ms(self, now: float, at_most_ms: int) -> int:
        """How long nothing is due, in milliseconds."""
        if not self._heap:
            return at_most_ms
        return max(0, min(at_most_ms, round((self._heap[0][0] - now) * 1000)))

    def due(self, now: float) -> list[Act]:
        """Take what is due, in order."""
        acts: list[Act] = []
        while self._heap and self._heap[0][0] <= now:
            acts.append(heapq.heappop(self._heap)[2])
        return acts


class SocketBudget:
    """Knows how many calls hold sockets: those that last, and those that ended a moment ago."""

    def __init__(self) -> None:
        self._ended_at: deque[float] = deque(maxlen=MAX_RECENT_CALLS)

    def call_ended(self, now: float) -> None:
        """A call ended; its sockets stay taken for a while."""
        self._ended_at.append(now)

    def check(self, now: float, lasting: int) -> None:
        """See whether one more call can be placed.

        Raises:
            ValueError: when the library would abort the process.
        """
        lingering = sum(now - at < RECENT_SECONDS for at in self._ended_at)
        if lasting + lingering >= MAX_RECENT_CALLS:
            raise ValueError(f"{MAX_RECENT_CALLS} calls within {RECENT_SECONDS} s are the most a phone can place")
