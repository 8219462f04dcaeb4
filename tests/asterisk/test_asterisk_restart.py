"""Asterisk dies, or is restarted, with callers in the greeting, in the queue and in a talk: the next one is served.

Its calls end with it: that is said in their records, and who was not served is called back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from callflow.asterisk.errors import CliFailed
from callflow.core.facts import HangupParty
from callflow.core.facts import Stage as CallStage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, Cast, Placed
from callflow.demo.layout import CALLERS_BIND
from callflow.demo.phones.errors import PhoneError
from callflow.demo.phones.phone import Phone
from callflow.demo.stage import Stage
from callflow.media.recordings import measure

from ..faults.asterisk import asterisk_killed, asterisk_restarted  # noqa: TID252
from .aftermath import journal_faults, leftovers

NEXT_CALL_SECONDS = 10.0
"""From the death until an INVITE is answered."""
ASTERISK_ENDED = (HangupParty.SYSTEM, 38)
Fault = Callable[[Stage], AbstractAsyncContextManager[None]]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(asterisk_killed, id="killed"),
        pytest.param(asterisk_restarted, marks=pytest.mark.long, id="console"),
    ],
)
async def test_next_caller_is_served_and_the_dead_calls_say_why_when_asterisk_ended(
    stage: Stage, cast: Cast, fault: Fault, tmp_path: Path
) -> None:
    callers = await _place_everybody(cast)
    ended_at, told = time.monotonic(), len(cast.observer.facts)
    async with fault(stage), Phone.start(bind=CALLERS_BIND, name="next", recordings=tmp_path / "phones") as citizen:
        await _until_answered(cast, citizen)
        answered = time.monotonic() - ended_at
        await _until_phones_are_known(stage)
        registered = time.monotonic() - ended_at
        await cast.operator_is("siti", "available")
    print(f"INVITE answered after {answered:.1f} s, every phone known again after {registered:.1f} s")  # noqa: T201 measured
    assert answered < NEXT_CALL_SECONDS
    assert registered < NEXT_CALL_SECONDS

    for placed in callers.values():
        await cast.fact(placed, "CallbackOpened", after=told)
    ends = {name: (await cast.fact(placed, "CallEnded")) for name, placed in callers.items()}
    assert {(HangupParty(end["ended_by"]), end["cause"]) for end in ends.values()} == {ASTERISK_ENDED}
    assert {name: end["stage"] for name, end in ends.items()} == {
        "talking": CallStage.ANSWERED,
        "queued": CallStage.ABANDONED_IN_QUEUE,
        "greeting": CallStage.ABANDONED_IN_IVR,
    }
    _audio_is_there(stage, callers, ends)

    await cast.hang_up_all()
    cast.desk.drop_arrived()
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    person = await cast.picked_up("siti")
    await cast.talk_to_the_end(placed, person, OPERATOR_HZ["siti"])
    assert cast.failures == []
    await cast.observer.until("no calls", lambda snapshot: not snapshot["calls"])
    assert await leftovers(stage) == []
    assert journal_faults(stage.layout, [each.call for each in (*callers.values(), placed)]) == []


async def _place_everybody(cast: Cast) -> dict[str, Placed]:
    """One talks with the only operator, one waits, one hears the menu; each for long enough to be recorded."""
    await cast.on_duty("siti")
    await cast.answers("siti")
    talking = await cast.dial()
    await talking.phone.send_dtmf("2")
    await cast.fact(talking, "CallConnected")
    queued = await cast.dial()
    await queued.phone.send_dtmf("2")
    await cast.fact(queued, "CallQueued")
    greeting = await cast.dial()
    await greeting.phone.wait_heard(3.0)
    return {"talking": talking, "queued": queued, "greeting": greeting}


async def _until_answered(cast: Cast, citizen: Phone) -> None:
    """Dial 112 again and again, as somebody does whose call broke off, until it is answered; then hang up."""
    settings = cast.stage.layout.settings
    while True:
        call = await citizen.call(
            f"sip:112@{settings.trunk_host}:{settings.trunk_port}",
            from_uri=f"<sip:081299999999@{CALLERS_BIND}>",
            tone_hz=CALLER_HZ,
        )
        try:
            await call.wait_confirmed(NEXT_CALL_SECONDS)
        except PhoneError:
            await asyncio.sleep(0.1)  # refused at once: nobody listens on the port
            continue
        await call.hang_up()
        return


async def _until_phones_are_known(stage: Stage) -> None:
    """Until Asterisk, which kept their contacts, has seen every phone answer; nobody registers anew."""
    async with asyncio.timeout(NEXT_CALL_SECONDS):
        while True:
            with suppress(CliFailed):
                if (await stage.server.cli("pjsip show contacts")).count(" Avail ") == len(stage.layout.operators):
                    return
            await asyncio.sleep(0.1)


def _audio_is_there(stage: Stage, callers: dict[str, Placed], ends: dict[str, dict[str, str]]) -> None:
    """Every track can be played, but for the last seconds, which Asterisk had not written yet."""
    for name, placed in callers.items():
        tracks = measure(stage.layout.settings.recordings_dir, placed.call, even_unfinished=True)
        assert tracks is not None
        assert [track.name for track in tracks] == ["mixed", "in", "out"]
        recording = placed.phone.recording
        assert recording is not None
        lasted = (datetime.fromisoformat(ends[name]["at"]) - recording.started_at).total_seconds()
        print(f"{name}: {tracks[0].seconds:.1f} s recorded; the record ends {lasted:.1f} s after the answer")  # noqa: T201 measured
        assert all(track.seconds > 0.5 for track in tracks)
