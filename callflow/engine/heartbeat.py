"""The engine's sign of life: two numbers in shared memory, which need no disk and no other process.

The first is the last moment at which it was in charge, for the watchdog; the second the last at which its loop turned
at all, for the supervisor. Both are of the monotonic clock, which is the same for all processes of a machine and jumps
for none. The file is allocated whole when it is made, so a full disk cannot silence an engine that is well.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

BEAT_SECONDS: Final = 0.25
_BEATS: Final = struct.Struct("=qq")
_BEAT: Final = struct.Struct("=q")
_TURN_AT: Final = _BEAT.size
_LOOK_AGAIN_NS: Final = 1_000_000_000
_AHEAD_SECONDS: Final = 1.0
"""A beat from so far in the future is none: the file is from before the machine's last start."""


class Heartbeat:
    """Written by the engine.

    Attributes:
        was_cut_off: whoever wrote it before never closed it: that engine was killed, or the machine went down.

    Args:
        path: made with its folder; what an earlier engine left there is silenced.

    Raises:
        OSError: there is no room for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._make()
        self.was_cut_off = _BEAT.unpack_from(self._memory, _TURN_AT) != (0,)
        _BEATS.pack_into(self._memory, 0, 0, 0)

    def _make(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, _BEATS.size)
            self._memory = mmap.mmap(handle, _BEATS.size)
            self._file = _identity(os.fstat(handle))
        finally:
            os.close(handle)
        self._looked_at = time.monotonic_ns()

    def beat(self) -> None:
        """The engine is in charge at this moment.

        Raises:
            OSError: its file was taken away, and there is no room for another.
        """
        now = time.monotonic_ns()
        if now - self._looked_at > _LOOK_AGAIN_NS:
            self._make_sure_of_file()
        _BEAT.pack_into(self._memory, 0, now)

    def turn(self) -> None:
        """The engine's loop has taken a turn at this moment, in charge or not."""
        _BEAT.pack_into(self._memory, _TURN_AT, time.monotonic_ns())

    def _make_sure_of_file(self) -> None:
        """A beat into a file that was deleted or put in another's place is felt by nobody."""
        try:
            there = _identity(self._path.stat()) == self._file
        except FileNotFoundError:
            there = False
        if not there:
            self._memory.close()
            self._make()
        self._looked_at = time.monotonic_ns()

    def silence(self) -> None:
        """The engine is not in charge: at once, not after a while."""
        _BEAT.pack_into(self._memory, 0, 0)

    def close(self) -> None:
        """An end in good order; the last beat in charge stays, unless it was silenced."""
        _BEAT.pack_into(self._memory, _TURN_AT, 0)
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class HeartbeatReader:
    """Read by the watchdog and the supervisor. The file is opened for each look: it may be made later, or anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def age_seconds(self) -> float | None:
        """How long ago the last beat was; None = there was none, or it cannot be read."""
        return self._since(0)

    def turned_seconds(self) -> float | None:
        """How long ago the loop last turned, in charge or not; infinite = not yet, None = that cannot be read."""
        return self._since(_TURN_AT, never=math.inf)

    def _since(self, offset: int, never: float | None = None) -> float | None:
        try:
            (moment,) = _BEAT.unpack_from(self._path.read_bytes(), offset)
        except (OSError, struct.error):
            return None
        age: float = (time.monotonic_ns() - moment) / 1e9
        return never if moment == 0 or age < -_AHEAD_SECONDS else max(0.0, age)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
