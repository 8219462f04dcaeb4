"""Stays connected with AMI and looks: at each connect, at each event, and again every few seconds.

A look is also how a connection is noticed on which nothing answers any more. Nothing here is needed for a call to go
well: whatever happens, the witness says so once and tries again, less and less often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog
from panoramisk.message import Message

from callflow.ami.errors import AmiError
from callflow.ami.pauses import growing_pauses
from callflow.ami.reading import FALLBACK_QUEUE, TrunkSeen, read_devices, read_event, read_queue
from callflow.ami.session import AmiSession, opened
from callflow.ami.standing import Standing
from callflow.core.ids import TrunkRoute
from callflow.errors import ConfigurationError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS: Final = 10.0
"""Longer than Asterisk takes to ask a trunk for the first time: max_initial_qualify_time and one time-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Where AMI is. `secret` is asked for at each connect, so that a mended one needs no restart of ours."""

    port: int
    secret: Callable[[], str]
    host: str = "127.0.0.1"
    user: str = "callflow"


class AmiWitness:
    """Follows AMI into `standing`.

    Args:
        watched: the trunks whose far end is asked whether it is there, as the centre document says now.
    """

    def __init__(
        self,
        manager: Manager,
        watched: Callable[[], frozenset[TrunkRoute]],
        standing: Standing,
        *,
        look_every_seconds: float = LOOK_EVERY_SECONDS,
        pauses: Callable[[], Iterator[float]] = growing_pauses,
    ) -> None:
        self._manager = manager
        self._watched = watched
        self._standing = standing
        self._look_every = look_every_seconds
        self._pauses = pauses
        self._told: str | None = None
        self._events = 0

    async def run(self) -> None:
        """Run until cancelled."""
        pauses = self._pauses()
        while True:
            before = self._standing.connections
            try:
                await self._follow()
            except (AmiError, ConfigurationError) as error:
                self._say(str(error))
            except Exception as error:  # noqa: BLE001 - a defect must not end the worker's other work
                self._say(type(error).__name__)
            if self._standing.connections != before:
                pauses = self._pauses()
            await asyncio.sleep(next(pauses))

    async def _follow(self) -> None:
        """One connection, from its login to its end, which raises."""
        manager = self._manager
        async with opened(manager.host, manager.port, manager.user, manager.secret(), self._on_event) as session:
            try:
                doubted = await self._look(session, frozenset())
                self._standing.connected()
                self._told = None
                log.info("AMI is followed", trunks=len(self._watched()))
                while True:
                    await session.ended(self._look_every)
                    doubted = await self._look(session, doubted)
            finally:
                self._standing.disconnected()

    async def _look(self, session: AmiSession, doubted: frozenset[TrunkRoute]) -> frozenset[TrunkRoute]:
        """Ask for everything. A trunk listed as unavailable is down at the second look: here are those of this one."""
        events, watched = self._events, self._watched()
        queue = read_queue(await session.ask("QueueSummary", Queue=FALLBACK_QUEUE))
        listed = await session.ask("DeviceStateList") if watched else []
        trunks = [each for each in read_devices(listed) if each.trunk in watched]
        if self._events == events:  # an event that came meanwhile knows better; the next look is soon
            for each in trunks:
                if each.reachable or each.trunk in doubted:
                    self._standing.see(each)
            if queue is not None:
                self._standing.see(queue)
        return frozenset(each.trunk for each in trunks if not each.reachable)

    def _on_event(self, event: Message) -> None:
        seen = read_event(event)
        if seen is None or (isinstance(seen, TrunkSeen) and seen.trunk not in self._watched()):
            return
        self._events += 1
        self._standing.see(seen)

    def _say(self, reason: str) -> None:
        """One line for each reason, until it is another or all is well again."""
        if reason != self._told:
            log.warning("trunks and the fallback queue are not witnessed; AMI is tried again", reason=reason)
        self._told = reason
