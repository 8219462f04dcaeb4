"""One chain's SQLite file: its tables, what they forbid, and how a file is opened, found and set aside.

`entries` and `birth` refuse every UPDATE and DELETE; `payloads` refuses an UPDATE, and a DELETE unless the erasure was
noted first. That stops mistakes and our own defects; against a person with a hex editor stands the chain.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from callflow.journal.chain import ChainBirth, genesis, link, payload_digest
from callflow.journal.errors import JournalDamaged

_TAIL: Final = 512
"""Entries whose links are checked at open; the whole is for `callflow audit verify`."""

_SCHEMA: Final = """
CREATE TABLE birth (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL) STRICT;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, envelope TEXT NOT NULL, payload_digest BLOB NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE TABLE payloads (seq INTEGER PRIMARY KEY REFERENCES entries (seq), salt BLOB NOT NULL, payload TEXT NOT NULL)
STRICT;
CREATE TABLE erasures (seq INTEGER PRIMARY KEY REFERENCES entries (seq), at TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE INDEX entries_by_call ON entries (json_extract(envelope, '$.call'), seq)
    WHERE json_extract(envelope, '$.call') IS NOT NULL;
CREATE TRIGGER birth_stays BEFORE UPDATE ON birth BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER birth_remains BEFORE DELETE ON birth BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER entries_grow BEFORE INSERT ON entries WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM entries)
    BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER payloads_stay BEFORE UPDATE ON payloads BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER payloads_remain BEFORE DELETE ON payloads
    WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.seq = OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'note the erasure first'); END;
CREATE TRIGGER payloads_come_with_entries BEFORE INSERT ON payloads
    WHEN NEW.seq < (SELECT max(seq) FROM entries) BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER erasures_stay BEFORE UPDATE ON erasures BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER erasures_remain BEFORE DELETE ON erasures BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry as it stands in the file, in canonical text."""

    seq: int
    envelope: str
    payload_digest: bytes
    chain: bytes
    salt: bytes
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where a chain stands: its id, last entry's number (the one before its first, if it has none) and chain value."""

    chain_id: str
    seq: int
    chain: bytes

    def name(self) -> str:
        """As a following chain names it."""
        return f"{self.chain_id}/{self.seq}/{self.chain.hex()}"


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open for writing, from whichever thread comes.

    synchronous=FULL: each commit is on the disk when it returns, so that what a person was told is journalled also
    outlives a power cut. Commits are grouped and made in a thread of their own (0.5 ms each where measured on an SSD),
    so that the price is paid by nobody who talks.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


@contextmanager
def connect_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading, from any process.

    Raises:
        JournalDamaged: when the file is no journal or cannot be read.
    """
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    except sqlite3.Error as error:
        raise JournalDamaged(path, str(error)) from error
    try:
        yield connection
    except sqlite3.Error as error:
        raise JournalDamaged(path, str(error)) from error
    finally:
        connection.close()


def create(path: Path, birth: ChainBirth) -> sqlite3.Connection:
    """Make a new chain's file, mode 0600.

    Raises:
        OSError, sqlite3.Error: when the disk does not allow it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")  # half a file would pass for a damaged chain
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection = connect_writer(part)
        connection.executescript(f"BEGIN;{_SCHEMA}")
        connection.execute("INSERT INTO birth VALUES (1, ?)", (birth.text(),))
        connection.execute("COMMIT")
        connection.close()  # the last one to close leaves everything in the one file
        os.link(part, path)
    finally:
        part.unlink()
    return connect_writer(path)


def tip_of(connection: sqlite3.Connection, path: Path) -> Tip:
    """Where the chain stands, once its last entries are found sound.

    Raises:
        JournalDamaged: when their links do not hold.
        sqlite3.Error: when they cannot be read.
    """
    birth = birth_text(connection)
    try:
        document = json.loads(birth)
        chain_id, seq = str(document["chain_id"]), int(document["first"]) - 1
    except (ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(path, "does not say what its chain began with") from error
    before = genesis(birth)
    tail = connection.execute(
        "SELECT seq, envelope, payload_digest, chain, salt, payload FROM entries LEFT JOIN payloads USING (seq)"
        " ORDER BY seq DESC LIMIT ?",
        (_TAIL + 1,),
    ).fetchall()[::-1]
    if len(tail) > _TAIL:
        before = tail.pop(0)[3]
    for seq, envelope, digest, value, salt, payload in tail:
        if link(before, envelope, digest) != value or (payload is not None and payload_digest(salt, payload) != digest):
            raise JournalDamaged(path, f"entry {seq} does not hang on the one before")
        before = value
    return Tip(chain_id=chain_id, seq=seq, chain=before)


def birth_text(connection: sqlite3.Connection) -> str:
    """What the chain began with.

    Raises:
        sqlite3.Error: when the file is no journal.
    """
    row = connection.execute("SELECT text FROM birth").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("no chain was begun in this file")
    return str(row[0])


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Append entries in one transaction.

    Raises:
        sqlite3.Error: nothing was written.
    """
    rows = list(rows)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for row in rows:
            connection.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?)", (row.seq, row.envelope, row.payload_digest, row.chain)
            )
            connection.execute("INSERT INTO payloads VALUES (?, ?, ?)", (row.seq, row.salt, row.payload))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def chain_path(directory: Path, writer: str) -> Path:
    """The file that a writer appends to."""
    return directory / f"{writer}.sqlite"


def chain_files(writer: str, *directories: Path) -> list[Path]:
    """Every file of a writer's chains: those set aside first, oldest first, then the ones in use."""
    aside = sorted(path for directory in directories for path in directory.glob(f"{writer}.aside-*.sqlite"))
    return aside + [path for path in (chain_path(directory, writer) for directory in directories) if path.exists()]


def writers_in(*directories: Path) -> list[str]:
    """The names of all writers that have a chain here."""
    return sorted({path.name.partition(".")[0] for folder in directories for path in folder.glob("*.sqlite")})


def set_aside(path: Path, at: datetime) -> Path:
    """Move a file and what SQLite keeps beside it out of the way; it stays as evidence.

    Raises:
        OSError: when the disk does not allow it.
    """
    target = _place_aside(path, at)
    _move_companions(path, target)
    path.rename(target)
    return target


def set_leftovers_aside(path: Path, at: datetime) -> None:
    """Move what SQLite keeps beside a file that is gone: it would be read into the next file of that name.

    Raises:
        OSError: when the disk does not allow it.
    """
    _move_companions(path, _place_aside(path, at))


def is_aside(path: Path, chain_id: str) -> bool:
    """Whether a chain that was written at `path` stands aside as a file that can be read."""
    name = path.name.removesuffix(".sqlite")
    return any(_chain_id_of(aside) == chain_id for aside in path.parent.glob(f"{name}.aside-*.sqlite"))


def _chain_id_of(path: Path) -> str:
    with suppress(sqlite3.Error, JournalDamaged, ValueError, KeyError), connect_reader(path) as connection:
        return str(json.loads(birth_text(connection))["chain_id"])
    return ""


def _place_aside(path: Path, at: datetime) -> Path:
    name = path.name.removesuffix(".sqlite")
    return path.with_name(f"{name}.aside-{at:%Y%m%dT%H%M%S.%fZ}.sqlite")


def _move_companions(path: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(target.name + suffix))
