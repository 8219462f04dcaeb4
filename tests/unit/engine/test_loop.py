from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.city import CentreSettings, OperatorProfile
from callflow.core.commands import AnswerCaller, CallCommand, Command, HandBack, LookUpCaller, Refusal
from callflow.core.events import (
    CallArrived,
    Caller,
    CommandFailed,
    DecisionFailed,
    EndpointReported,
    Event,
    KeyPressed,
    OperatorChanged,
    SeenChannel,
    SettingsChanged,
    SnapshotTaken,
    TimerFired,
)
from callflow.core.faults import FaultReported
from callflow.core.ids import CallId, CentreId, ChannelId, EndpointName, OperatorId, RequestId
from callflow.core.requests import SignInRequested
from callflow.core.switchboard import Switchboard
from callflow.engine.loop import MOST_FAILED_SNAPSHOTS, STOCK_AGAIN_SECONDS, EngineLoop, NeverInCharge
from callflow.engine.replies import DecisionRaised

from .outside import MemoryJournal, WatchedExecutor
from .virtual_time import START, VirtualClock, run, stand_still

CALL, CHANNEL = CallId("node1-7.1"), ChannelId("7.1")
SETTINGS = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak", wrap_up_seconds=0.0)
ANI = OperatorProfile(operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"))
OPENED = (SettingsChanged(at=START, settings=SETTINGS), OperatorChanged(at=START, profile=ANI))
RECONNECT_SECONDS = 0.3
T = TypeVar("T")


class Fragile(Switchboard):
    """Raises on some kinds of events, as a defect would."""

    def __init__(self) -> None:
        super().__init__()
        self.raises_on: set[type[Event]] = set()

    def handle(self, event: Event) -> tuple[Command, ...]:
        if type(event) in self.raises_on:
            raise LookupError("+6281200001 is a secret of the citizen's")
        return super().handle(event)


class Bench:
    """A loop on a switchboard that is open, with what it was given."""

    def __init__(self) -> None:
        self.board = Fragile()
        self.journal = MemoryJournal()
        self.executor = WatchedExecutor()
        self.renewals = 0
        self.loop = EngineLoop(self.board, self.journal, self.executor, VirtualClock(), 0, renew=self._renew)
        for event in OPENED:
            self.loop.take(event)
        self.see()
        self.opened = len(self.journal.turns)

    def now(self) -> datetime:
        return VirtualClock().now()

    def see(self) -> None:
        """Stock is taken."""
        taken = snapshot()
        self.loop.charge.expect(taken)
        self.loop.take(taken)

    def _renew(self) -> None:
        """As a connection that is lost and comes back at once."""
        self.renewals += 1
        self.loop.lose_sight()
        asyncio.get_running_loop().call_later(RECONNECT_SECONDS, lambda: self.loop.post(snapshot()))

    async def while_it_runs(self, main: Coroutine[Any, Any, T]) -> T:
        running = asyncio.create_task(self.loop.run())
        try:
            return await main
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def snapshot(*channels: SeenChannel) -> SnapshotTaken:
    return SnapshotTaken(at=VirtualClock().now(), channels=channels)


def sign_in(request: str, operator: str = "ani") -> SignInRequested:
    return SignInRequested(at=START, request=RequestId(request), operator=OperatorId(operator))


def arrived(at: datetime = START) -> CallArrived:
    return CallArrived(
        at=at,
        call=CALL,
        channel=CHANNEL,
        caller=Caller(number="+6281200001", raw="081200001"),
        dialled="112",
        trunk="trunk-city",
        arrived_at=at,
    )


def in_bench(test: Any) -> None:
    async def main() -> None:
        bench = Bench()
        await bench.while_it_runs(test(bench))

    run(main())


def test_events_are_decided_and_journalled_in_the_order_they_came() -> None:
    async def test(bench: Bench) -> None:
        keys = [KeyPressed(at=START, call=CALL, key=key) for key in "123"]
        for event in keys:
            bench.loop.post(event)
        seq = await bench.loop.settled(keys[0])
        assert bench.journal.events[bench.opened :] == [*keys, keys[0]]
        assert seq == bench.loop.seq == bench.opened + 4

    in_bench(test)


def test_commands_are_carried_out_when_a_call_arrives_and_its_timers_run() -> None:
    async def test(bench: Bench) -> None:
        await bench.loop.settled(arrived())
        await asyncio.sleep(30)
        names = [type(command).__name__ for command in bench.executor.done]
        assert "AnswerCaller" in names
        fired = [event for event in bench.journal.events if isinstance(event, TimerFired)]
        assert fired
        assert all(event.at > START for event in fired)

    in_bench(test)


def test_facts_are_published_under_the_number_of_their_turn() -> None:
    async def test(bench: Bench) -> None:
        with bench.loop.hub.follow() as follower:
            seq = await bench.loop.settled(arrived())
            told_seq, facts = follower.get_nowait()
        assert told_seq == seq
        assert facts[0].__class__.__name__ == "CallOpened"

    in_bench(test)


def test_request_is_answered_when_its_turn_is_on_disk() -> None:
    async def test(bench: Bench) -> None:
        bench.journal.hold()
        asked = asyncio.create_task(bench.loop.request(sign_in("r1"), RequestId("r1")))
        await asyncio.sleep(1)
        assert bench.journal.events[-1] == sign_in("r1")
        assert not asked.done()
        bench.journal.flush()
        assert await asked == (bench.opened + 1, None)

    in_bench(test)


def test_request_is_refused_with_the_core_s_reason() -> None:
    async def test(bench: Bench) -> None:
        _, refusal = await bench.loop.request(sign_in("r1", "nobody"), RequestId("r1"))
        assert refusal is Refusal.UNKNOWN_OPERATOR

    in_bench(test)


def test_settled_event_is_on_disk_when_its_number_is_told() -> None:
    async def test(bench: Bench) -> None:
        bench.journal.hold()
        settled = asyncio.create_task(bench.loop.settled(OPENED[0]))
        await asyncio.sleep(1)
        assert not settled.done()
        bench.journal.flush()
        assert await settled == bench.opened + 1

    in_bench(test)


def test_loop_goes_on_when_somebody_waits_no_more() -> None:
    async def test(bench: Bench) -> None:
        bench.journal.hold()
        asked = asyncio.create_task(bench.loop.request(sign_in("r1"), RequestId("r1")))
        settled = asyncio.create_task(bench.loop.settled(OPENED[0]))
        await asyncio.sleep(0)
        asked.cancel()
        settled.cancel()
        await asyncio.gather(asked, settled, return_exceptions=True)
        bench.journal.flush()
        assert await bench.loop.settled(OPENED[0]) == bench.opened + 3

    in_bench(test)


def test_failed_decision_is_journalled_and_changes_nothing_when_the_core_raises() -> None:
    async def test(bench: Bench) -> None:
        await bench.loop.settled(arrived())
        before = bench.board.state.calls[CALL]
        bench.board.raises_on = {EndpointReported}
        await bench.loop.settled(EndpointReported(at=START, endpoint=ANI.endpoint, online=True))
        assert bench.journal.names[-2:] == ["EndpointReported", "DecisionFailed"]
        assert bench.journal.turns[-2][1] == ()
        failed = bench.journal.events[-1]
        assert isinstance(failed, DecisionFailed)
        assert (failed.call, failed.event, failed.error) == (None, "EndpointReported", "LookupError")
        assert bench.board.state.calls[CALL] == before
        assert bench.loop.failures == 1

    in_bench(test)


def test_caller_is_handed_back_when_the_decision_on_the_call_raises() -> None:
    async def test(bench: Bench) -> None:
        await bench.loop.settled(arrived())
        bench.board.raises_on = {KeyPressed}
        await bench.loop.settled(KeyPressed(at=START, call=CALL, key="1"))
        await asyncio.sleep(1)
        assert [type(command) for command in bench.executor.done if isinstance(command, HandBack)] == [HandBack]

    in_bench(test)


def test_caller_is_handed_back_when_even_the_failure_cannot_be_decided() -> None:
    async def test(bench: Bench) -> None:
        bench.board.raises_on = {CallArrived, DecisionFailed}
        await bench.loop.settled(arrived())
        await asyncio.sleep(1)
        (handed,) = [command for command in bench.executor.done if isinstance(command, HandBack)]
        assert (handed.call, handed.channel) == (CALL, CHANNEL)
        assert bench.loop.failures == 2

    in_bench(test)


def test_person_is_told_when_the_decision_on_the_request_raises() -> None:
    async def test(bench: Bench) -> None:
        bench.board.raises_on = {SignInRequested}
        with pytest.raises(DecisionRaised):
            await bench.loop.request(sign_in("r1"), RequestId("r1"))
        bench.board.raises_on = set()
        assert (await bench.loop.request(sign_in("r2"), RequestId("r2")))[1] is None

    in_bench(test)


def test_stock_is_taken_anew_when_the_decision_on_a_snapshot_raised() -> None:
    async def test(bench: Bench) -> None:
        bench.board.raises_on = {SnapshotTaken}
        await bench.loop.settled(snapshot())
        assert not bench.loop.charge.in_charge
        bench.board.raises_on = set()
        await asyncio.sleep(STOCK_AGAIN_SECONDS + RECONNECT_SECONDS + 0.1)
        assert bench.renewals == 1
        assert bench.loop.charge.in_charge
        assert bench.loop.failures == 1

    in_bench(test)


def test_failed_command_comes_back_as_an_event_when_it_is_carried_out() -> None:
    async def test(bench: Bench) -> None:
        commands = Bench().loop.switchboard.handle(arrived())
        first = next(command for command in commands if hasattr(command, "channel"))
        bench.executor.errors[type(first)] = ZeroDivisionError()
        await bench.loop.settled(arrived())
        await asyncio.sleep(0.1)
        failed = [event for event in bench.journal.events if isinstance(event, CommandFailed)]
        assert failed[0].command == type(first).__name__

    in_bench(test)


def test_restored_timers_fire_after_the_first_snapshot_was_handled() -> None:
    async def main() -> None:
        before = Bench()
        before.loop.take(FaultReported(at=START, kind=AlarmKind.STALLED, subject="", detail="", lasting=False))
        assert before.board.state.timers
        later = EngineLoop(before.board, before.journal, before.executor, VirtualClock(), before.loop.seq)
        running = asyncio.create_task(later.run())
        await asyncio.sleep(3600)
        assert "TimerFired" not in before.journal.names
        later.post(snapshot())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        names = before.journal.names
        assert names.index("TimerFired") == names.index("SnapshotTaken", before.opened) + 1

    run(main())


def test_engine_ends_when_snapshot_after_snapshot_cannot_be_handled() -> None:
    async def main() -> None:
        bench = Bench()
        bench.board.raises_on = {SnapshotTaken}
        bench.loop.post(snapshot())
        with pytest.raises(NeverInCharge):
            await bench.loop.run()
        assert bench.loop.failures == MOST_FAILED_SNAPSHOTS

    run(main())


def test_no_new_stock_is_asked_for_when_the_connection_of_the_failed_snapshot_is_gone() -> None:
    async def test(bench: Bench) -> None:
        bench.board.raises_on = {SnapshotTaken}
        await bench.loop.settled(snapshot())
        bench.loop.lose_sight()
        await asyncio.sleep(STOCK_AGAIN_SECONDS * 2)
        assert bench.renewals == 0

    in_bench(test)


def test_nothing_is_sent_and_no_timer_fires_while_asterisk_is_not_heard() -> None:
    async def test(bench: Bench) -> None:
        bench.loop.lose_sight()
        begun = len(bench.executor.begun)
        await bench.loop.settled(arrived())
        await asyncio.sleep(3600)
        assert [type(command) for command in bench.executor.begun[begun:]] == [LookUpCaller]
        assert "TimerFired" not in bench.journal.names
        bench.see()
        await asyncio.sleep(1)
        # what was decided before is forgotten: of this caller, whom Asterisk does not have, nobody says a word more
        assert not [command for command in bench.executor.begun if isinstance(command, AnswerCaller)]

    in_bench(test)


def test_stale_events_send_nothing_and_stock_is_taken_anew_when_the_process_stood_still() -> None:
    async def test(bench: Bench) -> None:
        await bench.loop.settled(arrived(bench.now()))
        await asyncio.sleep(0.1)
        begun = len(bench.executor.begun)
        for key in "12":
            bench.loop.post(KeyPressed(at=bench.now(), call=CALL, key=key))
        stand_still(5.0)
        await asyncio.sleep(0.05)
        assert bench.renewals == bench.loop.stalls == 1
        assert bench.journal.names[-3:] == ["KeyPressed", "KeyPressed", "FaultReported"]
        assert bench.executor.begun[begun:] == []
        await asyncio.sleep(RECONNECT_SECONDS)
        assert bench.loop.charge.in_charge
        assert bench.board.state.alarms["stalled:"].detail.startswith("the engine stood still for 5")

    in_bench(test)


def test_timers_that_came_due_while_the_process_stood_still_fire_after_the_snapshot() -> None:
    async def test(bench: Bench) -> None:
        await bench.loop.settled(arrived(bench.now()))
        due = min(timer.due for timer in bench.board.state.timers.values())
        stand_still((due - bench.now()).total_seconds() + 2.0)
        await asyncio.sleep(RECONNECT_SECONDS + 0.1)
        names = bench.journal.names
        assert names.index("FaultReported") < names.index("SnapshotTaken", bench.opened)
        assert "TimerFired" not in names[: names.index("SnapshotTaken", bench.opened)]

    in_bench(test)


def test_commands_that_wait_are_forgotten_when_the_process_stood_still() -> None:
    async def test(bench: Bench) -> None:
        held = bench.executor.hold(CALL)
        await bench.loop.settled(arrived(bench.now()))
        await asyncio.sleep(0.1)
        assert any(isinstance(command, AnswerCaller) for command in bench.executor.begun)
        stand_still(5.0)
        held.set()
        await asyncio.sleep(0.1)
        of_call = {type(command) for command in bench.executor.begun if isinstance(command, CallCommand)}
        assert of_call == {
            AnswerCaller,
            LookUpCaller,
        }  # under way, and no matter of Asterisk's

    in_bench(test)


def test_long_queue_is_no_stall_and_lets_others_work() -> None:
    async def test(bench: Bench) -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        at_work = asyncio.create_task(other())
        for _ in range(100):
            bench.loop.post(KeyPressed(at=START, call=CALL, key="1"))
        await bench.loop.turned()
        at_work.cancel()
        assert turns >= 100
        assert bench.loop.stalls == 0

    in_bench(test)


def test_engine_ends_when_there_is_no_memory_left() -> None:
    async def main() -> None:
        bench = Bench()

        def handle(_: Event) -> tuple[Command, ...]:
            raise MemoryError

        bench.board.handle = handle  # type: ignore[method-assign]
        bench.loop.post(arrived())
        with pytest.raises(MemoryError):
            await bench.loop.run()
        assert len(bench.journal.turns) == bench.opened

    run(main())
