"""Gets rows onto a disk: the first directory, or the second when the first fails; survives full disks and lost files.

Every file is one chain without gaps. When writing moves elsewhere, a new chain begins that names the one before, and
at the next start a chain of the first directory goes on from there. Used by one thread.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callflow.core.ids import CentreId
from callflow.journal import files
from callflow.journal.alarms import JournalAlarm, JournalFault, OnAlarm
from callflow.journal.chain import ChainBirth, link, new_chain_id, new_salt, payload_digest
from callflow.journal.errors import JournalBusy, JournalDamaged
from callflow.journal.files import Row, Tip

_FAILURES: Final = (sqlite3.Error, OSError, JournalDamaged, JournalBusy)
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
SECOND_AFTER_SECONDS: Final = 1.0
"""How long the first directory is tried before the second is taken."""


@dataclass(frozen=True, slots=True)
class Text:
    """An entry in words, not yet in a chain."""

    seq: int
    envelope: str
    payload: str


class Unwritable(Exception):
    """No directory takes the rows now."""


class Sink:
    """The file being written. `open` never fails for want of a disk; `write` tries again each time it is called.

    Args:
        directory: where the chain lives. second: where it goes when that fails; ideally another disk.
    """

    def __init__(
        self,
        *,
        directory: Path,
        second: Path | None,
        writer: str,
        centre: CentreId,
        on_alarm: OnAlarm,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directories = [directory] if second is None else [directory, second]
        self._writer = writer
        self._centre = centre
        self._alarm = on_alarm
        self._now = now
        self._locks: dict[Path, int] = {}
        self._connection: sqlite3.Connection | None = None
        self._path = files.chain_path(directory, writer)
        self._inode = 0
        self._tip: Tip | None = None
        self._floor = 0
        self._unreadable = False
        self._failing_since: float | None = None

    @property
    def path(self) -> Path:
        """The file in use."""
        return self._path

    def open(self) -> int:
        """Take the chain over and say the number of its last entry.

        Raises:
            JournalBusy: another process writes this chain.
        """
        tips = [tip for directory in self._directories if (tip := self._tip_or_aside(directory)) is not None]
        self._tip = max(tips, key=lambda tip: tip.seq, default=None)
        self._floor = self._tip.seq if self._tip else 0
        if self._unreadable:
            # A number must not be given twice: the clock's milliseconds are above any that was ever given.
            self._floor = max(self._floor, int(self._now().timestamp() * 1000))
        try:
            self._use(self._directories[0], "the chain before could not be read or is in the other directory")
        except _FAILURES as error:
            self._fail(error)
        return self._floor

    def write(self, texts: list[Text]) -> None:
        """Bring entries to a disk, in order; those that are there already are passed over.

        Raises:
            Unwritable: none of them is; call again with the same and later ones.
        """
        for directory in self._directories_to_try():
            try:
                self._write_in(directory, texts)
            except _FAILURES as error:
                self._fail(error)
            else:
                if self._failing_since is not None:
                    self._failing_since = None
                    self._tell(JournalFault.WRITABLE_AGAIN, str(self._path))
                return
        raise Unwritable

    def close(self) -> None:
        """Close the file and let other processes have it."""
        self._drop_connection()
        for handle in self._locks.values():
            os.close(handle)
        self._locks.clear()

    # --- one step each ----------------------------------------------------------------------------------------------

    def _directories_to_try(self) -> list[Path]:
        """The one in use; the others too once that has failed for a while."""
        used = self._path.parent
        if self._failing_since is None or time.monotonic() - self._failing_since < SECOND_AFTER_SECONDS:
            return [used]
        return [used, *(directory for directory in self._directories if directory != used)]

    def _write_in(self, directory: Path, texts: list[Text]) -> None:
        moved = directory != self._path.parent
        if self._connection is None or moved:
            self._use(directory, "the other directory could not be written" if moved else "the file was gone")
        self._see_that_file_is_there()
        self._insert(texts)
        if moved:
            self._tell(JournalFault.ON_SECOND_DIRECTORY, str(self._path))

    def _insert(self, texts: list[Text]) -> None:
        assert self._connection is not None
        assert self._tip is not None
        tip = self._tip
        rows = []
        for text in texts:
            if text.seq <= tip.seq:
                continue
            salt = new_salt()
            digest = payload_digest(salt, text.payload)
            value = link(tip.chain, text.envelope, digest)
            rows.append(
                Row(
                    seq=text.seq,
                    envelope=text.envelope,
                    payload_digest=digest,
                    chain=value,
                    salt=salt,
                    payload=text.payload,
                )
            )
            tip = Tip(chain_id=tip.chain_id, seq=text.seq, chain=value)
        if rows:
            files.insert(self._connection, rows)
            self._tip = tip

    def _tip_or_aside(self, directory: Path) -> Tip | None:
        """The tip of a directory's chain; a damaged file is set aside, a directory that cannot be used has none."""
        path = files.chain_path(directory, self._writer)
        try:
            self._lock(directory)
            if not path.exists():
                return None
            connection = files.connect_writer(path)
            try:
                return files.tip_of(connection, path)
            finally:
                connection.close()
        except JournalDamaged as error:
            self._keep_aside(path, error.reason)
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in _DAMAGE:
                self._keep_aside(path, str(error))
            else:
                self._tell(JournalFault.UNWRITABLE, f"{path}: {error}")
        except OSError as error:
            self._tell(JournalFault.UNWRITABLE, f"{directory}: {error.strerror}")
        self._unreadable = True
        return None

    def _keep_aside(self, path: Path, reason: str) -> None:
        self._tell(JournalFault.DAMAGED, f"{path}: {reason}; it is kept aside as evidence")
        with suppress(OSError):
            files.set_aside(path, self._now())

    def _use(self, directory: Path, reason: str) -> None:
        """Write to the chain in `directory`: go on with the one there if it is the newest, begin one otherwise."""
        self._lock(directory)
        self._drop_connection()
        path = files.chain_path(directory, self._writer)
        if path.exists():
            connection = files.connect_writer(path)
            try:
                tip = files.tip_of(connection, path)
            except BaseException:
                connection.close()
                raise
            if self._tip is None or self._tip.chain_id != tip.chain_id or tip.seq < self._floor:
                connection.close()
                files.set_aside(path, self._now())
                connection = self._begin(path, self._tip or tip, reason)
            else:
                self._tip = tip
        else:
            connection = self._begin(path, self._tip, reason)
        self._connection, self._path, self._inode = connection, path, path.stat().st_ino

    def _begin(self, path: Path, before: Tip | None, reason: str) -> sqlite3.Connection:
        last = max(before.seq if before else 0, self._floor)  # a new chain goes on counting
        birth = ChainBirth(
            chain_id=new_chain_id(),
            writer=self._writer,
            centre=self._centre,
            born_at=self._now(),
            first=last + 1,
            continues=before.name() if before else "",
            reason=reason if before else "the first chain, or none before it could be read",
        )
        connection = files.create(path, birth)
        self._tip = files.tip_of(connection, path)
        return connection

    def _see_that_file_is_there(self) -> None:
        """SQLite writes on into a file that was deleted or replaced: what it holds is brought back first."""
        assert self._connection is not None
        try:
            if self._path.stat().st_ino == self._inode:
                return
            stranger = True
        except FileNotFoundError:
            stranger = False
        self._tell(JournalFault.FILE_GONE, f"{self._path} was {'replaced' if stranger else 'deleted'}")
        rescue = self._path.with_name(f"{self._path.name}.rescue")
        rescue.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        rescue.unlink(missing_ok=True)
        self._connection.execute("VACUUM INTO ?", (str(rescue),))
        rescue.chmod(0o600)
        self._drop_connection()
        if stranger:
            files.set_aside(self._path, self._now())
        rescue.rename(self._path)
        self._use(self._path.parent, "the file was gone")

    def _lock(self, directory: Path) -> None:
        if directory in self._locks:
            return
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory / f"{self._writer}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise JournalBusy(files.chain_path(directory, self._writer)) from None
        self._locks[directory] = handle

    def _fail(self, error: Exception) -> None:
        self._drop_connection()
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            self._tell(JournalFault.UNWRITABLE, f"{self._path}: {error}")

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _tell(self, fault: JournalFault, detail: str) -> None:
        self._alarm(JournalAlarm(fault=fault, detail=detail))
