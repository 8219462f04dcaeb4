from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from callflow.core.commands import AnswerCaller, AnswerCode, PrepareCentre, ReleaseLeg
from callflow.core.events import CommandFailed, Event, OfferRang
from callflow.core.ids import BridgeId, CallId, ChannelId, offer_id
from callflow.engine.clock import Clock
from callflow.engine.lanes import Lanes
from callflow.errors import CallflowError

from .outside import WatchedExecutor

ONE, TWO = CallId("node1-1.1"), CallId("node1-2.1")
OFFER = offer_id(ONE, 1)
AT = Clock().now()


class Bench:
    """Lanes with their executor and what they posted."""

    def __init__(self) -> None:
        self.executor = WatchedExecutor()
        self.posted: list[Event] = []
        self.lanes = Lanes(self.executor, Clock(), self.posted.append)


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
