"""The file that knows which call was whose and what it was: one SQLite file, made from the journal alone.

It is a read model: whatever happens to it, `callers.py` makes it anew. Calls without a number are in it for the
centre's base rate alone and are never looked up.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from callflow.core.city import Classification
from callflow.core.events import CallerHistory, PastDisposition
from callflow.core.ids import CallId

KEPT_DAYS: Final = 740
"""Calls older than this leave the file: no policy may look back so far, and what is not kept needs no erasure."""
BASE_RATE_DAYS: Final = 180
"""The centre's base rate is of so many last days."""
MOST_DISPOSITIONS: Final = 50

_FORM: Final = 1
"""`PRAGMA user_version`; a file of another form is made anew."""
_DAY_MICROSECONDS: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})

# The days' counts follow the calls by triggers, so that no path (a second word, an erasure) can leave them wrong.
_SCHEMA: Final = f"""
CREATE TABLE calls (call TEXT PRIMARY KEY, number TEXT, at INTEGER NOT NULL, classification TEXT)
STRICT, WITHOUT ROWID;
CREATE INDEX calls_by_number ON calls (number, at) WHERE number IS NOT NULL;
CREATE TABLE days (day INTEGER PRIMARY KEY, pranks INTEGER NOT NULL, genuine INTEGER NOT NULL) STRICT;
CREATE TABLE chains (chain_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, link BLOB NOT NULL) STRICT;
CREATE TRIGGER word_said AFTER UPDATE OF classification ON calls BEGIN
    INSERT INTO days VALUES (NEW.at / {_DAY_MICROSECONDS}, 0, 0) ON CONFLICT DO NOTHING;
    UPDATE days SET
        pranks = pranks + (NEW.classification IS 'prank') - (OLD.classification IS 'prank'),
        genuine = genuine + coalesce(NEW.classification IN ('normal', 'informasi'), 0)
            - coalesce(OLD.classification IN ('normal', 'informasi'), 0)
    WHERE day = NEW.at / {_DAY_MICROSECONDS};
END;
CREATE TRIGGER call_forgotten AFTER DELETE ON calls WHEN OLD.classification IS NOT NULL BEGIN
    UPDATE days SET
        pranks = pranks - (OLD.classification IS 'prank'),
        genuine = genuine - (OLD.classification IN ('normal', 'informasi'))
    WHERE day = OLD.at / {_DAY_MICROSECONDS};
END;
PRAGMA user_version = {_FORM};
"""  # noqa: S608 - figures of this module


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Up to where a chain was taken in: an entry's number, and the link that the chain had there.

    A number alone would not do: after a lost tail the journal gives it to another entry.
    """

    seq: int
    link: bytes


class CallerFile:
    """The file as its one writer sees it, the engine. Used by one thread."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            sqlite3.Error, OSError: it cannot be used; `is_damage` says whether a new one would help.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # never open one that is there: closing it would end SQLite's own locks on it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._prepare()
            self._inode = path.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    def is_there(self) -> bool:
        """Whether the path still leads to this file: SQLite writes on into one that was deleted."""
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Read the journal's entries inside it: then an erasure comes before or after, never between.

        Raises:
            sqlite3.Error: nothing was written.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def position(self, chain_id: str) -> Position | None:
        """Up to where this chain was taken in; None = not at all."""
        row = self._connection.execute("SELECT seq, link FROM chains WHERE chain_id = ?", (chain_id,)).fetchone()
        return None if row is None else Position(seq=row[0], link=row[1])

    def move(self, chain_id: str, position: Position) -> None:
        """Note up to where this chain is taken in now."""
        self._connection.execute(
            "INSERT OR REPLACE INTO chains VALUES (?, ?, ?)", (chain_id, position.seq, position.link)
        )

    def add_call(self, call: CallId, number: str | None, at: datetime) -> None:
        """A call came in; one that is known stays as it is."""
        self._connection.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, NULL)", (call, number, _stamp(at)))

    def classify(self, call: CallId, classification: Classification) -> None:
        """Somebody said what a call was; a call that never came in to us is none of this file's."""
        self._connection.execute("UPDATE calls SET classification = ? WHERE call = ?", (classification.value, call))

    def drop_older(self, now: datetime) -> None:
        """Let go of calls of more than `KEPT_DAYS` ago."""
        first = _stamp(now - timedelta(days=KEPT_DAYS))
        self._connection.execute("DELETE FROM calls WHERE at < ?", (first,))
        self._connection.execute("DELETE FROM days WHERE day < ?", (first // _DAY_MICROSECONDS,))

    def clear(self) -> None:
        """Forget everything, positions too."""
        for table in ("calls", "days", "chains"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - literals of this line

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA secure_delete=ON")
        form = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if form == _FORM:
            self._connection.execute("SELECT call, number, at, classification FROM calls LIMIT 1").fetchone()
        elif form == 0:
            self._connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        else:
            raise sqlite3.DatabaseError(f"the file has form {form}, not {_FORM}")


class CallerReader:
    """Answers from the file, in any process, engine or none. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def look_up(self, number: str, *, at: datetime, call: CallId | None = None) -> CallerHistory:
        """What is known of a number, but for the call that is asked for.

        Raises:
            sqlite3.Error, OSError: the file cannot be read now.
        """
        try:
            return _history(self._connected(), number, at, call)
        except sqlite3.Error:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        inode = self._path.stat().st_ino
        if self._connection is None or inode != self._inode:
            self.close()
            uri = f"{self._path.resolve().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, timeout=0.01, check_same_thread=False)
            self._inode = inode
        return self._connection


def forget_calls(path: Path, calls: Sequence[CallId]) -> None:
    """Erase these calls by law, from any process. A file that cannot be written is deleted; the engine makes a new one.

    Raises:
        OSError: it could not be deleted either.
    """
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM calls WHERE call = ?", [(call,) for call in calls])
            connection.execute("COMMIT")
            # as in the journal: the old text must not stay in the write-ahead log
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        discard(path)


def discard(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it.

    Raises:
        OSError: it is still there.
    """
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def is_damage(error: Exception) -> bool:
    """Whether a new file would help; otherwise the disk is full, busy or gone, and waiting does."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _DAMAGE


def _history(connection: sqlite3.Connection, number: str, at: datetime, call: CallId | None) -> CallerHistory:
    calls, last = connection.execute(
        "SELECT count(*), max(at) FROM calls WHERE number = ? AND call IS NOT ?", (number, call)
    ).fetchone()
    dispositions = connection.execute(
        "SELECT at, classification FROM calls WHERE number = ? AND call IS NOT ? AND classification IS NOT NULL"
        " ORDER BY at DESC LIMIT ?",
        (number, call, MOST_DISPOSITIONS),
    ).fetchall()
    first_day = _stamp(at - timedelta(days=BASE_RATE_DAYS)) // _DAY_MICROSECONDS
    pranks, genuine = connection.execute(
        "SELECT coalesce(sum(pranks), 0), coalesce(sum(genuine), 0) FROM days WHERE day >= ?", (first_day,)
    ).fetchone()
    return CallerHistory(
        calls=calls,
        last_call_at=None if last is None else _time(last),
        dispositions=tuple(
            PastDisposition(at=_time(stamp), classification=Classification(word)) for stamp, word in dispositions
        ),
        centre_pranks=pranks,
        centre_calls=pranks + genuine,
    )


def _stamp(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _time(stamp: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp)
