"""Finds the sound files that Asterisk could not play: missing, unreadable, or in another format than a telephone's."""

from __future__ import annotations

import wave
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from callflow.media.prompts import MUSIC_NAME

_RATE: Final = 8000
_WIDTH: Final = 2


class PlayableFiles:
    """Looks at prompts and the waiting music again and again; a file that did not change is not read again.

    Args:
        directory: of the built prompts.
        names: of all prompts that there must be, by language.
    """

    def __init__(self, directory: Path, names: Mapping[str, Collection[str]]) -> None:
        self._directory = directory
        wanted = [f"{language}/{name}" for language, of in names.items() for name in of]
        self._wanted = (*sorted(wanted), MUSIC_NAME)
        self._known: dict[str, tuple[tuple[int, int], str | None]] = {}

    @property
    def wanted(self) -> tuple[str, ...]:
        """All that there must be, by path without `.wav`."""
        return self._wanted

    def faults(self) -> dict[str, str]:
        """What is wrong with each file that cannot be played, by path without `.wav`. Blocks."""
        found = ((name, self._fault(name)) for name in self._wanted)
        return {name: fault for name, fault in found if fault is not None}

    def _fault(self, name: str) -> str | None:
        path = self._directory / f"{name}.wav"
        try:
            status = path.stat()
            as_it_is = (status.st_mtime_ns, status.st_size)
            known = self._known.get(name)
            if known is None or known[0] != as_it_is:
                known = self._known[name] = (as_it_is, _format_fault(path))
        except FileNotFoundError:
            return "missing"
        except OSError as error:
            return error.strerror or "cannot be read"
        return known[1]


def _format_fault(path: Path) -> str | None:
    try:
        with wave.open(str(path), "rb") as sound:
            if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (_RATE, 1, _WIDTH):
                return "not 8 kHz, mono, 16 bits"
            return None if sound.getnframes() else "empty"
    except (wave.Error, EOFError):
        return "no WAV file"
