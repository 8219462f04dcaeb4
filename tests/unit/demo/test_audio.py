from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from callflow.demo.audio import (
    Audio,
    Samples,
    audio_of_wav,
    dominant_tone,
    energy_spans,
    is_sound,
    level_dbfs,
    longest_silence_seconds,
    read_audio,
    read_raw,
    tone_present,
)

RATE = 8000


def tone(hz: float, seconds: float, level: float = 0.3) -> Samples:
    return np.asarray(level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE), dtype=np.float64)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def audio(*parts: Samples) -> Audio:
    return Audio(np.concatenate(parts), RATE)


def wav(samples: Samples, subtype: str = "PCM_16", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def test_each_tone_counts_when_two_sound_and_a_part_is_enough() -> None:
    both = Audio(tone(440, 2) + tone(1120, 2), RATE)
    assert tone_present(both, 440).seconds == 0
    for hz in (440, 1120):
        assert tone_present(both, hz, least_share=0.2).seconds == pytest.approx(2.0)
    assert tone_present(both, 620, least_share=0.2).seconds == 0


@given(hz=st.floats(200, 3400), seconds=st.floats(0.5, 2.0))
def test_frequency_is_found_when_a_pure_tone_sounds(hz: float, seconds: float) -> None:
    found = dominant_tone(tone(hz, seconds), RATE)
    assert abs(found.hz - hz) < 2
    assert found.share > 0.99


def test_share_is_the_tones_part_when_two_tones_sound() -> None:
    found = dominant_tone(tone(440, 1, 0.4) + tone(1000, 1, 0.2), RATE)
    assert abs(found.hz - 440) < 1
    assert abs(found.share - 0.8) < 0.01


@pytest.mark.parametrize("samples", [silence(1), silence(0), np.full(800, 0.5)])
def test_no_tone_is_found_when_nothing_sounds(samples: Samples) -> None:
    assert (dominant_tone(samples, RATE).hz, dominant_tone(samples, RATE).share) == (0, 0)


def test_seconds_count_only_the_tone_when_it_sounds_for_a_part() -> None:
    match = tone_present(audio(silence(1), tone(440, 0.5), tone(620, 0.5)), 440)
    assert abs(match.seconds - 0.5) < 0.06
    assert 0.4 < match.share < 0.6


def test_tone_is_absent_when_another_or_none_sounds() -> None:
    other = tone_present(audio(tone(620, 1)), 440)
    assert (other.seconds, round(other.share, 3)) == (0, 0)
    assert tone_present(audio(silence(1)), 440).share == 0


def test_only_the_span_counts_when_one_is_named() -> None:
    recording = audio(tone(440, 1), tone(620, 1))
    assert tone_present(recording, 440, 0, 0.9).share > 0.99
    assert tone_present(recording, 440, 1.1, 2).seconds == 0


def test_spans_name_the_sound_when_silence_is_between() -> None:
    recording = audio(silence(0.5), tone(440, 0.5), silence(0.2), tone(440, 0.3), silence(1))
    first, second = energy_spans(recording)
    assert (first.from_seconds, first.to_seconds) == pytest.approx((0.5, 1.0))
    assert second.seconds == pytest.approx(0.3)
    (joined,) = energy_spans(recording, join_seconds=0.25)
    assert (joined.from_seconds, joined.to_seconds) == pytest.approx((0.5, 1.5))


def test_longest_silence_is_found_when_sound_comes_and_goes() -> None:
    recording = audio(silence(0.5), tone(440, 0.5), silence(1.5), tone(440, 0.5), silence(0.3))
    assert longest_silence_seconds(recording) == pytest.approx(1.5)
    assert longest_silence_seconds(recording, 0.5, 1.0) == pytest.approx(0)
    assert longest_silence_seconds(recording, 2.0, 3.3) == pytest.approx(0.5)
    assert longest_silence_seconds(recording, 1, 1) == 0


def test_missing_audio_is_silence_when_the_recording_ends_early() -> None:
    assert longest_silence_seconds(audio(tone(440, 1)), 0, 4) == pytest.approx(3)
    assert longest_silence_seconds(audio(tone(440, 1)), 2, 4) == pytest.approx(2)


@given(
    parts=st.lists(st.tuples(st.booleans(), st.integers(1, 20)), min_size=1, max_size=12),
)
def test_longest_silence_is_the_longest_quiet_run_when_any_pattern_is_heard(
    parts: list[tuple[bool, int]],
) -> None:
    frames = [sounds for sounds, count in parts for _ in range(count)]
    recording = audio(*(tone(400, 0.05) if sounds else silence(0.05) for sounds in frames))
    longest = run = 0
    for sounds in frames:
        run = 0 if sounds else run + 1
        longest = max(longest, run)
    assert longest_silence_seconds(recording) == pytest.approx(longest * 0.05, abs=1e-6)


def test_level_is_relative_to_full_scale_when_measured() -> None:
    assert level_dbfs(np.ones(100)) == 0
    assert level_dbfs(tone(500, 1, 1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(silence(1)) == -math.inf
    assert not is_sound(tone(500, 1, 0.001))
    assert not is_sound(silence(0))


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "ALAW"])
def test_samples_are_read_when_the_wav_is_whole(subtype: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(tone(440, 1), subtype))
    heard = read_audio(path)
    assert (heard.rate, len(heard.samples)) == (RATE, RATE)
    assert abs(dominant_tone(heard.samples, heard.rate).hz - 440) < 1
    assert level_dbfs(heard.samples) == pytest.approx(level_dbfs(tone(440, 1)), abs=0.1)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 10**6])
def test_all_bytes_are_read_when_the_header_was_never_finished(size: int) -> None:
    content = bytearray(wav(tone(440, 1)))
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    heard = audio_of_wav(bytes(content[: place + 4 + 8001]))
    assert heard.seconds == 0.5
    assert abs(dominant_tone(heard.samples, RATE).hz - 440) < 2


def test_later_chunks_are_no_sound_when_the_data_chunk_is_finished() -> None:
    content = wav(tone(440, 0.5)) + b"LIST\x04\x00\x00\x00abcd"
    assert audio_of_wav(content).seconds == 0.5


def test_tracks_are_averaged_when_there_are_two() -> None:
    both = np.stack([tone(440, 1), -tone(440, 1)], axis=1)
    assert level_dbfs(audio_of_wav(wav(both)).samples) < -80


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\0\0\0\0", b"\0" * 100])
def test_reading_fails_when_it_is_no_wav(content: bytes) -> None:
    with pytest.raises(ValueError, match="no WAV"):
        audio_of_wav(content)


def test_reading_fails_when_the_format_is_another() -> None:
    with pytest.raises(ValueError, match="not read here"):
        audio_of_wav(wav(tone(440, 0.1), "PCM_24"))


def test_raw_files_are_read_when_the_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sln"
    path.write_bytes((tone(440, 1) * 32767).astype("<i2").tobytes() + b"\x01")
    assert abs(dominant_tone(read_raw(path).samples, RATE).hz - 440) < 1
    path.write_bytes(b"\xff" * RATE)
    assert level_dbfs(read_raw(path, encoding="ULAW").samples) < -70
