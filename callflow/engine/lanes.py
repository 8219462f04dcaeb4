"""Carries out commands: in order within a call, side by side between calls; a slow request delays one call.

A dialled feature code is answered in a lane of its own, so that one phone holds up neither the others nor the centre.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from callflow.core.commands import AnswerCode, CallCommand, Command
from callflow.core.events import CommandFailed, Event
from callflow.core.ids import CallId
from callflow.engine.clock import Clock
from callflow.engine.ports import Executor
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)


class Lanes:
    """One ordered lane a call, one a dialled feature code, and one for the centre's own commands.

    Args:
        post: takes what a command's outcome brings, and CommandFailed.
    """

    def __init__(self, executor: Executor, clock: Clock, post: Callable[[Event], None]) -> None:
        self._executor = executor
        self._clock = clock
        self._post = post
        self._waiting: dict[str, deque[Command]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, command: Command) -> None:
        """Carry out a command after those of the same call before it."""
        lane = _lane(command)
        waiting = self._waiting.setdefault(lane, deque())
        waiting.append(command)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._work(lane, waiting), name=f"lane {lane}")

    @property
    def busy(self) -> int:
        """How many lanes have commands under way."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait until every lane is empty."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def close(self) -> None:
        """Drop what waits and end the lanes."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, lane: str, waiting: deque[Command]) -> None:
        try:
            while waiting:
                await self._carry_out(waiting.popleft())
        finally:
            del self._tasks[lane]
            del self._waiting[lane]

    async def _carry_out(self, command: Command) -> None:
        name = type(command).__name__
        call = command.call if isinstance(command, CallCommand) else CallId("")
        try:
            for event in await self._executor.execute(command):
                self._post(event)
        except CallflowError as error:
            log.warning("command failed", command=name, call=call, error=str(error))
            self._fail(call, command, str(error))
        except Exception as error:
            log.exception("command raised", command=name, call=call)
            self._fail(call, command, f"{type(error).__name__} (a defect; see the log)")

    def _fail(self, call: CallId, command: Command, reason: str) -> None:
        self._post(
            CommandFailed(
                at=self._clock.now(),
                call=call,
                command=type(command).__name__,
                reason=reason,
                offer=getattr(command, "offer", None),
                playback=getattr(command, "playback", None),
                channel=getattr(command, "channel", None),
            )
        )


def _lane(command: Command) -> str:
    """Ids of channels and of calls may be the same text: what is no call's begins as no call's id does."""
    match command:
        case CallCommand():
            return command.call
        case AnswerCode():
            return f"code {command.channel}"
        case _:
            return ""
