"""The engine's clock: UTC that never jumps. A wall clock that is set anew must not move timers or reorder events."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """UTC from the monotonic clock, anchored to the wall clock at construction."""

    def __init__(self) -> None:
        self._anchor = datetime.now(UTC)
        self._started = time.monotonic()

    def now(self) -> datetime:
        """The present, aware UTC, never before an earlier answer."""
        return self._anchor + timedelta(seconds=time.monotonic() - self._started)

    def drift_seconds(self) -> float:
        """How far the wall clock is ahead of this one: more than a second means it was set while we ran."""
        return (datetime.now(UTC) - self.now()).total_seconds()
