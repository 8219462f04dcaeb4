"""Notices that the machine's clock was set anew, says so, and has the engine follow once no call is live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.core.faults import ClockSet
from callflow.engine.clock import JUMP_SECONDS, Clock
from callflow.engine.telling import Fault, Watch

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
STEADY_SECONDS: Final = 60.0
"""A clock that was set and set back within this time is not followed."""
WANDER_SECONDS: Final = 0.5
"""So far a clock that is not set wanders within that time."""


class ClockWatch:
    """Compares the engine's clock with the machine's.

    Args:
        quiet: whether no call is live.
        take: hands the turn in at once; nothing may come between it and the clock's change.
    """

    def __init__(self, clock: Clock, quiet: Callable[[], bool], take: Callable[[ClockSet], None]) -> None:
        self._clock = clock
        self._quiet = quiet
        self._take = take
        self._jumped_by: float | None = None
        self._steady_looks = 0

    @property
    def watch(self) -> Watch:
        """The alarm, for the FaultTeller."""
        return Watch(kinds=(AlarmKind.CLOCK_JUMPED,), look=self._faults)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once, and follow where it is time."""
        drift = self._clock.drift_seconds()
        if abs(drift) <= JUMP_SECONDS:
            self._jumped_by, self._steady_looks = None, 0
        elif self._jumped_by is None or abs(drift - self._jumped_by) > WANDER_SECONDS:
            self._jumped_by, self._steady_looks = drift, 0
        else:
            self._steady_looks += 1
        if self._steady_looks * LOOK_SECONDS >= STEADY_SECONDS and self._quiet():
            before = self._clock.follow()
            log.warning("the engine's clock follows the machine's", seconds=round(drift, 1))
            self._take(ClockSet(at=self._clock.now(), before=before))
            self._jumped_by, self._steady_looks = None, 0

    async def _faults(self) -> Iterable[Fault]:
        if self._jumped_by is None:
            return ()
        where = "ahead" if self._jumped_by > 0 else "back"
        detail = (
            f"the machine's clock was set {abs(self._jumped_by):.0f} s {where}: records keep the time of before until "
            "no call is live for a moment, then follow; look after NTP"
        )
        return (Fault(kind=AlarmKind.CLOCK_JUMPED, detail=detail),)
