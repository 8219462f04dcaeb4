"""The engine dies for good, or freezes: who sits alone reaches a person, who talks goes on, the records are whole."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from callflow.demo.audio import longest_silence_seconds
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, SECOND_CALLER_HZ, Cast, Placed
from callflow.demo.phones.call import IncomingCall
from callflow.demo.stage import Stage
from callflow.engine.client import EngineClient

from .aftermath import journal_faults, leftovers, reconciled_funnel, whole_records

LOST_SECONDS = 10.0
"""Who hears nothing for longer is lost."""
TO_A_PERSON_SECONDS = 20.0
"""Three seconds until the engine is missed, half a second for the offer, the fallback's greeting, a ring."""


async def test_whoever_sits_alone_reaches_a_person_when_the_engine_dies_for_good(stage: Stage, cast: Cast) -> None:
    talking, person = await _talk(cast, "siti")
    waiting = await _queued(cast)
    greeted = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    for login in ("budi", "dewi"):
        await cast.answers(login)
    killed_at = time.monotonic()
    os.kill(stage.supervisor.pids["engine"], signal.SIGKILL)
    await stage.supervisor.stop("engine")

    for _ in (waiting, greeted):
        await _served(cast)
    assert time.monotonic() - killed_at < TO_A_PERSON_SECONDS
    assert talking.phone.end is None
    assert person.end is None

    await person.hang_up()  # nobody is there to end the caller as well: whose partner leaves is sent on
    assert (await _served(cast)).line == "siti"
    await _all_hang_up(cast)
    await stage.start_engine()
    await _nobody_was_lost(stage, cast, talking, waiting, greeted)


async def test_who_waits_reaches_a_person_and_the_next_is_served_when_the_engine_was_frozen(
    stage: Stage, cast: Cast
) -> None:
    talking, person = await _talk(cast, "siti")
    waiting = await _queued(cast)
    for login in ("budi", "dewi"):
        await cast.answers(login)
    engine = stage.supervisor.pids["engine"]
    os.kill(engine, signal.SIGSTOP)
    try:
        first = await _served(cast)
    finally:
        os.kill(engine, signal.SIGCONT)
    assert stage.supervisor.pids["engine"] == engine
    await _took_stock_anew(stage)
    await cast.observer.until(
        "the engine has its caller", lambda shown: [each["state"] for each in shown["calls"]] == ["connected"]
    )

    free = "dewi" if first.line == "budi" else "budi"
    await cast.consoles[free].move(free, "sign-in")
    afterwards = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await afterwards.phone.send_dtmf("2")
    second = await cast.picked_up(free)
    await cast.talk(afterwards, second)
    assert talking.phone.end is None
    await talking.phone.hang_up()
    await person.wait_ended()
    await _all_hang_up(cast)
    cast.heard_each_other(talking, person, CALLER_HZ, OPERATOR_HZ["siti"])
    await _nobody_was_lost(stage, cast, talking, waiting, afterwards)


async def _took_stock_anew(stage: Stage) -> None:
    """Wait until the engine has noticed that it stood still, and is in charge again."""
    async with asyncio.timeout(20), EngineClient(stage.layout.settings.engine_socket) as engine:
        while True:
            health = await engine.health()
            if health["stalls"] and health["in_charge"]:
                return
            await asyncio.sleep(0.05)  # it tells nobody


async def _talk(cast: Cast, login: str) -> tuple[Placed, IncomingCall]:
    await cast.on_duty(login)
    await cast.answers(login)
    talking = await cast.dial()
    await talking.phone.send_dtmf("2")
    person = await cast.picked_up(login)
    await cast.fact(talking, "CallConnected", operator=login)
    await cast.talk(talking, person, 1.0)
    return talking, person


async def _queued(cast: Cast) -> Placed:
    waiting = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await waiting.phone.send_dtmf("2")
    await cast.fact(waiting, "CallQueued")
    return waiting


async def _served(cast: Cast) -> IncomingCall:
    """The next call that came to an operator, who heard the caller."""
    call = await cast.desk.wait_incoming(TO_A_PERSON_SECONDS)
    await call.wait_confirmed()
    await call.wait_heard(1.0)
    return call


async def _all_hang_up(cast: Cast) -> None:
    """Every citizen who is still there."""
    for call in cast.citizens.calls.values():
        if call.end is None:
            await call.hang_up()
            await call.wait_ended()


async def _nobody_was_lost(stage: Stage, cast: Cast, *callers: Placed) -> None:
    for caller in callers:
        recording = caller.phone.recording
        assert recording is not None
        silence = longest_silence_seconds(recording.path)
        assert silence < LOST_SECONDS, f"{caller.call} heard nothing for {silence:.1f} s"
    assert cast.failures == []
    for caller in callers:
        if not cast.facts(caller, "CallConnected"):  # else a person of the engine's had answered already
            await cast.fact(caller, "CallServedInFallback")
    async with asyncio.timeout(TO_A_PERSON_SECONDS):
        while True:
            records = await whole_records(stage.layout, [caller.call for caller in callers])
            if None not in [record.call.answered_at for record in records]:
                break
            await asyncio.sleep(0.1)  # the projector tells nobody that it has taken the witness's word
    funnel = await reconciled_funnel(stage.layout, records)
    assert funnel.arrived == len(callers)
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, stage.layout, [caller.call for caller in callers]) == []
