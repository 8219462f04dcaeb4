"""Makes plain waiting music, so that a caller who waits before the city chose its music never hears silence."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

_RATE_PER_SECOND = 8000
_PEAK = 5200
_BAR_SECONDS = 2.5
_BARS_HZ = ((261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))
"""C, A minor, F, G: four soft chords."""


def ensure_music(directory: Path) -> None:
    """Write `waiting.wav` (8 kHz mono, 10 s, repeats without a gap) unless the directory holds any sound file."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(path.suffix in {".wav", ".alaw", ".ulaw", ".sln", ".g722"} for path in directory.iterdir()):
        return
    fresh = directory / ".waiting.part"
    with wave.open(str(fresh), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_PER_SECOND)
        for chord in _BARS_HZ:
            file.writeframes(b"".join(struct.pack("<h", sample) for sample in _bar(chord)))
    fresh.replace(directory / "waiting.wav")


def _bar(chord: tuple[float, ...]) -> list[int]:
    length = round(_BAR_SECONDS * _RATE_PER_SECOND)
    return [
        round(
            _PEAK
            / len(chord)
            * min(1.0, n / 400, (length - n) / 1600)
            * sum(math.sin(2 * math.pi * pitch * n / _RATE_PER_SECOND) for pitch in chord)
        )
        for n in range(length)
    ]
