"""Measures finished recordings: digest and length of each track, from the bytes as they lie on disk.

Asterisk writes `<call>.wav` (both mixed), `<call>-in.wav` (from the caller) and `<call>-out.wav` (to the caller), mono,
16 bits, 8 kHz, and for each consultation `<call>-consult-<n>.wav`. A file that still grows has no valid header: it is
not finished before its header agrees with its size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

TRACKS: Final = {"mixed": "", "in": "-in", "out": "-out"}
"""Names of every call's tracks and what they add to the file's name."""
_CONSULTATION: Final = re.compile(r"consult-[1-9][0-9]{0,5}")
_RATE: Final = 8000
_BYTES_A_SAMPLE: Final = 2
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTrack:
    """One track of a finished recording; `path` is relative to the recordings' directory."""

    name: str
    path: str
    sha256: str
    bytes: int
    seconds: float


def measure(directory: Path, call: str, *, even_unfinished: bool = False) -> tuple[MeasuredTrack, ...] | None:
    """Measure a call's tracks. Blocks for as long as reading the files takes.

    A consultation's track comes with the call's own, which come without it where it is missing or cannot be read. Alone
    it is reported only `even_unfinished`: the call's own may still be on their way.

    Args:
        directory: the recordings' directory.
        call: the call's id, safe by its making.
        even_unfinished: take files as they are: Asterisk died and will not finish them.

    Returns:
        The tracks that exist; None while one of them is still being written.

    Raises:
        OSError: when one of the call's own cannot be read.
    """
    own = _measured(directory, ((name, f"{call}{suffix}.wav") for name, suffix in TRACKS.items()), even_unfinished)
    if own is None or not (own or even_unfinished):
        return own
    consultations: list[MeasuredTrack] = []
    for name, file in _consultations(directory, call):
        try:
            track = _measured(directory, [(name, file)], even_unfinished)
        except OSError as error:
            log.warning("a consultation's recording cannot be read", call=call, track=name, error=error.strerror)
            continue
        if track is None:
            return None
        consultations += track
    return (*own, *consultations)


def _consultations(directory: Path, call: str) -> list[tuple[str, str]]:
    """The call's consultations that have files, by number: track and file."""
    names = (path.stem.removeprefix(f"{call}-") for path in directory.glob(f"{call}-consult-*.wav"))
    numbered = sorted((int(name.rpartition("-")[2]), name) for name in names if _CONSULTATION.fullmatch(name))
    return [(name, f"{call}-{name}.wav") for _, name in numbered]


def _measured(
    directory: Path, files: Iterable[tuple[str, str]], even_unfinished: bool
) -> tuple[MeasuredTrack, ...] | None:
    measured = []
    for name, file in files:
        path = directory / file
        if not path.is_file():
            continue
        data_bytes = _audio_bytes(path)
        if data_bytes is None and not even_unfinished:
            return None
        size = path.stat().st_size
        seconds = (size if data_bytes is None else data_bytes) / (_RATE * _BYTES_A_SAMPLE)
        measured.append(
            MeasuredTrack(name=name, path=path.name, sha256=_digest(path), bytes=size, seconds=round(seconds, 3))
        )
    return tuple(measured)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _audio_bytes(path: Path) -> int | None:
    """The length of the audio by the header; None when header and file disagree: it still grows, or never closed."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        place = 12
        size = path.stat().st_size
        while place + 8 <= size:
            file.seek(place)
            chunk = file.read(8)
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                return length if place + 8 + length == size else None
            place += 8 + length + length % 2
    return None
