"""The one serial loop: event in, decision, journal, commands out. Only carrying out commands is concurrent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from callflow.core.commands import (
    CancelTimer,
    Command,
    DialplanLabel,
    HandBack,
    Note,
    Refusal,
    Reply,
    StartTimer,
)
from callflow.core.events import DecisionFailed, Event, SnapshotTaken
from callflow.core.ids import CallId, ChannelId, RequestId
from callflow.core.switchboard import Switchboard
from callflow.engine.clock import Clock
from callflow.engine.hub import Hub
from callflow.engine.lanes import Lanes
from callflow.engine.ports import Executor, Journal
from callflow.engine.timers import Timers
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)


SNAPSHOT_AGAIN_SECONDS: Final = 1.0
"""A snapshot on which the decision raised is taken in again after this long: late news is legal, no news is not."""


class DecisionRaised(CallflowError):
    """The core raised on a person's request; nothing changed, and an alarm stands."""

    def __init__(self, event: str) -> None:
        super().__init__(f"the decision on a {event} failed; nothing was changed, see the alarms")


class EngineLoop:
    """Feeds a Switchboard.

    Attributes:
        seq: the journal's number of the last turn.
        hub: followers of the facts.
    """

    def __init__(self, switchboard: Switchboard, journal: Journal, executor: Executor, clock: Clock, seq: int) -> None:
        self.switchboard = switchboard
        self.seq = seq
        self.hub = Hub()
        self.failures = 0
        self._journal = journal
        self._clock = clock
        self._events: asyncio.Queue[Event | asyncio.Future[int]] = asyncio.Queue()
        self._lanes = Lanes(executor, clock, self.post)
        self._timers = Timers(clock, self.post)
        self._replies: dict[RequestId, asyncio.Future[tuple[int, Refusal | None]]] = {}

    def post(self, event: Event) -> None:
        """Hand in an event; it is taken in turn."""
        self._events.put_nowait(event)

    async def request(self, event: Event, request: RequestId) -> tuple[int, Refusal | None]:
        """Hand in a person's request and wait for the Reply, on disk.

        Returns:
            The journal's number of that turn, and why it was refused; None = done.

        Raises:
            DecisionRaised: nothing was changed.
        """
        reply: asyncio.Future[tuple[int, Refusal | None]] = asyncio.get_running_loop().create_future()
        self._replies[request] = reply
        try:
            self.post(event)
            seq, refusal = await reply
            await self._journal.committed(seq)
        finally:
            del self._replies[request]
        return seq, refusal

    async def settled(self, event: Event) -> int:
        """Hand in an event that nobody replies to, and wait until it is decided and on disk; its number."""
        decided: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.post(event)
        self._events.put_nowait(decided)
        seq = await decided
        await self._journal.committed(seq)
        return seq

    async def run(self) -> None:
        """Take events for ever."""
        self._timers.restore(self.switchboard.state.timers.values())
        try:
            while True:
                event = await self._events.get()
                if isinstance(event, Event):
                    self.take(event)
                elif not event.done():
                    event.set_result(self.seq)
        finally:
            self._timers.close()
            await self._lanes.close()

    def take(self, event: Event) -> None:
        """One turn, without waiting for anything."""
        failure: Exception | None = None
        commands: tuple[Command, ...] = ()
        try:
            commands = self.switchboard.handle(event)
        except Exception as error:
            log.exception("decision failed", on=type(event).__name__, call=getattr(event, "call", None))
            self.failures += 1
            failure = error
        self.seq = self._journal.append(event, commands)
        self._dispatch(commands)
        if failure is not None:
            self._after_failure(event, failure)

    def _after_failure(self, event: Event, failure: Exception) -> None:
        """A decision raised: nobody may be left waiting for what it would have said."""
        request = getattr(event, "request", None)
        reply = None if request is None else self._replies.get(request)
        if reply is not None and not reply.done():
            reply.set_exception(DecisionRaised(type(event).__name__))
        if isinstance(event, DecisionFailed):
            if event.call is not None:
                self._lanes.add(self._last_help(event, event.call))
            return
        self.take(self.switchboard.failure_of(event, failure))
        if isinstance(event, SnapshotTaken):
            asyncio.get_running_loop().call_later(SNAPSHOT_AGAIN_SECONDS, self.post, event)

    def _last_help(self, event: DecisionFailed, call: CallId) -> HandBack:
        """Even the decision on a failed decision failed: the caller goes to the dialplan without the core."""
        known = self.switchboard.state.calls.get(call)
        channel = known.channel if known is not None else event.channel or ChannelId("")
        return HandBack(call=call, channel=channel, label=DialplanLabel.FALLBACK, step="")

    def _dispatch(self, commands: Sequence[Command]) -> None:
        facts = []
        for command in commands:
            match command:
                case StartTimer():
                    self._timers.start(command.timer, command.seconds)
                case CancelTimer():
                    self._timers.cancel(command.timer)
                case Note():
                    facts.append(command.fact)
                case Reply():
                    reply = self._replies.get(command.request)
                    if reply is not None and not reply.done():
                        reply.set_result((self.seq, command.refusal))
                case _:
                    self._lanes.add(command)
        self.hub.publish(self.seq, facts)
