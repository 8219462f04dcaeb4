"""Measures sound and judges whether a caller can hear it: how long, how loud, cut off or silent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from callflow.media.errors import UnusableAudioError

Samples: TypeAlias = npt.NDArray[np.float32]
"""One channel, from -1 to 1."""

SILENCE_DBFS: Final = -45.0
"""Quieter than this, speech is lost in the noise of a street."""
CLIPPED_SHARE: Final = 0.001
"""More samples than this at full scale are heard as crackling."""
_LARGEST_BYTES: Final = 50 * 1024 * 1024
_LONGEST_SECONDS: Final = 600
_SHORTEST_SECONDS: Final = 0.3
_FRAME_SECONDS: Final = 0.02
_PAUSE_BELOW_PEAK_DB: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What was measured.

    Attributes:
        speech_dbfs: level of the parts that are not pauses, RMS in dB below full scale.
        clipped_share: how many of the samples are at full scale, 0 to 1.
    """

    seconds: float
    sample_rate: int
    speech_dbfs: float
    peak_dbfs: float
    clipped_share: float


def read_audio(path: Path) -> tuple[Samples, int]:
    """The samples of a file, its channels mixed to one, and its sampling rate.

    Raises:
        UnusableAudioError: when it is too large, damaged, or no audio at all.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnusableAudioError(f"is larger than {_LARGEST_BYTES} bytes; record the spoken text alone")
        about = soundfile.info(path)
        if about.duration > _LONGEST_SECONDS:
            raise UnusableAudioError(f"is longer than {_LONGEST_SECONDS} s; record the spoken text alone")
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UnusableAudioError(f"cannot be read as audio ({error}); save it as a WAV file") from error
    if not np.isfinite(samples).all():
        raise UnusableAudioError("is damaged (it holds values that are no numbers); save it again as a WAV file")
    return samples.mean(axis=1, dtype=np.float32), int(rate)


def measure(samples: Samples, sample_rate: int) -> Measure:
    """Measure one channel."""
    return Measure(
        seconds=len(samples) / sample_rate,
        sample_rate=sample_rate,
        speech_dbfs=_decibels(_speech_rms(samples, sample_rate)),
        peak_dbfs=_decibels(float(np.abs(samples).max(initial=0.0))),
        clipped_share=float(np.mean(np.abs(samples) >= 0.999)) if len(samples) else 0.0,
    )


def _speech_rms(samples: Samples, sample_rate: int) -> float:
    frame = max(1, int(sample_rate * _FRAME_SECONDS))
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    if not len(whole):
        return 0.0
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    heard = power[power >= power.max() / 10 ** (_PAUSE_BELOW_PEAK_DB / 10)]
    return float(np.sqrt(heard.mean()))


def _decibels(amplitude: float) -> float:
    # 16-bit audio has nothing below -96 dB; a floor keeps digital silence a number.
    return round(20 * float(np.log10(max(amplitude, 1e-5))), 2)


def judge_recording(samples: Samples, sample_rate: int) -> Measure:
    """Measure a person's recording and refuse what no caller should hear.

    Raises:
        UnusableAudioError: naming what is wrong with it and what to do.
    """
    found = measure(samples, sample_rate)
    if found.sample_rate < 8000:
        raise UnusableAudioError(f"has {found.sample_rate} samples a second; record with 8000 or more")
    if found.seconds < _SHORTEST_SECONDS:
        raise UnusableAudioError(f"is {found.seconds:.2f} s long, which is no speech; record it again")
    if found.speech_dbfs < SILENCE_DBFS:
        raise UnusableAudioError(f"is silent ({found.speech_dbfs} dBFS); check the microphone and record it again")
    if found.clipped_share > CLIPPED_SHARE:
        raise UnusableAudioError(f"is clipped ({found.clipped_share:.1%} at full scale); record it again more quietly")
    return found
