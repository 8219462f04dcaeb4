"""A recording that no caller should hear is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from callflow.media.errors import UnusableAudioError
from callflow.media.waveform import judge_recording, measure, read_audio

Write = Callable[..., Path]


def judge(path: Path) -> None:
    judge_recording(*read_audio(path))


def test_level_is_that_of_speech_when_half_of_it_is_pause() -> None:
    time = np.arange(8000) / 8000
    tone = (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    found = measure(np.concatenate([tone, np.zeros(8000, dtype=np.float32)]), 8000)
    assert found.seconds == 2.0
    assert found.speech_dbfs == pytest.approx(-9.03, abs=0.05)
    assert found.peak_dbfs == pytest.approx(-6.02, abs=0.05)
    assert found.clipped_share == 0


def test_nothing_is_measured_as_silence_when_there_are_no_samples() -> None:
    found = measure(np.zeros(0, dtype=np.float32), 8000)
    assert (found.seconds, found.speech_dbfs, found.clipped_share) == (0, -100, 0)


@pytest.mark.parametrize("sound", [{}, {"rate": 8000}, {"channels": 2}, {"subtype": "FLOAT"}, {"seconds": 0.4}])
def test_recording_is_taken_when_it_can_be_heard(sound: dict[str, object], write_sound: Write) -> None:
    judge(write_sound("a.wav", **sound))


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        ({"amplitude": 0.001}, "is silent"),
        ({"amplitude": 0.0}, "is silent"),
        ({"amplitude": 3.0}, "is clipped"),
        ({"seconds": 0.1}, "is no speech"),
        ({"seconds": 0.0}, "is no speech"),
        ({"rate": 6000}, "has 6000 samples a second"),
        ({"seconds": 601, "rate": 8000}, "is longer than 600 s"),
    ],
)
def test_recording_is_refused_when_it_cannot_be_heard(
    sound: dict[str, object], reason: str, write_sound: Write
) -> None:
    with pytest.raises(UnusableAudioError, match=reason):
        judge(write_sound("a.wav", **sound))


def test_recording_is_refused_when_it_is_no_audio(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(UnusableAudioError, match="save it as a WAV file"):
        read_audio(tmp_path / "a.wav")


def test_recording_is_refused_when_it_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableAudioError, match="cannot be read"):
        read_audio(tmp_path / "a.wav")


def test_recording_is_refused_when_it_is_huge(tmp_path: Path) -> None:
    with (tmp_path / "a.wav").open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    with pytest.raises(UnusableAudioError, match="is larger than"):
        read_audio(tmp_path / "a.wav")


def test_recording_is_refused_when_its_values_are_no_numbers(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(8000, np.nan), 8000, format="WAV", subtype="FLOAT")
    with pytest.raises(UnusableAudioError, match="is damaged"):
        read_audio(tmp_path / "a.wav")
