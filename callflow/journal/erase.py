"""Erases payloads by law: who and why is journalled first, then the text and its salt go; the chain still verifies."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from callflow.core.ids import CallId
from callflow.journal import files
from callflow.journal.append import Journal
from callflow.journal.caller_file import forget_calls
from callflow.journal.errors import JournalDamaged
from callflow.journal.reader import read_birth
from callflow.journal.witnessed import PayloadsErased


def erase_payloads(
    journal: Journal,
    path: Path,
    seqs: Sequence[int],
    *,
    who: str,
    reason: str,
    at: datetime,
    callers: Path | None = None,
) -> None:
    """Erase these entries' payloads in one chain's file. Run again, it changes nothing. Blocks.

    `journal` takes the note of who erased and why, before anything is erased; `reason` is the legal ground, without
    personal data, for it stays. `callers` is the callers' file (`Settings.callers_path`): the calls that these entries
    are about go from it too.

    Raises:
        EntryLost, TimeoutError: the note is not on a disk; nothing was erased.
        JournalDamaged: the file could not be written; nothing was erased.
        OSError: the callers' file could be neither written nor deleted; run it again.
    """
    chain_id = read_birth(path).chain_id
    noted = journal.append(PayloadsErased(at=at, chain_id=chain_id, seqs=tuple(seqs), who=who, reason=reason))
    journal.wait_committed(noted, timeout_seconds=10.0)
    connection = files.connect_writer(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for seq in seqs:
            connection.execute("INSERT OR IGNORE INTO erasures VALUES (?, ?, ?)", (seq, at.isoformat(), reason))
            connection.execute("DELETE FROM payloads WHERE seq = ?", (seq,))
        connection.execute("COMMIT")
        # The old text must not stay in the write-ahead log either (secure_delete zeroes it in the file).
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise JournalDamaged(path, str(error)) from error
    finally:
        connection.close()
    if callers is not None:  # after the payloads, so that nothing takes the calls in again
        forget_calls(callers, _calls_of(path, seqs))


def _calls_of(path: Path, seqs: Sequence[int]) -> list[CallId]:
    """The calls that these entries are about; envelopes stay."""
    with files.connect_reader(path) as connection:
        found = [
            connection.execute("SELECT json_extract(envelope, '$.call') FROM entries WHERE seq = ?", (seq,)).fetchone()
            for seq in seqs
        ]
    return sorted({CallId(row[0]) for row in found if row is not None and row[0] is not None})
