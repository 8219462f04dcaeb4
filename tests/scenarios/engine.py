"""The simulated engine around the switchboard: one ordered lane a call, and the clock of the timers."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta

from callflow.core.commands import AnswerCode, CallCommand, PrepareCentre
from callflow.core.events import TimerFired
from callflow.core.ids import CallId
from callflow.core.state import RunningTimer
from callflow.core.timers import Timer

from .pbx import SimulatedPbx
from .schedule import Schedule

ForAsterisk = CallCommand | PrepareCentre | AnswerCode


class Lanes:
    """Carries out commands: in order within a call, side by side between calls; none while they are held."""

    def __init__(self, schedule: Schedule, rng: random.Random, pbx: SimulatedPbx) -> None:
        self._schedule = schedule
        self._rng = rng
        self._pbx = pbx
        self._waiting: dict[CallId, deque[ForAsterisk]] = {}
        self._held = False
        self._life = 0

    def add(self, command: ForAsterisk) -> None:
        """Carry out a command after those of the same call before it."""
        if self._held:  # it would be dropped before they are released
            return
        if not isinstance(command, CallCommand):
            self._schedule.after(self._soon(), lambda life=self._life: self._of_no_call(command, life))  # type: ignore[misc]
            return
        waiting = self._waiting.setdefault(command.call, deque())
        waiting.append(command)
        if len(waiting) == 1:
            self._schedule.after(self._soon(), lambda: self._work(command.call, waiting))

    def hold(self) -> None:
        """Asterisk is not heard any more: nothing is begun, and what waits is dropped."""
        self._held = True
        self.drop()

    def release(self) -> None:
        """Go on with what comes now."""
        self._held = False

    def drop(self) -> None:
        """All commands that wait are lost."""
        for waiting in self._waiting.values():
            waiting.clear()
        self._waiting = {}
        self._life += 1

    def _of_no_call(self, command: ForAsterisk, life: int) -> None:
        if life == self._life:
            self._pbx.execute(command)

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
    """Keeps the timers that the core started; none fires while they are held."""

    def __init__(self, schedule: Schedule, fire: Callable[[TimerFired], object]) -> None:
        self._schedule = schedule
        self._fire = fire
        self._running: dict[Timer, int] = {}
        self._started = 0
        self._held = False

    def start(self, timer: Timer, seconds: float) -> None:
        """Start or move a timer."""
        if self._held:
            return
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

    def hold(self) -> None:
        """No timer fires until `release`."""
        self._held = True
        self._running.clear()

    def release(self, running: Iterable[RunningTimer]) -> None:
        """Start the timers that run by the core's own list; those that came due meanwhile fire at once."""
        self._held = False
        for entry in running:
            self.start(entry.timer, max(0.0, (entry.due - self._schedule.now).total_seconds()))
