"""The engine's clock: UTC that runs evenly. A wall clock set anew must not move timers or reorder events.

It follows the wall clock only when it is told to, which is while no call is live. A restart does not count for that:
the next engine goes on with the same clock, as long as the machine runs. So no call's times are ever on two clocks.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

JUMP_SECONDS: Final = 2.0
"""Less is a clock that is kept by NTP; more, one that was set."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock:
    """UTC from a clock that only goes forward, anchored to the wall clock.

    It counts the time that the machine sleeps, as the monotonic clock does not: a caller who waited meanwhile waited.

    Args:
        place: where the anchor is kept for the next engine on this machine; None = nowhere.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._started = self.elapsed_seconds()
        self._anchor = datetime.now(UTC)
        if not self._take_over():
            self._keep()

    def now(self) -> datetime:
        """The present, aware UTC, never before an earlier answer, unless it followed the wall clock back."""
        return self._anchor + timedelta(seconds=self.elapsed_seconds() - self._started)

    def elapsed_seconds(self) -> float:
        """Seconds since the machine's start, to be compared with each other only."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def drift_seconds(self) -> float:
        """How far the wall clock is ahead of this one: more than a second means it was set while we ran."""
        return (datetime.now(UTC) - self.now()).total_seconds()

    def from_wall(self, moment: datetime) -> datetime:
        """By this clock: a moment of the recent past that was read from this machine's wall clock, as Asterisk does."""
        drift = self.drift_seconds()
        if abs(drift) > JUMP_SECONDS:
            moment -= timedelta(seconds=drift)
        return min(moment, self.now())

    def follow(self) -> datetime:
        """Show the wall clock's time from now on; the time that this clock shows at this moment."""
        before = self.now()
        self._anchor, self._started = datetime.now(UTC), self.elapsed_seconds()
        self._keep()
        return before

    def _take_over(self) -> bool:
        """Go on with the clock of the engine before, if the machine was not restarted since."""
        if self._place is None:
            return False
        try:
            kept: dict[str, Any] = json.loads(self._place.read_text(encoding="utf-8"))
            if kept["boot"] != _BOOT_ID.read_text(encoding="utf-8"):
                return False
            anchor, started = datetime.fromisoformat(kept["anchor"]), float(kept["started"])
            if anchor.utcoffset() is None:
                return False
        except (OSError, ValueError, KeyError, TypeError):
            return False
        self._anchor, self._started = anchor, started
        return True

    def _keep(self) -> None:
        if self._place is None:
            return
        fresh = self._place.with_name(f".{self._place.name}.{os.getpid()}")
        try:
            boot = _BOOT_ID.read_text(encoding="utf-8")
            kept = {"boot": boot, "anchor": self._anchor.isoformat(), "started": self._started}
            self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_text(json.dumps(kept), encoding="utf-8")
            fresh.replace(self._place)
        except OSError as error:  # the next engine begins with the wall clock
            log.warning("the engine's clock cannot be kept for the next start", fault=type(error).__name__)
