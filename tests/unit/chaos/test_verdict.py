"""The judge of chaos can fail a caller: who is silent for 11 s, who is cut off, who never hears a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from callflow.demo.audio import Audio, read_audio
from callflow.media.waiting_music import write_waiting_music

from ...chaos.scene import PERSONS_HZ  # noqa: TID252
from ...chaos.verdict import Heard, judge, person_heard  # noqa: TID252

RATE = 8000
PERSON_HZ = 620.0
PROMPT_HZ = 300.0


def sound(hz: float, seconds: float) -> list[float]:
    return list(0.25 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE))


def silence(seconds: float) -> list[float]:
    return [0.0] * int(seconds * RATE)


def audio(*parts: list[float]) -> Audio:
    return Audio(np.concatenate([np.asarray(part) for part in parts]), RATE)


def test_caller_is_served_when_a_person_speaks_after_a_short_silence() -> None:
    found = judge(Heard(audio=audio(sound(PROMPT_HZ, 2), silence(4), sound(PERSON_HZ, 2))), [PERSON_HZ])

    assert not found.lost
    assert 3.9 < found.limbo_seconds < 4.2


def test_caller_is_lost_when_silent_for_eleven_seconds_though_a_person_comes_then() -> None:
    found = judge(Heard(audio=audio(sound(PROMPT_HZ, 2), silence(11), sound(PERSON_HZ, 2))), [PERSON_HZ])

    assert found.lost
    assert 10.9 < found.limbo_seconds < 11.2


def test_caller_is_lost_when_a_bye_comes_before_a_person() -> None:
    found = judge(Heard(audio=audio(sound(PROMPT_HZ, 5)), cut_off=True), [PERSON_HZ])

    assert found.why == "was cut off before a person spoke"


def test_caller_is_lost_when_a_bye_comes_while_talking() -> None:
    assert judge(Heard(audio=audio(sound(PERSON_HZ, 5)), cut_off=True), [PERSON_HZ]).lost


def test_caller_is_lost_when_only_prompts_are_heard() -> None:
    assert judge(Heard(audio=audio(sound(PROMPT_HZ, 60))), [PERSON_HZ]).why == "never heard a person"


def test_caller_is_lost_when_the_person_spoke_only_before_the_fault() -> None:
    parts = (sound(PERSON_HZ, 5), sound(PROMPT_HZ, 5))

    assert judge(Heard(audio=audio(*parts)), [PERSON_HZ], from_seconds=5.0).lost


def test_caller_is_lost_when_there_never_was_media() -> None:
    assert judge(Heard(audio=None, unheard_seconds=3.0), [PERSON_HZ]).lost


def test_caller_is_lost_when_the_first_sound_comes_after_eleven_seconds() -> None:
    assert judge(Heard(audio=audio(sound(PERSON_HZ, 3)), unheard_seconds=11.0), [PERSON_HZ]).lost


def test_nobodys_tone_is_in_the_music_when_a_caller_waits(tmp_path: Path) -> None:
    path = tmp_path / "music.wav"
    write_waiting_music(path)

    assert not person_heard(read_audio(path), PERSONS_HZ)


def test_person_is_found_when_the_second_ends_anywhere_between_two_steps() -> None:
    for before in (4.0, 4.03, 4.11, 4.2, 4.31, 4.44):
        heard = audio(sound(PROMPT_HZ, before), sound(PERSON_HZ, 1.1))

        assert not judge(Heard(audio=heard), [PERSON_HZ]).lost, before
