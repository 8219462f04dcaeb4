"""Measures finished recordings: digest and length of each track, from the bytes as they lie on disk.

Asterisk writes `<call>.wav` (both mixed), `<call>-in.wav` (from the caller) and `<call>-out.wav` (to the caller), mono,
16 bits, 8 kHz, and for each consultation `<call>-consult-<n>.wav`. A file that still grows has no valid header: it is
not finished before its header agrees with its size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

TRACKS: Final = {"mixed": "", "in": "-in", "out": "-out"}
"""Names of every call's tracks and what they add to the file's name."""
_LONGEST_GAP: Final = 50
"""So many consultations in a row may have no file: nobody answered, or it could not be written."""
_RATE: Final = 8000
_BYTES_A_SAMPLE: Final = 2
_CHUNK: Final = 1 << 20
_HEADER_BYTES: Final = 44


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
        even_unfinished: Asterisk died and will not finish them. The header of one that is otherwise sound is put right,
            as Asterisk would have done at the end, so that it can be played; any other is taken as it is.

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


def _consultations(directory: Path, call: str) -> Iterator[tuple[str, str]]:
    """The call's consultations that have files, by number: track and file.

    Names are tried one by one: to list the directory, with the files of months, would take seconds.
    """
    number = last = 0
    while number < last + _LONGEST_GAP:
        number += 1
        name = f"consult-{number}"
        if (directory / f"{call}-{name}.wav").is_file():
            last = number
            yield name, f"{call}-{name}.wav"


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
        if data_bytes is None:
            data_bytes = _mend(path)
        size = path.stat().st_size
        seconds = (size if data_bytes is None else data_bytes) / (_RATE * _BYTES_A_SAMPLE)
        measured.append(
            MeasuredTrack(name=name, path=path.name, sha256=_digest(path), bytes=size, seconds=round(seconds, 3))
        )
    return tuple(measured)


def _mend(path: Path) -> int | None:
    """Write the lengths that are missing in the header of a file that was never closed; those of the audio, in bytes.

    Asterisk writes a canonical header of 44 bytes with both lengths 0, and fills them in when the recording ends.
    None = this is no such file; it stays as it is.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    unclosed = (
        len(head) == _HEADER_BYTES and head[:4] == b"RIFF" and head[8:16] == b"WAVEfmt " and head[36:40] == b"data"
    )
    if not unclosed or head[40:] != bytes(4):
        return None
    audio = size - _HEADER_BYTES
    with path.open("r+b") as file:
        file.seek(40)
        file.write(audio.to_bytes(4, "little"))
        file.seek(4)
        file.write((size - 8).to_bytes(4, "little"))
    return audio


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
