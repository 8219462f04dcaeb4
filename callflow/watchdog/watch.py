"""The watchdog's loop: while the engine's heartbeat is missing, one pass a second, until nobody sits alone.

It stands by itself: no database, no journal, no websocket, and nothing of the engine's but the heartbeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Final, Protocol

import structlog

from callflow.ari.errors import AriError
from callflow.watchdog.done import Done

log = structlog.get_logger(__name__)

MISSING_SECONDS: Final = 3.0
"""A heartbeat that is missed for so long is no hiccup; a restarting engine is mostly back before."""
LOOK_SECONDS: Final = 0.25
PASS_SECONDS: Final = 1.0
ENDING_SECONDS: Final = 1.0
"""How long an engine that is ended together with the watchdog may take until it falls silent."""
LAST_SECONDS: Final = 4.0
"""How long the watchdog goes on at its own end; the supervisor waits for 8 s."""


class Pulse(Protocol):
    """The engine's sign of life."""

    def age_seconds(self) -> float | None:
        """How long ago the last beat was; None = there was none."""


class Acts(Protocol):
    """What can be done for callers."""

    async def one_pass(self) -> Done:
        """Send on whoever sits alone.

        Raises:
            AriError: Asterisk could not be asked.
        """


class Watch:
    """Watches one engine.

    Args:
        clock: monotonic seconds.
        turn: called at each look, to show that somebody watches.
    """

    def __init__(
        self, pulse: Pulse, clock: Callable[[], float] = time.monotonic, turn: Callable[[], None] = lambda: None
    ) -> None:
        self._pulse = pulse
        self._turn = turn
        self._clock = clock
        self._alive_at: float | None = None
        self._ending = False

    def missing(self) -> bool:
        """Whether the engine has been silent for too long, at this very moment.

        The last beat counts, also one from before this watchdog's start: where both die, nobody waits for two graces.
        An engine that shows no beat at the first look may be starting beside us.
        """
        age, now = self._pulse.age_seconds(), self._clock()
        seen = now - age if age is not None else self._alive_at
        self._alive_at = now if seen is None else max(seen, self._alive_at or seen)
        if self._ending:
            return age is None
        return now - self._alive_at > MISSING_SECONDS

    async def run(self, hands: Acts) -> None:
        """Watch for ever. When it is cancelled and the engine ends as well, callers are sent on before it returns."""
        try:
            await self._watch(hands)
        except asyncio.CancelledError:
            await self._last_passes(hands)
            raise

    async def _watch(self, hands: Acts) -> None:
        report = _Report()
        while True:
            self._turn()
            if not self.missing():
                report.alive()
                await asyncio.sleep(LOOK_SECONDS)
                continue
            began = self._clock()
            report.silent()
            await self._one_pass(hands, report)
            await asyncio.sleep(max(0.0, began + PASS_SECONDS - self._clock()))

    async def _one_pass(self, hands: Acts, report: _Report) -> Done | None:
        try:
            done = await hands.one_pass()
        except AriError as error:
            report.asterisk_away(error)
            return None
        report.passed(done)
        return done

    async def _last_passes(self, hands: Acts) -> None:
        """The whole installation is being stopped: nobody may be left with music and no one to take them off it."""
        self._ending = True
        report = _Report()
        until = self._clock() + LAST_SECONDS
        silent_by = self._clock() + ENDING_SECONDS
        while not self.missing():
            if self._clock() > silent_by:
                return  # the engine stays: only the watchdog is ended
            await asyncio.sleep(LOOK_SECONDS)
        while self._clock() < until:
            done = await self._one_pass(hands, report)
            if done is None or not (done.sent_on or done.pulled or done.failed):
                return
            await asyncio.sleep(LOOK_SECONDS)


class _Report:
    """Says what changes, not what goes on."""

    def __init__(self) -> None:
        self._silent = False
        self._away = False

    def alive(self) -> None:
        if self._silent:
            log.warning("the engine is in charge again")
        self._silent = False

    def silent(self) -> None:
        if not self._silent:
            log.error("no engine is in charge: callers who sit alone are sent on to the dialplan")
        self._silent = True

    def asterisk_away(self, error: AriError) -> None:
        if not self._away:
            log.error("callers cannot be looked after", error=str(error))
        self._away = True

    def passed(self, done: Done) -> None:
        if self._away:
            log.warning("Asterisk answers again")
        self._away = False
        if done != Done():
            log.warning("looked after callers", **asdict(done))
