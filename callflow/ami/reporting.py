"""Tells the engine what AMI shows: on change, and all of it after each connect of AMI and each start of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callflow.ami.pauses import growing_pauses
from callflow.ami.standing import Standing
from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.ids import TrunkRoute
from callflow.core.reports import FallbackQueueReported, TrunkReported
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)

CHECK_EVERY_SECONDS: Final = 5.0
SAME_START_SECONDS: Final = 1.0
"""An engine whose start, reckoned from its uptime, moved further than this is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What is needed of the engine's port; each raises CallflowError while it is away.

    Attributes:
        report: hands in what was witnessed.
        health: among others `uptime_seconds`.
        snapshot: among others `alarms`.
    """

    report: Callable[[Event], Awaitable[None]]
    health: Callable[[], Awaitable[Mapping[str, Any]]]
    snapshot: Callable[[], Awaitable[Mapping[str, Any]]]


class Reporter:
    """Brings `standing` to the engine, each thing once.

    Args:
        watched: the trunks that are watched now; an alarm about another, which nobody would ever end, is ended.
    """

    def __init__(
        self,
        standing: Standing,
        watched: Callable[[], frozenset[TrunkRoute]],
        engine: Engine,
        *,
        check_every_seconds: float = CHECK_EVERY_SECONDS,
    ) -> None:
        self._standing = standing
        self._watched = watched
        self._engine = engine
        self._check_every = check_every_seconds
        self._engine_start = float("-inf")
        self._connections = 0
        self._watched_then: frozenset[TrunkRoute] | None = None
        self._trunks: dict[TrunkRoute, bool] = {}
        self._waiting: int | None = None

    async def run(self) -> None:
        """Run until cancelled."""
        pauses = growing_pauses()
        told = False
        while True:
            try:
                await self.one_pass()
            except Exception as error:  # noqa: BLE001 - a defect must not end the worker's other work
                if not told:
                    reason = str(error) if isinstance(error, CallflowError) else type(error).__name__
                    log.warning("what AMI shows is not told; it is tried again", reason=reason)
                told = True
                await asyncio.sleep(next(pauses))
            else:
                pauses, told = growing_pauses(), False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._standing.news.wait(), self._check_every)

    async def one_pass(self) -> None:
        """Tell what is new.

        Raises:
            CallflowError: the engine is away; what was not told is told next time.
        """
        self._standing.news.clear()
        watched = self._watched()
        uptime = float((await self._engine.health())["uptime_seconds"])
        start = asyncio.get_running_loop().time() - uptime
        known = (self._connections, self._watched_then)
        now = (self._standing.connections, watched)
        if known != now or abs(start - self._engine_start) > SAME_START_SECONDS:
            self._trunks.clear()
            self._waiting = None
            await self._end_alarms_of_others(watched)
            self._connections, self._watched_then = now
            self._engine_start = start
        for trunk, reachable in tuple(self._standing.trunks.items()):
            if trunk in watched and self._trunks.get(trunk) != reachable:
                await self._engine.report(TrunkReported(at=datetime.now(UTC), trunk=trunk, reachable=reachable))
                self._trunks[trunk] = reachable
        waiting = self._standing.waiting
        if waiting is not None and waiting != self._waiting:
            await self._engine.report(FallbackQueueReported(at=datetime.now(UTC), waiting=waiting))
            self._waiting = waiting

    async def _end_alarms_of_others(self, watched: frozenset[TrunkRoute]) -> None:
        """A trunk that nobody asks any more is not known to be down."""
        for alarm in (await self._engine.snapshot())["alarms"]:
            if alarm["kind"] == AlarmKind.TRUNK_DOWN and alarm["subject"] not in watched:
                trunk = TrunkRoute(alarm["subject"])
                await self._engine.report(TrunkReported(at=datetime.now(UTC), trunk=trunk, reachable=True))
