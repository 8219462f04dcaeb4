"""Keeps a copy of the sounds that callers hear, and puts back what is missing or broken: nobody waits in silence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class KeptSounds:
    """A copy beside the originals, best on another disk. Blocks.

    Args:
        directory: where callers' sounds are played from.
        copies: where the copies lie; made when it is not there.
    """

    def __init__(self, directory: Path, copies: Path) -> None:
        self._directory = directory
        self._copies = copies
        self._kept: dict[str, tuple[int, int]] = {}

    def keep(self, names: Iterable[str]) -> None:
        """Copy what changed since the last time; all of it can be played. What cannot be copied is tried again."""
        for name in names:
            try:
                status = (self._directory / f"{name}.wav").stat()
                as_it_is = (status.st_mtime_ns, status.st_size)
                if self._kept.get(name) != as_it_is:
                    _copy(self._directory, self._copies, name)
                    self._kept[name] = as_it_is
            except OSError as error:
                log.warning("a sound cannot be kept for bad days", sound=name, error=error.strerror)
                return

    def put_back(self, names: Iterable[str]) -> tuple[str, ...]:
        """Put back those of these that were kept; the names of those that were."""
        done = []
        for name in names:
            try:
                if (self._copies / f"{name}.wav").exists():
                    _copy(self._copies, self._directory, name)
                    done.append(name)
            except OSError as error:
                log.warning("a sound cannot be put back", sound=name, error=error.strerror)
        return tuple(done)


def _copy(source: Path, target: Path, name: str) -> None:
    """Whole, or not at all: a player must never find half a file."""
    to = target / f"{name}.wav"
    to.parent.mkdir(parents=True, exist_ok=True)
    new = to.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source / f"{name}.wav", new)
    new.replace(to)
