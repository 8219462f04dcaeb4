"""Bounds what one channel's keys may cost: each key is an entry in the journal, and a machine can press without end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

log = structlog.get_logger(__name__)

AT_ONCE: Final = 100
"""Keys that a channel may press as fast as it likes: more than any menu, code or impatient thumb needs."""
EVERY_SECONDS: Final = 1.0
"""And one more for each of these: a caller who presses for an hour costs the journal 3,700 entries, not 700,000."""
_KEYS: Final = frozenset("0123456789*#ABCD")


class KeyBounds:
    """Counts the keys of each channel.

    Attributes:
        dropped: keys that were no keys or too many.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.dropped = 0
        self._now = now
        self._left: dict[str, tuple[float, datetime]] = {}
        self._told: set[str] = set()

    def takes(self, channel: str, key: str) -> bool:
        """Whether this key is to be heard; what is not heard is counted, and told once for each channel."""
        if key in _KEYS and self._spends(channel):
            return True
        self.dropped += 1
        if channel not in self._told:
            self._told.add(channel)
            log.warning("keys are not heard: too many, or none that a phone has", channel=channel)
        return False

    def over(self, channel: str) -> None:
        """The channel is gone, or not ours any more."""
        self._left.pop(channel, None)
        self._told.discard(channel)

    def _spends(self, channel: str) -> bool:
        now = self._now()
        left, since = self._left.get(channel, (float(AT_ONCE), now))
        earned = max(0.0, (now - since).total_seconds()) / EVERY_SECONDS  # a clock set back earns nothing
        left = min(float(AT_ONCE), left + earned)
        enough = left >= 1.0
        self._left[channel] = (left - 1.0 if enough else left, now)
        return enough
