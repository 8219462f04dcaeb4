"""Says what people at their phones must hear at a moment of a script, and holds their recordings against it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from callflow.demo.audio import longest_silence_seconds, tone_present
from callflow.demo.cast import ALL_HZ, Cast
from callflow.demo.phones.call import PhoneCall
from callflow.demo.samples import sample_heard

MIXED_SHARE: Final = 0.2
"""The least part of what sounds that one of two or three tones at once has."""
MOST_OF_IT: Final = 0.6
"""A tone that is there is there for this part of the span: phones buffer, and joins take a moment."""
TRACE_SECONDS: Final = 0.3
"""A tone that is there for less is none: a frame or two may be caught on the way out."""
LONGEST_GAP_SECONDS: Final = 1.0
LEAST_LIKENESS: Final = 0.6
PROMPT_SECONDS: Final = 10.0
WAV_HEADER_BYTES: Final = 44
"""Until the first audio is written, a recording is not even that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Somebody at a phone.

    Attributes:
        hears: the tones of those whom this person hears.
        never: the tones of those whom this person must not hear.
        entertained: hears something all the time: music, a prompt.
    """

    who: str
    call: PhoneCall
    hears: tuple[float, ...] = ()
    never: tuple[float, ...] = ()
    entertained: bool = False


def heard_until_now(call: PhoneCall) -> float:
    """How many seconds a phone has recorded of a call."""
    recording = call.recording
    return 0.0 if recording is None else max(0.0, time.monotonic() - recording.started_monotonic)


async def listen(cast: Cast, seconds: float, *ears: Ear) -> None:
    """Let everybody hear for a while from now on, and expect of each ear what it says."""
    starts = [heard_until_now(ear.call) for ear in ears]
    await asyncio.gather(*(ear.call.wait_heard(start + seconds) for ear, start in zip(ears, starts, strict=True)))
    for ear, start in zip(ears, starts, strict=True):
        _expect(cast, ear, start, start + seconds)


def _expect(cast: Cast, ear: Ear, begin: float, end: float) -> None:
    recording = ear.call.recording
    assert recording is not None, "wait_heard came back"
    for hz in ear.hears:
        found = tone_present(recording.path, hz, begin, end, least_share=MIXED_SHARE).seconds
        enough = found >= MOST_OF_IT * (end - begin)
        cast.expect(enough, f"{ear.who} heard {hz:g} Hz for only {found:.2f} s of {end - begin:g}")
    for hz in ear.never:
        found = tone_present(recording.path, hz, begin, end, least_share=MIXED_SHARE).seconds
        cast.expect(found < TRACE_SECONDS, f"{ear.who} heard {hz:g} Hz for {found:.2f} s and should not")
    if ear.entertained:
        silent = longest_silence_seconds(recording.path, begin, end)
        cast.expect(silent < LONGEST_GAP_SECONDS, f"{ear.who} heard nothing for {silent:.1f} s")


async def told(cast: Cast, who: str, call: PhoneCall, prompt: str, since: float = 0.0) -> None:
    """Wait until somebody has heard a prompt in Indonesian, from `since` seconds of the recording on, or note that not.

    The call may be over, as that of a dialled feature code soon is.
    """
    sample = cast.stage.layout.settings.prompts_dir / "id" / f"{prompt}.wav"
    likeness = 0.0
    until = time.monotonic() + PROMPT_SECONDS
    while time.monotonic() < until:
        over = call.end is not None
        if call.recording is not None and call.recording.path.stat().st_size > WAV_HEADER_BYTES:
            likeness = sample_heard(call.recording.path, sample, since, without_hz=ALL_HZ).likeness
        if likeness >= LEAST_LIKENESS or over:
            break
        await asyncio.sleep(0.3)  # a recording grows without telling
    cast.expect(likeness >= LEAST_LIKENESS, f"{who} did not hear the prompt {prompt} (likeness {likeness:.2f})")
