"""Finds a known prompt in a recording, by its shape: what a person was told, whatever else sounded before or after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from callflow.demo.audio import Audio, Samples, read_audio

PIECE_SECONDS: Final = 0.4
"""Short enough that a phone's clock, some frames off over a prompt, does not blur it; long enough to be its own."""
BEGINNING_SECONDS: Final = 4.0
"""So much of a sample is looked for: nobody waits for the end of a long one."""
TONE_WIDTH_HZ: Final = 20.0
_QUIETEST: Final = 1e-4
"""Power below which a stretch is silence, and compared with nothing."""


@dataclass(frozen=True)
class SampleMatch:
    """How far a sample is there.

    Attributes:
        likeness: 0 to 1; the lesser of its two pieces'. Another prompt, a tone or music stays below 0.5.
        at_seconds: where the sample begins in the recording.
    """

    likeness: float
    at_seconds: float


def sample_heard(
    recording: Path | Audio, sample: Path | Audio, from_seconds: float = 0.0, *, without_hz: Collection[float] = ()
) -> SampleMatch:
    """Where a sample (a built prompt) is heard best in a recording, from `from_seconds` on.

    The loudest piece of either half of its first seconds is looked for, the second behind the first where it belongs,
    within 0.2 s.

    Args:
        recording: what was heard.
        sample: what may have been played.
        from_seconds: where in the recording to begin.
        without_hz: tones that sound at the same time, and are taken out of both first.

    Raises:
        ValueError: when the two have different rates.
    """
    heard, wanted = (each if isinstance(each, Audio) else read_audio(each) for each in (recording, sample))
    if heard.rate != wanted.rate:
        raise ValueError(f"the recording has {heard.rate} samples a second, the sample {wanted.rate}")
    wanted = wanted.between(0, BEGINNING_SECONDS)
    wanted = _without(wanted, without_hz)
    samples = _without(heard.between(from_seconds, None), without_hz).samples
    half = len(wanted.samples) // 2
    size = min(round(PIECE_SECONDS * wanted.rate), half)
    first = _loudest(wanted.samples[:half], size)
    second = half + _loudest(wanted.samples[half:], size)
    one = _likeness(samples, wanted.samples[first : first + size])
    two = _likeness(samples, wanted.samples[second : second + size])
    if not one.size:
        return SampleMatch(likeness=0.0, at_seconds=from_seconds)
    # the second piece may be a little early or late against the first
    slack = round(0.2 * wanted.rate)
    near = _highest_near(two, slack)
    gap = second - first
    both = np.minimum(one[: len(near) - gap], near[gap:]) if len(near) > gap else np.zeros(1)
    best = int(both.argmax())
    return SampleMatch(likeness=float(both[best]), at_seconds=from_seconds + (best - first) / heard.rate)


def _without(audio: Audio, tones_hz: Collection[float]) -> Audio:
    """The audio without a narrow band around each tone."""
    if not tones_hz or not len(audio.samples):
        return audio
    energy = np.fft.rfft(audio.samples)
    hz = np.fft.rfftfreq(len(audio.samples), 1 / audio.rate)
    for tone_hz in tones_hz:
        energy[np.abs(hz - tone_hz) < TONE_WIDTH_HZ] = 0
    return Audio(np.asarray(np.fft.irfft(energy, len(audio.samples)), dtype=np.float64), audio.rate)


def _loudest(samples: Samples, size: int) -> int:
    """Where the loudest stretch of this size begins."""
    return int(_power(samples, size).argmax())


def _power(samples: Samples, size: int) -> Samples:
    """The mean power of the stretch of this size that begins at each sample."""
    summed = np.concatenate(([0.0], np.cumsum(np.square(samples))))
    return np.asarray((summed[size:] - summed[:-size]) / size, dtype=np.float64)


def _likeness(samples: Samples, piece: Samples) -> Samples:
    """The correlation of a piece with every stretch of the samples, 0 to 1: 1 = the same but for its loudness."""
    size = len(piece)
    if len(samples) < size:
        return np.zeros(0)
    length = 1 << (len(samples) + size - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(samples, length) * np.conj(np.fft.rfft(piece, length)), length)
    power = _power(samples, size)
    scale = np.sqrt(power * np.square(piece).mean()) * size
    alike = np.divide(np.abs(products[: len(power)]), scale, out=np.zeros(len(power)), where=power > _QUIETEST)
    return np.asarray(np.clip(alike, 0.0, 1.0), dtype=np.float64)


def _highest_near(values: Samples, slack: int) -> Samples:
    """The highest value within `slack` before and behind each place."""
    step = max(1, slack // 8)
    padded = np.pad(values, slack)
    # a peak is a sample wide: the highest of each short block first, then of the blocks around
    shifts = range(0, 2 * slack + 1, step)
    blocks = np.lib.stride_tricks.sliding_window_view(np.pad(padded, (0, step - 1)), step).max(axis=1)
    return np.asarray(np.max([blocks[shift : shift + len(values)] for shift in shifts], axis=0), dtype=np.float64)
