"""In every phase of a call, whatever dies or comes back meanwhile, the watchdog leads the caller to a person."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio

from callflow.demo.audio import longest_silence_seconds
from callflow.demo.cast import Cast, Placed, gather_cast
from callflow.demo.layout import lay_out
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.errors import CallFailed
from callflow.demo.stage import set_stage

from .aftermath import leftovers, reconciled_funnel, whole_records

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]
LOST_SECONDS = 10.0
"""Who hears nothing for longer is lost."""
TO_A_PERSON_SECONDS = 30.0
"""Missed after 3 s, taken out of a prompt 2 s later, offered, greeted by the fallback, rung; the machine is busy."""
AWAY_SECONDS = 10.0
GREETED_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is going on when the engine dies.

    Attributes:
        caller: who has to reach a person.
        leave: has those whom the caller talks with leave, after the engine has died.
    """

    caller: Placed
    leave: Callable[[], Awaitable[None]] | None = None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cast(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    """One installation for all: each test leaves it with an engine in charge and nobody on the line."""
    folder = tmp_path_factory.mktemp("watchdog")
    layout = lay_out(folder / "centre", queue={"wrap_up_seconds": 20.0})
    async with set_stage(layout, print) as stage, gather_cast(stage, folder / "phones") as everybody:
        yield everybody


async def greeting(cast: Cast) -> Scene:
    """The caller hears the greeting: an order to go on would wait for its end."""
    placed = await cast.dial()
    await placed.phone.wait_heard(GREETED_SECONDS)
    return Scene(caller=placed)


async def queue(cast: Cast) -> Scene:
    """The caller waits with music; every operator is busy or away."""
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    await cast.fact(placed, "CallQueued")
    return Scene(caller=placed)


async def offering(cast: Cast) -> Scene:
    """A phone rings and nobody comes; it is rung again by the dialplan, and answered."""
    await cast.on_duty("siti")
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    rings = await cast.picked_up("siti")
    assert rings.end is None
    return Scene(caller=placed)


async def talking(cast: Cast) -> Scene:
    """Caller and operator; the operator's phone hangs up while nobody is there to end the caller's call as well."""
    placed, person = await _with_siti(cast)
    return Scene(caller=placed, leave=person.hang_up)


async def three_way(cast: Cast) -> Scene:
    """Caller, operator and ambulance; the operator leaves, caller and ambulance talk on, then that one leaves too."""
    placed, person = await _with_siti(cast)
    await person.send_dtmf("*31")
    ambulance = await cast.came("ambulans-a")
    await cast.fact(placed, "PartyJoined", name="medical", three_way=True)

    async def leave() -> None:
        await person.hang_up()
        heard = _heard(placed.phone)
        await placed.phone.wait_heard(heard + LOST_SECONDS / 2)  # several passes of the watchdog
        assert ambulance.end is None
        await ambulance.hang_up()

    return Scene(caller=placed, leave=leave)


async def wrap_up(cast: Cast) -> Scene:
    """A call is over and its operator writes; the next caller comes just before the engine dies."""
    before, person = await _with_siti(cast)
    await before.phone.hang_up()
    await person.wait_ended()
    await cast.operator_is("siti", "wrap_up")
    return await queue(cast)


@pytest.mark.parametrize(
    "phase", [greeting, queue, offering, talking, three_way, wrap_up], ids=lambda one: one.__name__
)
async def test_caller_reaches_a_person_when_the_engine_dies_for_good(
    cast: Cast, phase: Callable[[Cast], Awaitable[Scene]], capsys: pytest.CaptureFixture[str]
) -> None:
    await _as_before(cast)
    scene = await phase(cast)
    await _die(cast)
    await _everybody_answers(cast)
    if scene.leave is not None:
        await scene.leave()
    since = time.monotonic()
    person = await _served(cast)
    took = time.monotonic() - since
    assert scene.caller.phone.end is None
    await _all_over(cast, scene.caller, person)
    silence = await _not_lost(cast, scene.caller)
    with capsys.disabled():
        sys.stdout.write(f"\n{phase.__name__}: a person after {took:.1f} s, longest silence {silence:.1f} s\n")


async def test_who_waits_in_the_fallback_stays_there_when_the_engine_is_back_after_a_while(cast: Cast) -> None:
    await _as_before(cast)
    scene = await queue(cast)
    await _die(cast)
    heard = _heard(scene.caller.phone)
    await scene.caller.phone.wait_heard(heard + AWAY_SECONDS)
    await cast.stage.start_engine()
    await _everybody_answers(cast)
    person = await _served(cast)
    shown = await cast.observer.client.snapshot()
    assert shown["calls"] == []
    await _all_over(cast, scene.caller, person)
    await _not_lost(cast, scene.caller)


async def test_caller_reaches_a_person_when_the_watchdog_dies_with_the_engine(cast: Cast) -> None:
    await _as_before(cast)
    scene = await queue(cast)
    watchdog = cast.stage.supervisor.pids["watchdog"]
    await _die(cast)
    os.kill(watchdog, signal.SIGKILL)
    await _everybody_answers(cast)
    person = await _served(cast)
    assert cast.stage.supervisor.pids["watchdog"] != watchdog
    await _all_over(cast, scene.caller, person)
    await _not_lost(cast, scene.caller)


async def test_caller_is_served_once_when_the_engine_freezes_again_and_again(cast: Cast) -> None:
    await _as_before(cast)
    scene = await queue(cast)
    engine = cast.stage.supervisor.pids["engine"]
    for _ in range(3):
        os.kill(engine, signal.SIGSTOP)
        heard = _heard(scene.caller.phone)
        try:
            await scene.caller.phone.wait_heard(heard + 4.0)  # about as long as it takes until it is missed
        finally:
            os.kill(engine, signal.SIGCONT)
        await scene.caller.phone.wait_heard(heard + 5.0)
    await _everybody_answers(cast)
    await cast.on_duty("siti")
    person = await _served(cast)
    await _all_over(cast, scene.caller, person)
    await _not_lost(cast, scene.caller)


async def _as_before(cast: Cast) -> None:
    if "engine" not in cast.stage.supervisor.pids:
        await cast.stage.start_engine()
    await cast.take_places()
    await cast.on_duty()


async def _with_siti(cast: Cast) -> tuple[Placed, IncomingCall]:
    await cast.on_duty("siti")
    await cast.answers("siti")
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    person = await cast.picked_up("siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    return placed, person


async def _die(cast: Cast) -> None:
    """The engine is killed and, for as long as the test wants, not started again."""
    os.kill(cast.stage.supervisor.pids["engine"], signal.SIGKILL)
    await cast.stage.supervisor.stop("engine")


async def _everybody_answers(cast: Cast) -> None:
    for login in cast.consoles:
        await cast.answers(login)
    cast.desk.drop_arrived()


async def _served(cast: Cast) -> IncomingCall:
    """The call that came to an operator, and was not ended before it was heard for a second."""
    while True:
        call = await cast.desk.wait_incoming(TO_A_PERSON_SECONDS)
        with suppress(CallFailed):
            await call.wait_confirmed()
            await call.wait_heard(1.0)
            return call


def _heard(call: PhoneCall) -> float:
    """How many seconds this phone has heard until now."""
    assert call.recording is not None
    return time.monotonic() - call.recording.started_monotonic


async def _all_over(cast: Cast, caller: Placed, person: PhoneCall) -> None:
    await caller.phone.hang_up()
    await caller.phone.wait_ended()
    await person.wait_ended()
    if "engine" not in cast.stage.supervisor.pids:
        await cast.stage.start_engine()


async def _not_lost(cast: Cast, caller: Placed) -> float:
    """The longest silence; the record is one, says that a person answered, and nothing is left over."""
    recording = caller.phone.recording
    assert recording is not None
    silence = longest_silence_seconds(recording.path)
    assert silence < LOST_SECONDS
    if not cast.facts(caller, "CallConnected"):  # else a person of the engine's had answered already
        await cast.fact(caller, "CallServedInFallback")
    async with asyncio.timeout(TO_A_PERSON_SECONDS):
        while (record := (await whole_records(cast.stage.layout, [caller.call]))[0]).call.answered_at is None:  # noqa: ASYNC110 as told below
            await asyncio.sleep(0.1)  # the projector tells nobody that it has taken the witness's word
    assert (await reconciled_funnel(cast.stage.layout, [record])).arrived == 1
    assert await leftovers(cast.stage) == []
    return silence
