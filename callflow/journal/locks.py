"""Sees to it that one process alone writes a chain."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from callflow.journal import files
from callflow.journal.errors import JournalBusy


class Locks:
    """One writer's locks, a file in each of its directories; the kernel lets go of them whatever ends the process."""

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._held: dict[Path, int] = {}

    def take(self, directory: Path) -> None:
        """Be the only one who writes there; makes the directory.

        Raises:
            JournalBusy: another process does. OSError: the directory cannot be used.
        """
        if directory in self._held:
            return
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory / f"{self._writer}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise JournalBusy(files.chain_path(directory, self._writer)) from None
        self._held[directory] = handle

    def drop(self, directory: Path) -> None:
        """Let go of one."""
        handle = self._held.pop(directory, None)
        if handle is not None:
            os.close(handle)

    def close(self) -> None:
        """Let go of all."""
        for directory in tuple(self._held):
            self.drop(directory)
