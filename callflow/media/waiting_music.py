"""Composes the music that waiting callers hear: slow broken chords, made here, free of anybody's rights.

Every half second of it is heard, so that no caller takes waiting for a lost line, and the end runs into the
beginning without a gap. No tone of it is an A (440 Hz and its octaves), which phones and measurements use as a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from callflow.media.waveform import Samples

SAMPLE_RATE: Final = 8000
RECIPE: Final = 1
"""Raised when the music changes, so that it is made again."""
LEVEL_DBFS: Final = -22.0

_BEAT_SECONDS: Final = 0.5
_NOTE_SECONDS: Final = 3.0
# Tones a telephone carries well. Bars of eight beats: C major seventh, E minor, G major, E minor seventh in turn.
_C4, _D4, _E4, _G4, _B4, _C5, _D5, _E5, _G5 = 261.63, 293.66, 329.63, 392.00, 493.88, 523.25, 587.33, 659.26, 783.99
_BARS: Final = (
    (_C4, _G4, _B4, _E5, _G5, _E5, _B4, _G4),
    (_E4, _G4, _B4, _D5, _E5, _D5, _B4, _G4),
    (_D4, _G4, _B4, _D5, _G5, _D5, _B4, _G4),
    (_E4, _B4, _D5, _E5, _G5, _E5, _D5, _B4),
    (_C4, _E4, _G4, _C5, _E5, _C5, _G4, _E4),
    (_D4, _G4, _B4, _D5, _B4, _G4, _D4, _B4),
)


def waiting_music() -> Samples:
    """The whole piece, 24 s, always the same."""
    beats = [tone for bar in _BARS for tone in bar]
    piece = np.zeros(int(len(beats) * _BEAT_SECONDS * SAMPLE_RATE))
    for number, tone in enumerate(beats):
        note = _note(tone)
        # Written round the end into the beginning: that is what makes it loop without a gap.
        places = (int(number * _BEAT_SECONDS * SAMPLE_RATE) + np.arange(len(note))) % len(piece)
        np.add.at(piece, places, note)
    piece *= 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(np.square(piece)))
    return piece.astype(np.float32)


def _note(tone: float) -> Samples:
    """One struck note with two soft overtones."""
    time = np.arange(int(_NOTE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    sound = sum(
        strength * np.sin(2 * np.pi * tone * harmonic * time) for harmonic, strength in ((1, 1.0), (2, 0.25), (3, 0.08))
    )
    attack = np.minimum(1.0, time / 0.02)
    release = np.minimum(1.0, (_NOTE_SECONDS - time) / 0.2)
    return np.asarray(sound * attack * release * np.exp(-1.6 * time), dtype=np.float32)


def write_waiting_music(to: Path) -> None:
    """Write the piece as Asterisk plays it: WAV, 8 kHz, mono, 16 bit."""
    soundfile.write(to, waiting_music(), SAMPLE_RATE, format="WAV", subtype="PCM_16")
