"""Counts the starts of this engine that never got in charge, so that one which cannot start tries another way.

A start counts as failed while what the engine knows can end it: it is read, or Asterisk's first snapshot is decided on
with it. Whoever is killed while it merely waits for Asterisk did not die of that, and must not have all forgotten.

The number is four digits that are overwritten in place: the disk may be full, and half a number is no number.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

FAILED_STARTS: Final = 2
"""After so many the engine begins empty, with no more than the flow that was in force."""
STEADY_SECONDS: Final = 0.5
"""A start has succeeded when the engine was in charge for so long: who is killed later did not die of what it knew."""
_NUMBER: Final = re.compile(rb"\d{4}")
_MOST: Final = 9999


def begins_empty(failed: int) -> bool:
    """Whether to begin empty after so many failed starts: after 2, 4, 8 …, lest each one leave files aside."""
    return failed >= FAILED_STARTS and failed.bit_count() == 1


def takes_flow(failed: int) -> bool:
    """Whether an engine that begins empty takes the flow that was in force: the first one does."""
    return failed <= FAILED_STARTS


class Starts:
    """The starts since the last that succeeded, this one left out.

    Args:
        path: made with its folder; unreadable = none failed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = 0
        self._succeeded = False

    def begin(self) -> int:
        """Count this start as failed until it succeeds or is forgiven; how many failed before it."""
        self._before = self._read()
        self.count()
        return self._before

    def count(self) -> None:
        """From here on it is what the engine knows that may end it, unless it has succeeded before."""
        if not self._succeeded:
            self._write(min(self._before + 1, _MOST))

    def succeed(self) -> None:
        """The engine is in charge."""
        self._succeeded = True
        self._before = 0
        self._write(0)

    def forgive(self) -> None:
        """It only waits, was ended, or could not start for another reason: that counts neither way."""
        self._write(self._before)

    def _read(self) -> int:
        try:
            number = _NUMBER.match(self._path.read_bytes())
        except OSError:
            return 0
        return int(number[0]) if number is not None else 0

    def _write(self, number: int) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, b"%04d\n" % number, 0)
            finally:
                os.close(handle)
        except OSError as error:
            log.warning("this start cannot be counted", path=str(self._path), error=error.strerror)
