"""Keeps the core's timers on the event loop's clock; each comes back as an event.

While they are held none runs: what a timer would decide is for whoever knows how Asterisk stands. The core's own list
says then which are to run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from callflow.core.events import TimerFired
from callflow.core.state import RunningTimer
from callflow.core.timers import Timer
from callflow.engine.clock import Clock


class Timers:
    """Running timers by what they are for; held until `release`.

    Args:
        post: takes the TimerFired when a timer comes due.
    """

    def __init__(self, clock: Clock, post: Callable[[TimerFired], None]) -> None:
        self._clock = clock
        self._post = post
        self._held = True
        self._handles: dict[Timer, asyncio.TimerHandle] = {}

    def start(self, timer: Timer, seconds: float) -> None:
        """Start a timer, or move it; nothing while they are held."""
        if self._held:
            return
        self.cancel(timer)
        due = self._clock.now() + timedelta(seconds=seconds)

        def fire() -> None:
            self._handles.pop(timer, None)
            self._post(TimerFired(at=max(self._clock.now(), due), timer=timer))

        self._handles[timer] = asyncio.get_running_loop().call_later(seconds, fire)

    def cancel(self, timer: Timer) -> None:
        """Cancel a timer; one that does not run is no fault."""
        handle = self._handles.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def hold(self) -> None:
        """Let none fire until `release`."""
        self._held = True
        for timer in tuple(self._handles):
            self.cancel(timer)

    def release(self, running: Iterable[RunningTimer]) -> None:
        """Start the timers that run by the core's list; those that came due meanwhile fire at once."""
        self._held = False
        now = self._clock.now()
        for entry in running:
            self.start(entry.timer, max(0.0, (entry.due - now).total_seconds()))
