"""Says how long to wait before the next attempt to connect: longer each time, never the same for two engines."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0
"""Callers are waiting: a connection is tried at least every 2 s."""


def pauses(spread: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Pauses in seconds: doubling from 0.05 to 2, each shortened by up to a half at random."""
    limit = FIRST_SECONDS
    while True:
        yield spread(limit / 2, limit)
        limit = min(limit * 2, LONGEST_SECONDS)
