"""Gets rows onto a disk: the first directory, or the second when the first fails; survives full disks and lost files.

Every file is one chain without gaps. When writing moves elsewhere, a new chain begins that names the one before, and
at the next start a chain of the first directory goes on from there. Used by one thread.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callflow.core.ids import CentreId
from callflow.journal import files
from callflow.journal.alarms import JournalAlarm, JournalFault, OnAlarm
from callflow.journal.chain import BEGINS_EMPTY, ChainBirth, link, new_chain_id, new_salt, payload_digest
from callflow.journal.errors import JournalBusy, JournalDamaged
from callflow.journal.files import Row, Tip
from callflow.journal.found import Found, is_damage
from callflow.journal.locks import Locks
from callflow.journal.mark import Mark

_FAILURES: Final = (sqlite3.Error, OSError, JournalDamaged, JournalBusy)
_FIRST: Final = "the first chain, or none before it could be read"
SECOND_AFTER_SECONDS: Final = 1.0
"""How long the first directory is tried before the second is taken."""
RETURN_AFTER_SECONDS: Final = 60.0
"""How often the first directory is tried again while the second is in use."""
_REPEATED: Final = 500
"""Entries that are written again into a new chain when their file is found damaged: some seven calls."""


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
        self._locks = Locks(writer)
        self._found = Found(writer, self._locks, on_alarm, now)
        self._connection: sqlite3.Connection | None = None
        self._path = files.chain_path(directory, writer)
        self._inode = 0
        self._tip: Tip | None = None
        self._floor = 0
        self._failing_since: float | None = None
        self._moved_at = 0.0
        self._bytes = 0
        self._recent: deque[Text] = deque(maxlen=_REPEATED)
        self._repeat: tuple[Text, ...] = ()

    @property
    def path(self) -> Path:
        """The file in use."""
        return self._path

    def claim(self) -> None:
        """Make sure that nobody else writes this chain.

        Raises:
            JournalBusy: another process does.
        """
        for directory in self._directories:
            with suppress(OSError):  # a directory that cannot be used is looked at again in `open`
                self._locks.take(directory)

    def open(self, *, empty: bool = False, known: int = 0) -> int:
        """Take the chain over and say the number of its last entry.

        Args:
            empty: set every file aside and begin a chain that says so; its numbers go on all the same.
            known: an entry that was written, as a checkpoint says: a chain that ends before it has lost its end.

        Raises:
            JournalBusy: another process writes this chain.
        """
        tips = [tip for directory in self._directories if (tip := self._found.tip(directory)) is not None]
        self._tip = max(tips, key=lambda tip: tip.seq, default=None)
        self._floor = self._tip.seq if self._tip else 0
        if known > self._floor and not self._found.unreadable:
            detail = f"{self._path}: entries up to {known} were written and no file here has them"
            self._tell(JournalFault.DAMAGED, detail)
            self._found.unreadable = True
        if self._found.unreadable:
            # A number must not be given twice: the clock's milliseconds are above any that was ever given.
            self._floor = max(self._floor, int(self._now().timestamp() * 1000))
        try:
            if empty:
                self._set_all_aside()
            reason = BEGINS_EMPTY if empty else "the chain before could not be read or is in the other directory"
            self._use(self._directories[0], reason)
        except _FAILURES as error:
            self._fail(error)
        return self._floor

    def write(self, texts: list[Text]) -> None:
        """Bring entries to a disk, in order; those that are there already are passed over.

        Raises:
            Unwritable: none of them is; call again with the same and later ones.
        """
        self._try_to_return()
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
        self._locks.close()

    # --- one step each ----------------------------------------------------------------------------------------------

    def _try_to_return(self) -> None:
        """Go back to the first directory once it serves again; failing that, stay quietly where we are."""
        first = self._directories[0]
        if self._path.parent == first or self._failing_since is not None:
            return
        if time.monotonic() - self._moved_at < RETURN_AFTER_SECONDS:
            return
        self._moved_at = time.monotonic()
        try:
            self._use(first, "the first directory can be written again")
        except _FAILURES:
            self._drop_connection()
        else:
            self._tell(JournalFault.BACK_IN_FIRST_DIRECTORY, str(self._path))

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
        self._insert([*self._repeat, *texts])
        self._repeat = ()
        self._recent.extend(texts)
        if moved:
            self._moved_at = time.monotonic()
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
            Mark(self._path).write(tip)

    def _set_all_aside(self) -> None:
        for directory in self._directories:
            path = files.chain_path(directory, self._writer)
            if path.exists():
                files.set_aside(path, self._now())

    def _use(self, directory: Path, reason: str) -> None:
        """Write to the chain in `directory`: go on with the one there if it is the newest, begin one otherwise."""
        self._locks.take(directory)
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
        status = path.stat()
        self._connection, self._path, self._inode, self._bytes = connection, path, status.st_ino, status.st_size

    def _begin(self, path: Path, before: Tip | None, reason: str) -> sqlite3.Connection:
        last = max(before.seq if before else 0, self._floor)  # a new chain goes on counting
        if self._repeat:
            last = min(last, self._repeat[0].seq - 1)
        birth = ChainBirth(
            chain_id=new_chain_id(),
            writer=self._writer,
            centre=self._centre,
            born_at=self._now(),
            first=last + 1,
            continues=before.name() if before else "",
            reason=reason if before or reason == BEGINS_EMPTY else _FIRST,
        )
        connection = files.create(path, birth)
        self._tip = files.tip_of(connection, path)
        return connection

    def _see_that_file_is_there(self) -> None:
        """SQLite writes on into a file that was deleted or replaced: what it holds is brought back first.

        Raises:
            JournalDamaged: the file was cut short; a journal only grows.
        """
        assert self._connection is not None
        try:
            status = self._path.stat()
            if status.st_ino == self._inode:
                if status.st_size < self._bytes:
                    raise JournalDamaged(self._path, f"was cut from {self._bytes} bytes to {status.st_size}")
                self._bytes = status.st_size
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
        self._locks.drop(self._path.parent)  # the lock's file may be gone with the directory
        self._use(self._path.parent, "the file was gone")

    def _fail(self, error: Exception) -> None:
        self._drop_connection()
        if is_damage(error) and self._path.exists():
            # What was on this file's last pages may be gone with them: a new chain begins with it.
            self._found.keep_aside(self._path, str(error))
            self._repeat = tuple(self._recent)
            return
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
