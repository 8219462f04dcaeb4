"""The simulated engine around the switchboard: one ordered lane a call, and the clock of the timers."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from callflow.core.commands import AnswerCode, CallCommand, PrepareCentre
from callflow.core.events import TimerFired
from callflow.core.ids import CallId
from callflow.core.timers import Timer

from .pbx import SimulatedPbx
from .schedule import Schedule

ForAsterisk = CallCommand | PrepareCentre | AnswerCode


class Lanes:
    """Carries out commands: in order within a call, side by side between calls."""

    def __init__(self, schedule: Schedule, rng: random.Random, pbx: SimulatedPbx) -> None:
        self._schedule = schedule
        self._rng = rng
        self._pbx = pbx
        self._waiting: dict[CallId, deque[ForAsterisk]] = {}

    def add(self, command: ForAsterisk) -> None:
        """Carry out a command after those of the same call before it."""
        if not isinstance(command, CallCommand):
            self._schedule.after(self._soon(), lambda: self._pbx.execute(command))
            return
        waiting = self._waiting.setdefault(command.call, deque())
        waiting.append(command)
        if len(waiting) == 1:
            self._schedule.after(self._soon(), lambda: self._work(command.call, waiting))

    def drop(self) -> None:
        """All commands under way are lost."""
        for waiting in self._waiting.values():
            waiting.clear()
        self._waiting = {}

    def _work(self, call: CallId, waiting: deque[ForAsterisk]) -> None:
        if not waiting:
            return
        until = self._pbx.blocked_until(waiting[0])
        if until is not None:
            self._schedule.at(until + timedelta(milliseconds=1), lambda: self._work(call, waiting))
            return
        self._pbx.execute(waiting.popleft())
        if waiting:
            self._schedule.after(self._soon(), lambda: self._work(call, waiting))

    def _soon(self) -> float:
        return self._rng.uniform(0.001, 0.01)


class Clock:
    """Keeps the timers that the core started."""

    def __init__(self, schedule: Schedule, fire: Callable[[TimerFired], object]) -> None:
        self._schedule = schedule
        self._fire = fire
        self._running: dict[Timer, int] = {}
        self._started = 0

    def start(self, timer: Timer, seconds: float) -> None:
        """Start or move a timer."""
        self._started += 1
        token = self._running[timer] = self._started

        def due() -> None:
            if self._running.get(timer) == token:
                del self._running[timer]
                self._fire(TimerFired(at=self._schedule.now, timer=timer))

        self._schedule.after(seconds, due)

    def cancel(self, timer: Timer) -> None:
        """Cancel a timer; one that fired already is no fault."""
        self._running.pop(timer, None)

    def drop(self) -> None:
        """All timers are forgotten."""
        self._running.clear()
