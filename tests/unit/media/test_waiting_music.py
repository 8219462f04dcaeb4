"""Waiting is never silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from callflow.media.waiting_music import LEVEL_DBFS, SAMPLE_RATE, waiting_music, write_waiting_music


def test_every_half_second_is_heard_when_the_music_plays() -> None:
    halves = waiting_music().reshape(-1, SAMPLE_RATE // 2)
    levels = 20 * np.log10(np.sqrt(np.mean(np.square(halves), axis=1)))
    assert len(halves) == 48
    assert levels.min() > LEVEL_DBFS - 6


def test_no_sample_is_cut_off_when_the_music_plays() -> None:
    assert np.abs(waiting_music()).max() < 0.7


def test_end_runs_into_the_beginning_when_the_music_loops() -> None:
    music = waiting_music()
    steps = np.abs(np.diff(music))
    assert abs(float(music[0] - music[-1])) <= steps.max()


def test_no_test_tone_is_in_it_when_the_music_plays() -> None:
    music = waiting_music()
    strength = np.abs(np.fft.rfft(music))
    hertz = np.fft.rfftfreq(len(music), 1 / SAMPLE_RATE)
    for tone in (440, 880):
        near = strength[np.abs(hertz - tone) < 5].max()
        assert near < strength.max() / 30


def test_file_is_what_asterisk_plays_when_written(tmp_path: Path) -> None:
    write_waiting_music(tmp_path / "music.wav")
    about = soundfile.info(tmp_path / "music.wav")
    assert (about.samplerate, about.channels, about.subtype, about.duration) == (8000, 1, "PCM_16", 24.0)
