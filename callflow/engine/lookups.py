"""Carries out LookUpCaller with a limit of its own, and hands every other command on.

A history is worth a banner, never a caller's time: what does not answer at once has no history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from callflow.core.commands import Command, LookUpCaller
from callflow.core.events import CallerHistory, CallerHistoryKnown, Event
from callflow.core.ids import CallId
from callflow.engine.clock import Clock
from callflow.engine.ports import Executor

log = structlog.get_logger(__name__)

LOOK_UP_SECONDS: Final = 0.02
"""A look-up that takes longer is given up."""


class CallerHistories(Protocol):
    """What is known of numbers, in a read model on this machine."""

    async def look_up(self, number: str, call: CallId | None = None) -> CallerHistory | None:
        """What is known of a number apart from this call; None when nothing can be said now. May be cancelled."""


class LookingUp:
    """An Executor that knows callers' histories, before the one that knows Asterisk.

    Attributes:
        failures: look-ups without an answer since the start.
    """

    def __init__(
        self, histories: CallerHistories, executor: Executor, clock: Clock, *, limit_seconds: float = LOOK_UP_SECONDS
    ) -> None:
        self.failures = 0
        self._histories = histories
        self._executor = executor
        self._clock = clock
        self._limit_seconds = limit_seconds

    async def execute(self, command: Command) -> Sequence[Event]:
        """Carry out one command; a look-up always comes back as CallerHistoryKnown and never fails.

        Raises:
            CallflowError: as the other executor does, for its commands.
        """
        if not isinstance(command, LookUpCaller):
            return await self._executor.execute(command)
        history = await self._look_up(command)
        return [CallerHistoryKnown(at=self._clock.now(), call=command.call, history=history)]

    async def _look_up(self, command: LookUpCaller) -> CallerHistory | None:
        try:
            async with asyncio.timeout(self._limit_seconds):
                history = await self._histories.look_up(command.number, command.call)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is served without a history
            self.failures += 1
            log.warning("no caller's history", call=command.call, fault=type(error).__name__)
            return None
        if history is None:
            self.failures += 1
        return history
