"""Sets the wall clock of some processes while they run, and of nothing else; their monotonic clock goes on evenly.

libfaketime (Debian: `faketime`) is loaded into them and reads the present offset from a file at each look:

    wall = FakedClock(folder)               # folder: one that a sandboxed Asterisk sees, too
    ...start processes with wall.environment...
    async with wall.jumped(3600): ...
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_PLACES: Final = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
"""The one for programs with threads."""


def library() -> Path | None:
    """libfaketime, where it is installed."""
    found = [path for pattern in _PLACES for path in Path("/").glob(pattern.removeprefix("/"))]
    return found[0] if found else None


class FakedClock:
    """A wall clock for the processes that are started with `environment`.

    Raises:
        FileNotFoundError: libfaketime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        source = library()
        if source is None:
            raise FileNotFoundError("libfaketime: install Debian's package faketime")
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / "libfaketime.so"
        shutil.copyfile(source, copy)
        self._offset = folder / "faketime"
        self._moved = 0.0
        self.set_by(0)
        self.environment = {
            "LD_PRELOAD": str(copy),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }

    def set_by(self, seconds: float) -> None:
        """The clock shows so many seconds more than the machine's, or fewer, from the next look on."""
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(f"{seconds:+g}s\n", encoding="ascii")
        fresh.replace(self._offset)

    def move(self, seconds: float) -> None:
        """The clock is set by so many seconds from what it shows now, once more."""
        self._moved += seconds
        self.set_by(self._moved)

    @asynccontextmanager
    async def jumped(self, seconds: float) -> AsyncIterator[None]:
        """The clock is set by so many seconds, and back afterwards."""
        self.set_by(seconds)
        try:
            yield
        finally:
            self.set_by(0)
