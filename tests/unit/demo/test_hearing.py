"""What a person at a phone hears, or must not hear, is found in the phone's recording."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from callflow.demo.cast import Cast
from callflow.demo.hearing import Ear, heard_until_now, listen, told
from callflow.demo.phones.call import Recording
from callflow.media.tools import speak, to_telephone

RATE = 8000


@dataclass
class Call:
    """A phone's call that has been recorded for a while, and hears no more than that."""

    path: Path
    began: float
    end: object | None = None

    @property
    def recording(self) -> Recording:
        return Recording(self.path, datetime.now(UTC), self.began)

    async def wait_heard(self, seconds: float) -> Recording:
        return self.recording


def tone(hz: float, seconds: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE))


@pytest.fixture
def everybody(tmp_path: Path) -> Cast:
    settings = SimpleNamespace(prompts_dir=tmp_path / "prompts", recordings_dir=tmp_path)
    stage = SimpleNamespace(layout=SimpleNamespace(settings=settings))
    nobody = cast("Any", None)
    return Cast(cast("Any", stage), nobody, nobody, nobody, {}, nobody, {})


def call_that_heard(tmp_path: Path, *parts: np.ndarray[Any, np.dtype[np.float64]], ago: float) -> Any:
    """A call whose recording began `ago` seconds ago."""
    path = tmp_path / "heard.wav"
    soundfile.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
    return Call(path, time.monotonic() - ago)


async def test_nothing_is_found_when_two_tones_sound_from_now_on(everybody: Cast, tmp_path: Path) -> None:
    call = call_that_heard(tmp_path, tone(850, 5), tone(440, 4) + tone(620, 4), ago=5.2)
    assert heard_until_now(call) == pytest.approx(5.2, abs=0.5)
    await listen(everybody, 2.0, Ear(who="siti", call=call, hears=(440, 620), never=(850, 1120), entertained=True))
    assert everybody.failures == []


async def test_each_difference_is_found_when_the_wrong_people_are_heard(everybody: Cast, tmp_path: Path) -> None:
    call = call_that_heard(tmp_path, tone(440, 10), ago=3.0)
    await listen(everybody, 2.0, Ear(who="118", call=call, hears=(620,), never=(440,)))
    assert everybody.failures == [
        "118 heard 620 Hz for only 0.00 s of 2",
        "118 heard 440 Hz for 2.00 s and should not",
    ]


async def test_silence_is_found_when_somebody_waits(everybody: Cast, tmp_path: Path) -> None:
    call = call_that_heard(tmp_path, tone(440, 3), np.zeros(5 * RATE), ago=3.1)
    await listen(everybody, 2.0, Ear(who="the caller", call=call, entertained=True))
    (fault,) = everybody.failures
    assert fault.startswith("the caller heard nothing for 2")


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts" / "id"
    folder.mkdir(parents=True)
    for name, text in (("party_left", "Pihak lain sudah menutup telepon."), ("code_done", "Berhasil.")):
        speak(text, voice="id", words_per_minute=130, to=tmp_path / "spoken.wav")
        to_telephone(tmp_path / "spoken.wav", folder / f"{name}.wav")
    return folder


async def test_prompt_is_found_when_it_was_told(everybody: Cast, tmp_path: Path, prompts: Path) -> None:
    spoken, _ = soundfile.read(prompts / "party_left.wav")
    call = call_that_heard(tmp_path, tone(440, 2), spoken, ago=9.0)
    await told(everybody, "siti", call, "party_left", 1.0)
    assert everybody.failures == []


async def test_prompt_is_missed_when_the_call_ended_without_it(everybody: Cast, tmp_path: Path, prompts: Path) -> None:
    spoken, _ = soundfile.read(prompts / "party_left.wav")
    call = call_that_heard(tmp_path, tone(440, 2), spoken, ago=9.0)
    call.end = object()
    await told(everybody, "siti", call, "code_done")
    (fault,) = everybody.failures
    assert fault.startswith("siti did not hear the prompt code_done (likeness 0.")
