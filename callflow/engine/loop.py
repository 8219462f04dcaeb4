"""The one serial loop: event in, decision, journal, commands out. Only carrying out commands is concurrent.

Until Asterisk's snapshot is handled (at the start, after each loss of the connection, after each stall) the engine is
blind: it takes in what it hears, but sends no command and lets no timer fire. The snapshot is the truth. What was
decided before it and not sent is forgotten, as after a crash, and what came due fires after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import (
    CancelTimer,
    Command,
    DialplanLabel,
    HandBack,
    Note,
    Reply,
    StartTimer,
)
from callflow.core.events import DecisionFailed, Event, SnapshotTaken, TimerFired
from callflow.core.faults import FaultReported
from callflow.core.ids import CallId, ChannelId, RequestId
from callflow.core.switchboard import Switchboard
from callflow.engine.charge import Charge
from callflow.engine.clock import Clock
from callflow.engine.hub import Hub
from callflow.engine.lanes import Lanes
from callflow.engine.ports import Executor, Journal
from callflow.engine.replies import Answered, Replies, on_disk
from callflow.engine.stall import StallWatch
from callflow.engine.timers import Timers
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)

STOCK_AGAIN_SECONDS: Final = 1.0
"""When the decision on a snapshot raised, stock is taken again after this long."""
MOST_FAILED_SNAPSHOTS: Final = 3
"""After so many in a row this engine will never be in charge: the next one may be, or begins empty."""
SETTLE_SECONDS: Final = 0.5
"""So long stock waits for commands under way: what one of them does after it is told of as an event."""


class NeverInCharge(CallflowError):
    """The core raised on every snapshot."""

    def __init__(self) -> None:
        super().__init__(f"{MOST_FAILED_SNAPSHOTS} snapshots of Asterisk's in a row could not be handled")


class EngineLoop:
    """Feeds a Switchboard.

    Attributes:
        seq: the journal's number of the last turn.
        hub: followers of the facts.
        charge: whether this engine is in charge; told of the snapshots that are handed in and handled.
        failures: how often a decision raised.
        stalls: how often the process stood still.

    Args:
        renew: connects with Asterisk anew, which takes stock.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        journal: Journal,
        executor: Executor,
        clock: Clock,
        seq: int,
        *,
        charge: Charge | None = None,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        self.charge = charge or Charge()
        self.switchboard = switchboard
        self.seq = seq
        self.hub = Hub()
        self.failures = 0
        self.stalls = 0
        self._renew = renew
        self._failed_snapshots = 0
        self._blind = True
        self._journal = journal
        self._clock = clock
        self._events: asyncio.Queue[Event | asyncio.Future[int]] = asyncio.Queue()
        self._stall = StallWatch(clock.elapsed_seconds, self._after_stall)
        self._lanes = Lanes(executor, clock, self.post, self._stall.look)
        self._timers = Timers(clock, self.post)
        self._replies = Replies()

    def post(self, event: Event) -> None:
        """Hand in an event; it is taken in turn."""
        if isinstance(event, SnapshotTaken):
            self.charge.expect(event)
        self._events.put_nowait(event)

    async def request(self, event: Event, request: RequestId) -> Answered:
        """Hand in a person's request and wait for the Reply, on disk.

        Returns:
            The journal's number of that turn, and why it was refused; None = done.

        Raises:
            DecisionRaised: nothing was changed. NotOnDisk: it is in force, and on no disk within 3 s.
        """
        with self._replies.awaited(request) as reply:
            self.post(event)
            seq, refusal = await reply
            await on_disk(self._journal, seq)
        return seq, refusal

    async def settled(self, event: Event) -> int:
        """Hand in an event that nobody replies to, and wait until it is decided and on disk; its number.

        Raises:
            NotOnDisk: it is decided, and on no disk within 3 s.
        """
        self.post(event)
        seq = await self.turned()
        await on_disk(self._journal, seq)
        return seq

    async def turned(self) -> int:
        """Wait until what was handed in so far is decided; the number of the last turn."""
        decided: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._events.put_nowait(decided)
        return await decided

    def lose_sight(self) -> None:
        """Asterisk's events do not reach us any more: act no further until a new snapshot is handled."""
        self._blind = True
        self.charge.lose()
        self._timers.hold()
        self._lanes.hold()

    async def settle(self) -> None:
        """Wait a moment for commands under way, so that stock is not taken while they change what it shows."""
        await self._lanes.settle(SETTLE_SECONDS)

    async def run(self) -> None:
        """Take events for ever.

        Raises:
            NeverInCharge: the engine is to be started again.
        """
        self._stall.start()
        try:
            while self._failed_snapshots < MOST_FAILED_SNAPSHOTS:
                event = await self._events.get()
                self._stall.look()
                if not isinstance(event, Event):
                    if not event.done():
                        event.set_result(self.seq)
                elif not (self._blind and isinstance(event, TimerFired)):  # it runs on in the core, and fires later
                    self.take(event)
                await asyncio.sleep(0)  # a long queue must not keep the rest of the process from its work
            raise NeverInCharge
        finally:
            self._stall.close()
            self._timers.hold()
            await self._lanes.close()

    def take(self, event: Event) -> None:
        """One turn, without waiting for anything.

        Raises:
            MemoryError: there is none left; nothing was decided.
        """
        failure: Exception | None = None
        commands: tuple[Command, ...] = ()
        sees = isinstance(event, SnapshotTaken) and self.charge.expects(event)
        try:
            commands = self.switchboard.handle(event)
        except MemoryError:
            raise  # every decision would fail from now on: this engine ends, and the next one has memory
        except Exception as error:
            log.exception("decision failed", on=type(event).__name__, call=getattr(event, "call", None))
            self.failures += 1
            failure = error
        self.seq = self._journal.append(event, commands)
        if sees:
            self._lanes.drop()
        self._dispatch(commands)
        if sees:
            self._see_again()
        if failure is not None:
            self._after_failure(event, failure)
        elif isinstance(event, SnapshotTaken):
            self._failed_snapshots = 0
            self.charge.handled(event)

    def _see_again(self) -> None:
        """Also when the decision on the snapshot raised: late news is legal, and to stand still helps nobody."""
        self._blind = False
        self._lanes.release()
        self._timers.release(self.switchboard.state.timers.values())
        self._stall.forgive()

    def _after_stall(self, seconds: float) -> None:
        """The process stood still: nothing that waits here is to be acted on before stock was taken anew."""
        log.error("the engine stood still", seconds=round(seconds, 1))
        self.stalls += 1
        self.lose_sight()
        self._lanes.drop()
        detail = f"the engine stood still for {seconds:.1f} s: see what else this machine was doing"
        self.post(FaultReported(at=self._clock.now(), kind=AlarmKind.STALLED, subject="", detail=detail, lasting=False))
        self._renew()

    def _after_failure(self, event: Event, failure: Exception) -> None:
        """A decision raised: nobody may be left waiting for what it would have said."""
        self._replies.fail(event)
        if isinstance(event, DecisionFailed):
            if event.call is not None:
                self._lanes.add(self._last_help(event, event.call))
            return
        self.take(self.switchboard.failure_of(event, failure))
        if isinstance(event, SnapshotTaken):
            self._failed_snapshots += 1
            asyncio.get_running_loop().call_later(STOCK_AGAIN_SECONDS, self._take_stock_again, event)

    def _take_stock_again(self, snapshot: SnapshotTaken) -> None:
        """Not the same snapshot again: who called since would be taken for gone."""
        if self.charge.expects(snapshot):
            self._renew()

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
                    self._replies.give(command, self.seq)
                case _:
                    self._lanes.add(command)
        self.hub.publish(self.seq, facts)
