"""A prompt is found where it is spoken, in a telephone's quality, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from callflow.demo.audio import Audio, Samples, read_audio
from callflow.demo.samples import sample_heard
from callflow.media.tools import speak, to_telephone
from callflow.media.waiting_music import write_waiting_music

RATE = 8000


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audio]:
    """Sentences as callflow speaks them."""
    folder = tmp_path_factory.mktemp("spoken")
    texts = {
        "done": "Berhasil.",
        "last": "Anda petugas terakhir yang hadir. Mintalah persetujuan pengawas.",
        "wait": "Anda dalam antrean, mohon tetap di saluran. Petugas akan segera menjawab.",
    }
    for name, text in texts.items():
        speak(text, voice="id", words_per_minute=130, to=folder / f"{name}.raw.wav")
        to_telephone(folder / f"{name}.raw.wav", folder / f"{name}.wav")
    return {name: read_audio(folder / f"{name}.wav") for name in texts}


def tone(hz: float, seconds: float) -> Samples:
    return np.asarray(0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE), dtype=np.float64)


def coarse(samples: Samples) -> Samples:
    """As G.711 leaves it: mu-law steps, and half as loud."""
    squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    steps = np.round(squeezed * 128) / 128
    return np.asarray(0.5 * np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255, dtype=np.float64)


@pytest.mark.parametrize("name", ["done", "last", "wait"])
def test_prompt_is_found_where_it_begins_when_it_was_played(spoken: dict[str, Audio], name: str) -> None:
    heard = Audio(coarse(np.concatenate([tone(620, 1.5), spoken[name].samples, tone(440, 1.0)])), RATE)
    match = sample_heard(heard, spoken[name])
    assert match.likeness > 0.8
    assert match.at_seconds == pytest.approx(1.5, abs=0.25)


def test_prompt_is_found_when_the_phones_clock_lost_some_frames_in_the_middle(spoken: dict[str, Audio]) -> None:
    whole = spoken["wait"].samples
    middle = len(whole) // 2
    heard = Audio(np.concatenate([whole[:middle], whole[middle + 480 :]]), RATE)
    assert sample_heard(heard, spoken["wait"]).likeness > 0.6


@pytest.mark.parametrize("name", ["done", "last", "wait"])
def test_prompt_is_found_when_louder_tones_sound_over_it(spoken: dict[str, Audio], name: str) -> None:
    whole = spoken[name].samples
    heard = Audio(coarse(np.concatenate([tone(440, 1.5), whole + tone(440, len(whole) / RATE)])), RATE)
    assert sample_heard(heard, spoken[name]).likeness < 0.6
    match = sample_heard(heard, spoken[name], without_hz=(440, 620))
    assert match.likeness > 0.8
    assert match.at_seconds == pytest.approx(1.5, abs=0.25)
    assert sample_heard(heard, spoken["wait" if name == "last" else "last"], without_hz=(440, 620)).likeness < 0.5


def test_prompt_is_not_found_before_the_place_from_which_it_is_looked_for(spoken: dict[str, Audio]) -> None:
    heard = Audio(np.concatenate([spoken["last"].samples, tone(440, 3.0)]), RATE)
    assert sample_heard(heard, spoken["last"], from_seconds=heard.seconds - 3.0).likeness < 0.5


@pytest.mark.parametrize(("name", "other"), [("done", "last"), ("last", "wait"), ("wait", "last"), ("done", "wait")])
def test_prompt_is_not_found_when_another_was_played(spoken: dict[str, Audio], name: str, other: str) -> None:
    assert sample_heard(spoken[other], spoken[name]).likeness < 0.5


def test_prompt_is_not_found_in_tones_silence_or_music(spoken: dict[str, Audio], tmp_path: Path) -> None:
    write_waiting_music(tmp_path / "music.wav")
    music = read_audio(tmp_path / "music.wav").between(0, 20)
    for heard in (Audio(tone(440, 5) + tone(620, 5), RATE), Audio(np.zeros(5 * RATE), RATE), music):
        assert sample_heard(heard, spoken["last"]).likeness < 0.5


def test_nothing_is_found_when_the_recording_is_shorter_than_a_piece(spoken: dict[str, Audio]) -> None:
    assert sample_heard(Audio(np.ones(10), RATE), spoken["last"]).likeness == 0.0


def test_rates_are_refused_when_they_differ(spoken: dict[str, Audio]) -> None:
    with pytest.raises(ValueError, match="16000 samples a second"):
        sample_heard(Audio(np.zeros(16000), 16000), spoken["done"])
