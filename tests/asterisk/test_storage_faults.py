"""Disks and files fail under a whole installation: callers reach people, one alarm says what is wrong, and it goes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import pytest_asyncio

from callflow.demo.audio import longest_silence_seconds, tone_present
from callflow.demo.cast import CALLER_HZ, Cast, Placed
from callflow.demo.phones.call import IncomingCall
from callflow.demo.stage import Stage, wait_for_engine

from ..faults.disks import directory_gone, unwritable  # noqa: TID252
from ..faults.processes import kept_down  # noqa: TID252
from .aftermath import ended_record, journal_faults, leftovers, send_straight_to_people, whole_records

LIMBO_SECONDS = 10.0
ALARM_SECONDS = 15.0
PERSON_SECONDS = 60.0
EXPLAINED_SECONDS = 90.0
"""From the call's end until its record says why it has no audio."""
PERSON_HZ = 1550.0
"""Of every operator here: neither prompts nor the waiting music come near it."""


@pytest_asyncio.fixture
async def stage(stage: Stage) -> Stage:
    """Callers go straight to people."""
    await send_straight_to_people(stage.layout)
    return stage


async def alarm_stands(cast: Cast, kind: str, *, stands: bool = True) -> None:
    """Wait until the engine's API shows this alarm, or shows it no more."""

    def holds(snapshot: dict[str, Any]) -> bool:
        return (kind in {alarm["kind"] for alarm in snapshot["alarms"]}) is stands

    await cast.observer.until(f"{kind} {'stands' if stands else 'is over'}", holds, seconds=ALARM_SECONDS)


def limbo_seconds(placed: Placed) -> float:
    """The longest silence that the caller's phone recorded."""
    assert placed.phone.recording is not None
    return longest_silence_seconds(placed.phone.recording.path)


async def people_answer(cast: Cast, *logins: str) -> None:
    """These operators take each call soon, what rings already included."""
    for login in logins:
        await cast.desk.auto_answer(line=login, after_seconds=0.5, tone_hz=PERSON_HZ)
    for call in tuple(cast.desk.calls.values()):
        if isinstance(call, IncomingCall) and call.end is None and not call.recording:
            await call.play_tone(PERSON_HZ)
            await call.answer()


async def silence_until_a_person_was_heard(placed: Placed) -> float:
    """The longest silence at this caller's phone; a caller who hears nobody fails the test."""
    recording = await placed.phone.wait_recording(20.0)
    began = time.monotonic()
    heard = began - recording.started_monotonic
    while time.monotonic() < began + PERSON_SECONDS and placed.phone.end is None:
        heard += 0.5
        recording = await placed.phone.wait_heard(heard, 30.0)
        if tone_present(recording.path, PERSON_HZ, max(0.0, heard - 2.0), heard).seconds > 1.0:
            return longest_silence_seconds(recording.path, 0.0, heard)
    raise AssertionError(f"a caller reached nobody; ended: {placed.phone.end}")


async def talked(cast: Cast) -> Placed:
    """A caller and siti heard each other, and the call is over."""
    placed = await cast.dial()
    await cast.talk_to_the_end(placed, await cast.picked_up("siti"), PERSON_HZ, CALLER_HZ)
    return placed


async def test_calls_are_recorded_when_the_recordings_directory_was_taken_away(stage: Stage, cast: Cast) -> None:
    """Asterisk makes it anew with the next call."""
    await cast.on_duty("siti")
    await people_answer(cast, "siti")
    async with directory_gone(stage.layout.settings.recordings_dir):
        await alarm_stands(cast, "recordings_unwritable")
        placed = await talked(cast)
        await alarm_stands(cast, "recordings_unwritable", stands=False)
    assert limbo_seconds(placed) < LIMBO_SECONDS
    assert cast.failures == []
    await whole_records(stage.layout, [placed.call])


async def test_calls_are_served_and_recorded_as_without_audio_when_recordings_cannot_be_written(
    stage: Stage, cast: Cast
) -> None:
    await cast.on_duty("siti")
    await people_answer(cast, "siti")
    async with unwritable(stage.layout.settings.recordings_dir):
        await alarm_stands(cast, "recordings_unwritable")
        mute = await talked(cast)
    await alarm_stands(cast, "recordings_unwritable", stands=False)
    heard = await talked(cast)
    missing = await cast.fact(mute, "RecordingMissing", seconds=EXPLAINED_SECONDS)
    assert "recordings" in missing["reason"]
    record = await ended_record(stage.layout, mute.call)
    assert record.call.answered_at is not None
    assert (record.recording, record.call.no_recording) == ((), missing["reason"])
    assert limbo_seconds(mute) < LIMBO_SECONDS
    assert cast.failures == []
    await whole_records(stage.layout, [heard.call])
    assert await leftovers(stage) == []
    assert journal_faults(stage.layout, [mute.call, heard.call]) == []


@pytest.mark.parametrize("down", [(), ("engine",)], ids=["all run", "engine down"])
async def test_who_waits_is_not_left_in_silence_when_prompts_and_music_are_deleted(
    stage: Stage, cast: Cast, down: tuple[str, ...]
) -> None:
    """And whoever comes meanwhile is served."""
    await cast.on_duty("siti", "budi")
    waiting = await cast.dial()
    await cast.fact(waiting, "CallQueued")
    await waiting.phone.wait_heard(2.0)
    for path in stage.layout.settings.prompts_dir.rglob("*.wav"):
        path.unlink()
    await alarm_stands(cast, "prompts_missing")
    async with kept_down(stage, *down):
        arriving = await cast.dial(engine=not down)
        await waiting.phone.wait_heard(15.0)
        await people_answer(cast, "siti", "budi")
        silences = await asyncio.gather(*(silence_until_a_person_was_heard(each) for each in (waiting, arriving)))
        assert max(silences) < LIMBO_SECONDS
        await cast.hang_up_all()
    await wait_for_engine(stage.layout)
    await alarm_stands(cast, "prompts_missing", stands=False)
