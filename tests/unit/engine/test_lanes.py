from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from callflow.core.commands import AnswerCaller, AnswerCode, LookUpCaller, PrepareCentre, ReleaseLeg
from callflow.core.events import CommandFailed, Event, OfferRang
from callflow.core.ids import BridgeId, CallId, ChannelId, offer_id
from callflow.engine.clock import Clock
from callflow.engine.lanes import AGAIN_SECONDS, Lanes
from callflow.errors import CallflowError

from .outside import WatchedExecutor
from .virtual_time import VirtualClock, run

ONE, TWO = CallId("node1-1.1"), CallId("node1-2.1")
OFFER = offer_id(ONE, 1)
AT = Clock().now()


class Bench:
    """Lanes with their executor and what they posted."""

    def __init__(self) -> None:
        self.executor = WatchedExecutor()
        self.posted: list[Event] = []
        self.looks: list[Callable[[], object]] = []
        self.lanes = Lanes(self.executor, Clock(), self.posted.append, self._look)
        self.lanes.release()

    def _look(self) -> None:
        """Do what the test wants done when a command is about to begin."""
        while self.looks:
            self.looks.pop(0)()


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.lanes.close()


def answer(call: CallId) -> AnswerCaller:
    return AnswerCaller(call=call, channel=ChannelId(call.partition("-")[2]))


def release(call: CallId) -> ReleaseLeg:
    return ReleaseLeg(call=call, offer=offer_id(call, 1))


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_commands_of_a_call_are_done_in_order_when_the_first_is_slow(bench: Bench) -> None:
    held = bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    bench.lanes.add(release(ONE))
    await settle()
    assert bench.executor.begun == [answer(ONE)]
    held.set()
    await bench.lanes.idle()
    assert bench.executor.done == [answer(ONE), release(ONE)]


async def test_other_calls_go_on_when_one_is_stuck(bench: Bench) -> None:
    bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    bench.lanes.add(answer(TWO))
    bench.lanes.add(PrepareCentre(bridge=BridgeId("waiting-a"), endpoints=()))
    await settle()
    assert [type(command).__name__ for command in bench.executor.done] == ["AnswerCaller", "PrepareCentre"]
    assert bench.lanes.busy == 1


async def test_codes_hold_up_neither_each_other_nor_the_centre_nor_a_call(bench: Bench) -> None:
    one, two = AnswerCode(channel=ChannelId("node1-1.1"), prompts=()), AnswerCode(channel=ChannelId("b"), prompts=())
    prepare = PrepareCentre(bridge=BridgeId("waiting-a"), endpoints=())
    held = bench.executor.hold(one.channel)
    for command in (one, two, prepare, answer(TWO)):
        bench.lanes.add(command)
    await settle()
    assert bench.executor.done == [two, prepare, answer(TWO)]
    held.set()
    await bench.lanes.idle()
    assert bench.executor.done[-1] == one


async def test_failure_is_no_calls_when_a_code_could_not_be_answered(bench: Bench) -> None:
    bench.executor.errors[AnswerCode] = CallflowError("Asterisk said no")
    bench.lanes.add(AnswerCode(channel=ChannelId("b"), prompts=()))
    await bench.lanes.idle()
    (failed,) = bench.posted
    assert isinstance(failed, CommandFailed)
    assert (failed.call, failed.command) == ("", "AnswerCode")


async def test_lane_takes_a_command_when_it_was_idle_before(bench: Bench) -> None:
    bench.lanes.add(answer(ONE))
    await bench.lanes.idle()
    assert bench.lanes.busy == 0
    bench.lanes.add(release(ONE))
    await bench.lanes.idle()
    assert bench.executor.done == [answer(ONE), release(ONE)]


async def test_outcome_is_posted_when_a_command_brings_events(bench: Bench) -> None:
    rang = OfferRang(at=AT, call=ONE, offer=OFFER)
    bench.executor.brings[AnswerCaller] = [rang]
    bench.lanes.add(answer(ONE))
    await bench.lanes.idle()
    assert bench.posted == [rang]


async def test_failure_names_command_and_offer_when_it_could_not_be_done(bench: Bench) -> None:
    bench.executor.errors[ReleaseLeg] = CallflowError("Asterisk said no")
    bench.lanes.add(release(ONE))
    await bench.lanes.idle()
    (failed,) = bench.posted
    assert isinstance(failed, CommandFailed)
    assert (failed.call, failed.command, failed.offer) == (ONE, "ReleaseLeg", OFFER)
    assert failed.reason == "Asterisk said no"


async def test_lane_lives_on_when_the_executor_raises_what_nobody_expects(bench: Bench) -> None:
    bench.executor.errors[AnswerCaller] = ZeroDivisionError("+6281200001")
    bench.lanes.add(answer(ONE))
    bench.lanes.add(release(ONE))
    await bench.lanes.idle()
    (failed,) = bench.posted
    assert isinstance(failed, CommandFailed)
    assert (failed.command, failed.offer) == ("AnswerCaller", None)
    assert "ZeroDivisionError" in failed.reason
    assert "+62" not in failed.reason  # an exception's text may hold personal data
    assert bench.executor.done == [release(ONE)]


async def test_waiting_commands_are_dropped_when_the_lanes_close(bench: Bench) -> None:
    bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    bench.lanes.add(release(ONE))
    await settle()
    await bench.lanes.close()
    assert bench.executor.done == []
    assert bench.posted == []
    assert bench.lanes.busy == 0


async def test_held_commands_wait_and_those_under_way_go_on(bench: Bench) -> None:
    under_way = bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    bench.lanes.add(release(ONE))
    await settle()
    bench.lanes.hold()
    under_way.set()
    bench.lanes.add(answer(TWO))
    await bench.lanes.idle()
    assert bench.executor.done == [answer(ONE)]
    bench.lanes.release()
    await bench.lanes.idle()
    assert bench.executor.done == [answer(ONE), release(ONE), answer(TWO)]


async def test_looking_up_a_caller_is_neither_held_nor_dropped_nor_behind_others(bench: Bench) -> None:
    look_up = LookUpCaller(call=ONE, number="+6281200001")
    bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    await settle()
    bench.executor.held.clear()
    bench.lanes.hold()
    bench.lanes.add(look_up)
    assert bench.lanes.drop() == 1
    await bench.lanes.idle()
    assert bench.executor.done == [look_up]


async def test_dropped_commands_are_not_done_and_later_ones_are(bench: Bench) -> None:
    bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    bench.lanes.add(release(ONE))
    await settle()
    bench.lanes.hold()
    bench.lanes.add(answer(TWO))
    assert bench.lanes.drop() == 3
    assert bench.lanes.busy == 0
    bench.executor.held.clear()
    bench.lanes.add(release(TWO))
    bench.lanes.release()
    await bench.lanes.idle()
    await settle()
    assert bench.executor.done == [release(TWO)]
    assert bench.posted == []


async def test_lane_goes_on_with_what_came_after_when_it_is_dropped_at_its_own_look(bench: Bench) -> None:
    def stall() -> None:
        bench.lanes.hold()
        bench.lanes.drop()

    bench.looks = [stall]
    bench.lanes.add(answer(ONE))
    await settle()
    bench.lanes.add(release(ONE))
    bench.lanes.release()
    await bench.lanes.idle()
    assert bench.executor.begun == [release(ONE)]


async def test_settling_waits_for_what_is_under_way_but_not_for_what_hangs(bench: Bench) -> None:
    held = bench.executor.hold(ONE)
    bench.lanes.add(answer(ONE))
    await settle()
    bench.lanes.hold()
    settling = asyncio.create_task(bench.lanes.settle(60.0))
    await settle()
    assert not settling.done()
    held.set()
    await settling
    assert bench.executor.done == [answer(ONE)]
    bench.executor.hold(TWO)
    bench.lanes.release()
    bench.lanes.add(answer(TWO))
    await settle()
    await bench.lanes.settle(0.01)
    assert bench.lanes.busy == 1


def test_failed_preparation_is_told_after_a_while_since_it_is_asked_for_again_at_once() -> None:
    async def main() -> list[float]:
        executor, told = WatchedExecutor(), []
        prepare = PrepareCentre(bridge=BridgeId("waiting-a"), endpoints=())

        def again(event: Event) -> None:
            told.append(asyncio.get_running_loop().time())
            lanes.add(prepare)

        executor.errors[PrepareCentre] = CallflowError("Asterisk said no")
        lanes = Lanes(executor, VirtualClock(), again)
        lanes.release()
        lanes.add(prepare)
        await asyncio.sleep(3.5)
        await lanes.close()
        return told

    assert run(main()) == [AGAIN_SECONDS, 2 * AGAIN_SECONDS, 3 * AGAIN_SECONDS]
