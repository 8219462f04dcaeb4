"""Reads chains from any process: entries after a number, or of one call; cheap to ask again and again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from callflow.journal import files
from callflow.journal.chain import BEGINS_EMPTY
from callflow.journal.envelope import Envelope
from callflow.journal.errors import JournalDamaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it was written; `payload` is None once it was erased by law."""

    envelope: Envelope
    payload: dict[str, Any] | None

    @property
    def event(self) -> dict[str, Any] | None:
        """The event's tagged document."""
        return None if self.payload is None else dict(self.payload["event"])

    @property
    def commands(self) -> list[dict[str, Any]]:
        """The commands' tagged documents."""
        return [] if self.payload is None else list(self.payload["commands"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What a chain's file says of itself.

    Attributes:
        first: the number that its first entry was to have.
        continues: names the chain before, '' = none.
        reason: why a new chain began.
    """

    chain_id: str
    writer: str
    centre: str
    first: int
    continues: str
    reason: str


def read_birth(path: Path) -> Birth:
    """What a chain began with.

    Raises:
        JournalDamaged: when the file is no journal or cannot be read.
    """
    with files.connect_reader(path) as connection:
        text = files.birth_text(connection)
    try:
        document = json.loads(text)
        texts = {name: str(document[name]) for name in ("chain_id", "writer", "centre", "continues", "reason")}
        return Birth(first=int(document["first"]), **texts)
    except (ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(path, "does not say what its chain began with") from error


def read_entries(path: Path, after_seq: int = 0, limit: int = 1_000) -> list[Entry]:
    """At most `limit` entries whose number is above `after_seq`, in order.

    Raises:
        JournalDamaged: when the file cannot be read.
    """
    with files.connect_reader(path) as connection:
        return _select(connection, path, "seq > ?", (after_seq,), limit)


def iterate_entries(path: Path, after_seq: int = 0, up_to_seq: int | None = None) -> Iterator[Entry]:
    """All entries above `after_seq` (up to and with `up_to_seq`), in order, read in pages.

    Raises:
        JournalDamaged: when the file cannot be read.
    """
    page = 1_000
    while True:
        entries = read_entries(path, after_seq, page)
        for entry in entries:
            if up_to_seq is not None and entry.envelope.seq > up_to_seq:
                return
            yield entry
        if len(entries) < page:
            return
        after_seq = entries[-1].envelope.seq


def files_in_order(directories: Sequence[Path], writer: str) -> list[Path]:
    """A writer's files, in the order of their first entries' numbers.

    Raises:
        JournalDamaged: when one of them cannot be read.
    """
    return sorted(files.chain_files(writer, *directories), key=lambda path: read_birth(path).first)


@dataclass(frozen=True, slots=True)
class Life:
    """The files of a chain between two times that its writer forgot all it knew, in order.

    Attributes:
        first: the number of the first entry that may be in them.
    """

    paths: tuple[Path, ...]
    first: int


def lives(paths: Sequence[Path]) -> list[Life]:
    """Part a writer's files, in order, where it began empty; a file that cannot be read begins nothing."""
    found = [Life((), 1)]
    for path in paths:
        with suppress(JournalDamaged):
            birth = read_birth(path)
            if birth.reason == BEGINS_EMPTY:
                found.append(Life((), birth.first))
        found[-1] = replace(found[-1], paths=(*found[-1].paths, path))
    return found


def entries_in_order(paths: Sequence[Path], after: int, up_to: int | None = None) -> Iterator[Entry]:
    """All entries of these files, in order; one that stands in two of them comes once.

    Raises:
        JournalDamaged: when a file cannot be read.
    """
    for path in paths:
        for entry in iterate_entries(path, after, up_to):
            after = entry.envelope.seq
            yield entry


def seqs_of_call(path: Path, call: str) -> tuple[int, int] | None:
    """First and last entry that name the call; None when none does.

    Raises:
        JournalDamaged: when the file cannot be read.
    """
    with files.connect_reader(path) as connection:
        first, last = connection.execute(
            "SELECT min(seq), max(seq) FROM entries WHERE json_extract(envelope, '$.call') = ?", (call,)
        ).fetchone()
    return None if first is None else (first, last)


def last_of_type(path: Path, name: str) -> Entry | None:
    """The last entry of an event's type; None when there is none.

    Raises:
        JournalDamaged: when the file cannot be read.
    """
    with files.connect_reader(path) as connection:
        (seq,) = connection.execute(
            "SELECT max(seq) FROM entries WHERE json_extract(envelope, '$.type') = ?", (name,)
        ).fetchone()
        return None if seq is None else next(iter(_select(connection, path, "seq = ?", (seq,), 1)), None)


def _select(
    connection: sqlite3.Connection, path: Path, where: str, values: tuple[object, ...], limit: int
) -> list[Entry]:
    rows = connection.execute(
        f"SELECT seq, envelope, payload FROM entries LEFT JOIN payloads USING (seq) WHERE {where} ORDER BY seq LIMIT ?",  # noqa: S608 - `where` is a literal of this module
        (*values, limit),
    )
    return [_entry(path, *row) for row in rows]


def _entry(path: Path, seq: int, envelope: str, payload: str | None) -> Entry:
    try:
        return Entry(
            envelope=Envelope.of_document(json.loads(envelope)),
            payload=None if payload is None else json.loads(payload),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(path, f"entry {seq} is not in the journal's form") from error


class Follower:
    """Follows one writer's chain through its files; each look costs one PRAGMA while nothing is new.

    Used by one thread at a time. A file that was replaced (a new chain began) is followed from its start on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._seen_version = -1
        self._birth: Birth | None = None

    @property
    def birth(self) -> Birth | None:
        """The chain being followed; None while there is no file."""
        return self._birth

    def refresh(self) -> bool:
        """Whether there may be something new since the last call; the first look always says so.

        Raises:
            JournalDamaged: when the file cannot be read.
        """
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            self.close()
            return False
        try:
            if self._connection is None or inode != self._inode:
                self._open(inode)
            assert self._connection is not None
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            self.close()
            raise JournalDamaged(self._path, str(error)) from error
        changed = version != self._seen_version
        self._seen_version = version
        return changed

    def read(self, after_seq: int, limit: int = 500) -> list[Entry]:
        """Entries above `after_seq` of the chain that `birth` names.

        Raises:
            JournalDamaged: when the file cannot be read.
        """
        if self._connection is None:
            return []
        try:
            return _select(self._connection, self._path, "seq > ?", (after_seq,), limit)
        except sqlite3.Error as error:
            self.close()
            raise JournalDamaged(self._path, str(error)) from error

    def count_after(self, seq: int) -> int:
        """How many entries there are above `seq`.

        Raises:
            JournalDamaged: when the file cannot be read.
        """
        if self._connection is None:
            return 0
        try:
            return int(self._connection.execute("SELECT count(*) FROM entries WHERE seq > ?", (seq,)).fetchone()[0])
        except sqlite3.Error as error:
            self.close()
            raise JournalDamaged(self._path, str(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._birth, self._seen_version = None, None, -1

    def _open(self, inode: int) -> None:
        self.close()
        self._birth = read_birth(self._path)
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)
        self._inode = inode
