"""What earlier lives left in the journal's directories: how far each chain came, and what of it cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from callflow.journal import files
from callflow.journal.alarms import JournalAlarm, JournalFault, OnAlarm
from callflow.journal.errors import JournalDamaged
from callflow.journal.files import Tip
from callflow.journal.locks import Locks
from callflow.journal.mark import Mark

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


def is_damage(error: Exception) -> bool:
    """Whether a file is no use any more, rather than a disk for now."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
    return isinstance(error, JournalDamaged)


class Found:
    """Looks at one writer's files.

    Attributes:
        unreadable: a file was there whose end could not be told.
    """

    def __init__(self, writer: str, locks: Locks, on_alarm: OnAlarm, now: Callable[[], datetime]) -> None:
        self.unreadable = False
        self._writer = writer
        self._locks = locks
        self._alarm = on_alarm
        self._now = now

    def tip(self, directory: Path) -> Tip | None:
        """The tip of a directory's chain; a damaged file is set aside, a directory that cannot be used has none."""
        path = files.chain_path(directory, self._writer)
        try:
            self._locks.take(directory)
            if not path.exists():
                return self._marked_of_gone(path)
            connection = files.connect_writer(path)
            try:
                tip = files.tip_of(connection, path)
            finally:
                connection.close()
            return self._unless_torn(path, tip)
        except JournalDamaged as error:
            self.keep_aside(path, error.reason)
        except sqlite3.Error as error:
            if is_damage(error):
                self.keep_aside(path, str(error))
            else:
                self._tell(JournalFault.UNWRITABLE, f"{path}: {error}")
        except OSError as error:
            self._tell(JournalFault.UNWRITABLE, f"{directory}: {error.strerror}")
        self.unreadable = True
        return None

    def _marked_of_gone(self, path: Path) -> Tip | None:
        """How far the chain came whose file is not there: set aside by ourselves, or lost while nobody wrote."""
        marked = Mark(path).read()
        if marked is None or files.is_aside(path, marked.chain_id):
            return marked
        self._tell(JournalFault.DAMAGED, f"{path}: entries up to {marked.seq} were written, and the file is gone")
        files.set_leftovers_aside(path, self._now())
        return marked

    def _unless_torn(self, path: Path, tip: Tip) -> Tip:
        """The tip as it was committed: where the file has lost it, a new chain begins that names it."""
        marked = Mark(path).read()
        if marked is None or marked.chain_id != tip.chain_id or marked.seq <= tip.seq:
            return tip
        self.keep_aside(path, f"entries {tip.seq + 1} to {marked.seq} were written and are not there any more")
        return marked

    def keep_aside(self, path: Path, reason: str) -> None:
        """Set a file aside as evidence."""
        self._tell(JournalFault.DAMAGED, f"{path}: {reason}; it is kept aside as evidence")
        with suppress(OSError):
            files.set_aside(path, self._now())

    def _tell(self, fault: JournalFault, detail: str) -> None:
        self._alarm(JournalAlarm(fault=fault, detail=detail))
