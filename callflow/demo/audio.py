"""Measures what is heard in a recording: tones, spans of sound, and the longest silence (a caller's limbo)."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float64]
"""Mono, from -1 to 1."""

FRAME_SECONDS = 0.05
"""Resolution of all spans: one frame."""
SOUND_DBFS = -50.0
"""Louder than this is sound. Silence in G.711 is below -72 dBFS, speech on a telephone about -26 dBFS."""
TONE_SHARE = 0.5
"""A tone that is more of the energy than this is what sounds there."""
_TONE_WIDTH_HZ = 25.0
_PCM = 1
_CODED = {6: "ALAW", 7: "ULAW"}


@dataclass(frozen=True)
class Audio:
    """A recording in memory.

    Attributes:
        samples: mono, from -1 to 1; several tracks are averaged.
        rate: samples a second.
    """

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate

    def between(self, from_seconds: float, to_seconds: float | None) -> Audio:
        """The part from `from_seconds` to `to_seconds` (None = the end)."""
        stop = None if to_seconds is None else round(to_seconds * self.rate)
        return Audio(self.samples[round(from_seconds * self.rate) : stop], self.rate)


@dataclass(frozen=True)
class Tone:
    """The strongest frequency.

    Attributes:
        hz: the frequency; 0 in digital silence.
        share: its part of all energy, 0 to 1.
    """

    hz: float
    share: float


@dataclass(frozen=True)
class ToneMatch:
    """How far a tone is there.

    Attributes:
        share: the tone's part of the energy in the span, 0 to 1; 0 in silence.
        seconds: for how long it is at least the share asked for of what sounds.
    """

    share: float
    seconds: float


@dataclass(frozen=True)
class Span:
    """A stretch of sound, in seconds from the recording's beginning."""

    from_seconds: float
    to_seconds: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.to_seconds - self.from_seconds


def read_audio(path: Path) -> Audio:
    """Read a WAV, also one that still grows or whose header was never finished: then all bytes that are there.

    Raises:
        ValueError: when it is no WAV, or not in PCM of 16 bits, A-law or mu-law.
    """
    return audio_of_wav(path.read_bytes())


def audio_of_wav(content: bytes) -> Audio:
    """Like `read_audio`, from bytes."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("no WAV: it does not begin with RIFF and WAVE")
    kind, channels, rate, bits = 0, 0, 0, 0
    place = 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        place += 8
        if name == b"fmt ":
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content, place)
        if name == b"data":
            if not rate:
                break
            # A writer that has not closed the file leaves 0, or more than is there, as the size.
            frames = content[place : place + size] if 0 < size <= len(content) - place else content[place:]
            return Audio(_decode(frames, kind, bits, channels), rate)
        place += size + size % 2
    raise ValueError("no WAV: it has no format or no data")


def read_raw(path: Path, rate: int = 8000, encoding: Literal["PCM_16", "ALAW", "ULAW"] = "PCM_16") -> Audio:
    """Read a file without a header: Asterisk's `.sln`, `.alaw`, `.ulaw`; it may still grow."""
    content = path.read_bytes()
    kind, bits = {"PCM_16": (_PCM, 16), "ALAW": (6, 8), "ULAW": (7, 8)}[encoding]
    return Audio(_decode(content, kind, bits, 1), rate)


def _decode(content: bytes, kind: int, bits: int, channels: int) -> Samples:
    whole = content[: len(content) - len(content) % (channels * bits // 8)]
    if kind == _PCM and bits == 16:
        samples = np.frombuffer(whole, dtype="<i2").astype(np.float64) / 32768
    elif kind in _CODED and bits == 8:
        samples = _expand(whole, _CODED[kind])
    else:
        raise ValueError(f"format {kind} with {bits} bits is not read here")
    return np.asarray(samples.reshape(-1, channels).mean(axis=1), dtype=np.float64)


def _expand(content: bytes, encoding: str) -> Samples:
    samples, _ = soundfile.read(
        io.BytesIO(content), channels=1, samplerate=8000, format="RAW", subtype=encoding, dtype="float64"
    )
    return np.asarray(samples, dtype=np.float64)


def dominant_tone(samples: Samples, rate: int) -> Tone:
    """The strongest frequency in the samples, to about 1 Hz in a second of audio, and its share of all energy."""
    energy, hz_per_bin = _spectrum(samples, rate)
    total = float(energy.sum())
    if total <= 0:
        return Tone(hz=0.0, share=0.0)
    peak = int(energy.argmax())
    near = slice(max(0, peak - 1), peak + 2)
    hz = float((energy[near] * np.arange(len(energy))[near]).sum() / energy[near].sum()) * hz_per_bin
    return Tone(hz=hz, share=_share_near(energy, hz_per_bin, hz))


def tone_present(
    recording: Path | Audio,
    hz: float,
    from_seconds: float = 0.0,
    to_seconds: float | None = None,
    least_share: float = TONE_SHARE,
) -> ToneMatch:
    """How far a tone of `hz` (within 40 Hz) fills a span of a recording.

    Args:
        recording: what was heard.
        hz: the tone.
        from_seconds: where the span begins.
        to_seconds: where it ends; None = at the recording's end.
        least_share: the tone's part of what sounds from which it counts as there; less where others sound with it.
    """
    part = _loaded(recording).between(from_seconds, to_seconds)
    near, total, seconds = 0.0, 0.0, 0.0
    for frame in _frames(part):
        if not is_sound(frame):
            continue
        energy, hz_per_bin = _spectrum(frame, part.rate)
        share = _share_near(energy, hz_per_bin, hz)
        near += share * float(energy.sum())
        total += float(energy.sum())
        if share > least_share:
            seconds += len(frame) / part.rate
    return ToneMatch(share=near / total if total else 0.0, seconds=seconds)


def energy_spans(
    recording: Path | Audio, threshold_dbfs: float = SOUND_DBFS, join_seconds: float = 0.0
) -> tuple[Span, ...]:
    """Where something sounds louder than `threshold_dbfs`; gaps up to `join_seconds` are passed over."""
    audio = _loaded(recording)
    spans: list[Span] = []
    start = 0.0
    for frame in _frames(audio):
        end = start + len(frame) / audio.rate
        if is_sound(frame, threshold_dbfs):
            if spans and start - spans[-1].to_seconds <= join_seconds + 1e-9:
                spans[-1] = Span(spans[-1].from_seconds, end)
            else:
                spans.append(Span(start, end))
        start = end
    return tuple(spans)


def longest_silence_seconds(
    recording: Path | Audio,
    from_seconds: float = 0.0,
    to_seconds: float | None = None,
    threshold_dbfs: float = SOUND_DBFS,
) -> float:
    """The longest stretch without sound in a span: at the caller, the longest limbo.

    Where the recording ends before `to_seconds`, what is missing counts as silence.
    """
    audio = _loaded(recording)
    end = audio.seconds if to_seconds is None else to_seconds
    if end <= from_seconds:
        return 0.0
    longest, quiet_since = 0.0, from_seconds
    for span in energy_spans(audio.between(from_seconds, end), threshold_dbfs):
        longest = max(longest, from_seconds + span.from_seconds - quiet_since)
        quiet_since = from_seconds + span.to_seconds
    return max(longest, end - quiet_since)


def is_sound(samples: Samples, threshold_dbfs: float = SOUND_DBFS) -> bool:
    """Whether the samples are louder than `threshold_dbfs` on average."""
    return level_dbfs(samples) > threshold_dbfs


def level_dbfs(samples: Samples) -> float:
    """The root mean square against full scale; -inf in digital silence."""
    power = float(np.square(samples).mean()) if len(samples) else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf


def _loaded(recording: Path | Audio) -> Audio:
    return recording if isinstance(recording, Audio) else read_audio(recording)


def _frames(audio: Audio) -> list[Samples]:
    size = max(1, round(FRAME_SECONDS * audio.rate))
    return [audio.samples[start : start + size] for start in range(0, len(audio.samples), size)]


def _spectrum(samples: Samples, rate: int) -> tuple[Samples, float]:
    """Energy by frequency and the width of a bin in Hz; a constant offset is no sound and left out."""
    if not len(samples):
        return np.zeros(1), 1.0
    windowed = (samples - samples.mean()) * np.hanning(len(samples))
    energy = np.square(np.abs(np.fft.rfft(windowed)))
    return np.asarray(energy, dtype=np.float64), rate / len(samples)


def _share_near(energy: Samples, hz_per_bin: float, hz: float) -> float:
    """The part of all energy within 25 Hz of `hz`, or within two bins where those are wider."""
    total = float(energy.sum())
    if total <= 0:
        return 0.0
    width = max(_TONE_WIDTH_HZ, 2 * hz_per_bin)
    centres = np.arange(len(energy)) * hz_per_bin
    return float(energy[np.abs(centres - hz) <= width].sum()) / total
