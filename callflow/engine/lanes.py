"""Carries out commands: in order within a call, side by side between calls; a slow request delays one call.

A dialled feature code is answered in a lane of its own, so that one phone holds up neither the others nor the centre.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from callflow.core.commands import AnswerCode, CallCommand, Command, LookUpCaller, PrepareCentre
from callflow.core.events import CommandFailed, Event
from callflow.core.ids import CallId
from callflow.engine.clock import Clock
from callflow.engine.ports import Executor
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 1.0
"""The centre's preparation is asked for again as often as it fails: not in the same moment."""
_LOOK_UP: Final = "look up "


class Lanes:
    """One ordered lane a call, one a dialled feature code, and one for the centre's own commands; held until `release`.

    Looking up a caller is no matter of Asterisk's: it has a lane of its own, is not held and not dropped.

    Args:
        post: takes what a command's outcome brings, and CommandFailed.
        look: called before each command; may hold or drop.
    """

    def __init__(
        self, executor: Executor, clock: Clock, post: Callable[[Event], None], look: Callable[[], None] = lambda: None
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._post = post
        self._look = look
        self._held = True
        self._waiting: dict[str, deque[Command]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, command: Command) -> None:
        """Carry out a command after those of the same call before it."""
        lane = _lane(command)
        self._waiting.setdefault(lane, deque()).append(command)
        self._begin(lane)

    @property
    def busy(self) -> int:
        """How many lanes have commands under way."""
        return len(self._tasks)

    def hold(self) -> None:
        """Begin no further command that is for Asterisk until `release`; those under way go on."""
        self._held = True

    def release(self) -> None:
        """Go on."""
        self._held = False
        for lane in tuple(self._waiting):
            self._begin(lane)

    def drop(self) -> int:
        """Forget all commands for Asterisk that wait, and wait no longer for those under way; how many there were."""
        lanes = [lane for lane in {*self._waiting, *self._tasks} if not lane.startswith(_LOOK_UP)]
        dropped = 0
        for lane in lanes:
            dropped += len(self._waiting.pop(lane, ()))
            task = self._tasks.pop(lane, None)
            if task is not None:
                dropped += 1
                task.cancel()
        return dropped

    async def settle(self, seconds: float) -> None:
        """Wait until no command is under way, but no longer than this: one that hangs must not hold up the rest."""
        tasks = tuple(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def idle(self) -> None:
        """Wait until every lane is empty."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def close(self) -> None:
        """Drop what waits and end the lanes."""
        self._waiting.clear()
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, lane: str) -> None:
        if lane not in self._tasks and self._may_go_on(lane):
            self._tasks[lane] = asyncio.create_task(self._work(lane), name=f"lane {lane}")

    def _may_go_on(self, lane: str) -> bool:
        return not self._held or lane.startswith(_LOOK_UP)

    async def _work(self, lane: str) -> None:
        try:
            while True:
                self._look()
                waiting = self._waiting.get(lane)
                if waiting is None or not self._may_go_on(lane) or self._tasks.get(lane) is not asyncio.current_task():
                    return
                command = waiting.popleft()
                if not waiting:
                    del self._waiting[lane]
                await self._carry_out(command)
        finally:
            if self._tasks.get(lane) is asyncio.current_task():
                del self._tasks[lane]

    async def _carry_out(self, command: Command) -> None:
        name = type(command).__name__
        call = command.call if isinstance(command, CallCommand) else CallId("")
        try:
            for event in await self._executor.execute(command):
                self._post(event)
        except CallflowError as error:
            log.warning("command failed", command=name, call=call, error=str(error))
            await self._fail(call, command, str(error))
        except Exception as error:
            log.exception("command raised", command=name, call=call)
            await self._fail(call, command, f"{type(error).__name__} (a defect; see the log)")

    async def _fail(self, call: CallId, command: Command, reason: str) -> None:
        if isinstance(command, PrepareCentre):
            await asyncio.sleep(AGAIN_SECONDS)
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
        case LookUpCaller():
            return f"{_LOOK_UP}{command.call}"
        case CallCommand():
            return command.call
        case AnswerCode():
            return f"code {command.channel}"
        case _:
            return ""
