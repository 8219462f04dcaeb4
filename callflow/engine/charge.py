"""Whether this engine is in charge of its calls, which its heartbeat tells to the watchdog.

In charge = the loop takes events in turn, Asterisk's events reach us (a fresh pulse), and stock of this connection was
taken and handled: an engine that does not know who waits is not in charge of them, however well it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from callflow.core.events import SnapshotTaken
from callflow.engine.heartbeat import BEAT_SECONDS

log = structlog.get_logger(__name__)

PULSE_FRESH_SECONDS: Final = 4.0
"""Asterisk's pulse is felt every second; one that is older is overdue, and may be the last."""
BEAT_FRESH_SECONDS: Final = 1.5
"""A beat is due each quarter of a second; the watchdog acts after 3 s."""


class Beating(Protocol):
    """A heartbeat; see `heartbeat.Heartbeat`."""

    def beat(self) -> None:
        """The engine is in charge at this moment."""

    def silence(self) -> None:
        """The engine is not in charge any more."""

    def turn(self) -> None:
        """The engine's loop has taken a turn."""


class Charge:
    """Knows what being in charge takes, and beats while it is.

    Args:
        heartbeat: None = there is no room for one; the watchdog then takes the engine for dead.
        pulse_age: how many seconds ago an event of ours last came through Asterisk; None = not yet.
    """

    def __init__(self, heartbeat: Beating | None = None, pulse_age: Callable[[], float | None] = lambda: 0.0) -> None:
        self._heartbeat = heartbeat
        self._pulse_age = pulse_age
        self._awaited: SnapshotTaken | None = None
        self._handled = False
        self._beaten_at: float | None = None

    @property
    def in_charge(self) -> bool:
        """Whether the calls are this engine's, as far as can be known without asking the loop."""
        age = self._pulse_age()
        return self._handled and age is not None and age <= PULSE_FRESH_SECONDS

    @property
    def shows(self) -> bool:
        """Whether it is in charge and the watchdog can feel it: only then may it take new calls.

        A call claimed by an engine that shows no beat would be taken from it a second later, offered again, and claimed
        again, for ever; the dialplan alone finds a person for it.
        """
        at = self._beaten_at
        return self.in_charge and at is not None and asyncio.get_running_loop().time() - at <= BEAT_FRESH_SECONDS

    @property
    def has_heartbeat(self) -> bool:
        """Whether there is a heartbeat to show at all."""
        return self._heartbeat is not None

    def expect(self, snapshot: SnapshotTaken) -> None:
        """Stock was taken: the engine is in charge once this snapshot is handled, and of no earlier one."""
        self._awaited = snapshot
        self._handled = False

    def expects(self, snapshot: SnapshotTaken) -> bool:
        """Whether this snapshot is the present connection's and not handled yet."""
        return self._awaited is snapshot

    def handled(self, snapshot: SnapshotTaken) -> None:
        """The core knows what this snapshot shows."""
        if self.expects(snapshot):
            self._awaited = None
            self._handled = True
            log.info("in charge", channels=len(snapshot.channels))
            self.beat()  # at once: who calls until the next beat would be left to the dialplan

    def lose(self) -> None:
        """Asterisk is out of reach, or the engine ends: whoever watches is to know at once."""
        self._awaited = None
        self._handled = False
        self._beaten_at = None
        if self._heartbeat is not None:
            self._heartbeat.silence()

    def beat(self) -> None:
        """Show a sign of life, if the engine is in charge."""
        if self._heartbeat is None or not self.in_charge:
            return
        try:
            self._heartbeat.beat()
        except OSError:
            log.exception("the heartbeat's file is gone and cannot be made again")
            self._heartbeat = self._beaten_at = None
        else:
            self._beaten_at = asyncio.get_running_loop().time()

    def take_heart(self, heartbeat: Beating) -> None:
        """There is room for a heartbeat now."""
        self._heartbeat = heartbeat

    async def steady(self, seconds: float) -> None:
        """Wait until the engine was in charge for so long without a break."""
        since = 0.0
        while since < seconds:
            await asyncio.sleep(BEAT_SECONDS)
            since = since + BEAT_SECONDS if self.in_charge else 0.0

    async def keep_beating(self, turn: Callable[[], Awaitable[object]]) -> None:
        """Beat for ever, each time once the loop has taken a turn: one that is stuck or far behind is silent."""
        try:
            while True:
                await turn()
                if self._heartbeat is not None:
                    self._heartbeat.turn()
                self.beat()
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            self.lose()
