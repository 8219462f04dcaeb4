"""Says how long to wait before something is tried again that no call needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 30.0


def growing_pauses() -> Iterator[float]:
    """Pauses in seconds: doubling from one to half a minute."""
    pause = FIRST_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_SECONDS)
