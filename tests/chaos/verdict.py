"""Judges what became of one caller, from what the caller's own phone recorded and how the call ended.

Lost is as DOMAIN.md defines it, and stricter in one point: who already talks with a person is lost too when the call is
cut or falls silent for a second, for "talking calls never notice".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from callflow.demo.audio import FRAME_SECONDS, Audio, longest_silence_seconds, tone_present

LIMBO_SECONDS: Final = 10.0
"""A caller who hears nothing for longer is lost."""
TALK_SILENCE_SECONDS: Final = 1.0
"""Whoever talks while a fault strikes must not notice it: a longer silence is noticed."""
PERSON_TONE_SECONDS: Final = 1.0
"""A person's tone of this length is a person who speaks with the caller."""
_WINDOW_SECONDS: Final = 1.5
_STEP_SECONDS: Final = 0.25
"""Small enough for every second that ends within the span to lie whole in one window."""
_SHARE: Final = 0.3
"""In a three-way talk each of two tones has about half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one caller met.

    Attributes:
        audio: all that the caller's phone recorded; None = there never was media.
        unheard_seconds: without any media before the recording began.
        cut_off: the call was ended by the far end, or refused.
        until_seconds: where to stop in the recording; None = at its end.
    """

    audio: Audio | None
    unheard_seconds: float = 0.0
    cut_off: bool = False
    until_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one caller.

    Attributes:
        limbo_seconds: the longest silence, from the call's beginning until a person was there for good.
        why: why the caller is lost; '' = is not.
    """

    limbo_seconds: float
    why: str = ""

    @property
    def lost(self) -> bool:
        """Whether this caller is lost."""
        return bool(self.why)


def judge(heard: Heard, persons_hz: Iterable[float], from_seconds: float = 0.0) -> Verdict:
    """Judge one caller.

    Args:
        heard: what the caller met.
        persons_hz: the tones of everybody who counts as a person.
        from_seconds: where in the recording a person must be found at the earliest: the fault, for who talked already.
    """
    if heard.audio is None:
        return Verdict(limbo_seconds=heard.unheard_seconds, why="there was no sound at all")
    limbo = max(heard.unheard_seconds, longest_silence_seconds(heard.audio, 0.0, heard.until_seconds))
    if limbo > LIMBO_SECONDS:
        return Verdict(limbo_seconds=limbo, why=f"heard nothing for {limbo:.1f} s")
    if not person_heard(heard.audio, persons_hz, from_seconds, heard.until_seconds):
        why = "was cut off before a person spoke" if heard.cut_off else "never heard a person"
        return Verdict(limbo_seconds=limbo, why=why)
    if heard.cut_off:
        return Verdict(limbo_seconds=limbo, why="was cut off while talking")
    return Verdict(limbo_seconds=limbo)


def person_heard(
    audio: Audio, persons_hz: Iterable[float], from_seconds: float = 0.0, to_seconds: float | None = None
) -> bool:
    """Whether somebody's tone was there for a second within a window of one and a half."""
    tones = tuple(persons_hz)
    end = audio.seconds if to_seconds is None else min(to_seconds, audio.seconds)
    start = from_seconds
    while start + PERSON_TONE_SECONDS <= end + FRAME_SECONDS:
        window = audio.between(start, min(end, start + _WINDOW_SECONDS))
        if any(tone_present(window, hz, least_share=_SHARE).seconds >= PERSON_TONE_SECONDS for hz in tones):
            return True
        start += _STEP_SECONDS
    return False
