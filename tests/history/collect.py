"""Reads what the witnesses wrote: the journal's files, CEL, the database, the recordings' directory.

Only for reading, so that it can be done beside running processes and after them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callflow.core.commands import Note
from callflow.journal.codec import decode_command
from callflow.journal.files import writers_in
from callflow.journal.reader import Entry, files_in_order, iterate_entries
from callflow.journal.upcasters import split_tag
from callflow.numbers import normalise

from .findings import Acknowledged, CelRow, History, Row, Written
from .in_database import read_database

_NAMED_BY_ASTERISK: Final = re.compile(r".+-[0-9]{9,}\.[0-9]+")
"""An id that Asterisk gave: it did not come from an engine, which gives ids of its own to whom it calls."""


def history_of(
    journal_dirs: Sequence[Path],
    cel: Path,
    database: Path | None,
    recordings: Path,
    *,
    acknowledged: Iterable[Acknowledged] = (),
    database_url: str | None = None,
) -> History:
    """The history of an installation; its database is a SQLite file, or what the SQLAlchemy URL names."""
    url = database_url or (None if database is None else f"sqlite:///{database}")
    says = None if url is None else read_database(url)
    return History(
        journal=journal(journal_dirs) if any(path.is_dir() for path in journal_dirs) else None,
        cel=cel_rows(cel) if cel.is_file() else None,
        rows=None if says is None else says.rows,
        projected=None if says is None else says.projected,
        acknowledged=tuple(acknowledged),
        audio=sorted(path.stem for path in recordings.glob("*.wav")),
    )


def journal(directories: Sequence[Path]) -> Iterator[Written]:
    """Every writer's entries in order, over all its files."""
    for writer in writers_in(*directories):
        for path in files_in_order(directories, writer):
            for entry in iterate_entries(path):
                yield _written(writer, path.name, entry)


def _written(writer: str, chain: str, entry: Entry) -> Written:
    notes = [command for command in entry.commands if split_tag(command["type"])[0] == "Note"]
    facts = tuple(each.fact for each in map(decode_command, notes) if isinstance(each, Note))
    event = entry.event or {}
    lost = int(event["count"]) if entry.envelope.type == "EntriesLost" else 0
    return Written(
        writer=writer, chain=chain, seq=entry.envelope.seq, event=entry.envelope.type, facts=facts, lost=lost
    )


def cel_rows(path: Path) -> Iterator[CelRow]:
    """CEL's rows in order."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")  # as the carrier sent it
        for at, kind, channel, linked, call, mark, number, context in database.execute(
            "SELECT eventtime, eventtype, uniqueid, linkedid, userfield, userdeftype, cid_num, context"
            " FROM cel ORDER BY AcctId"
        ):
            first = (kind, context) == ("CHAN_START", "from-trunk") and channel == linked
            inbound = first and _NAMED_BY_ASTERISK.fullmatch(channel) is not None
            yield CelRow(
                at=datetime.fromtimestamp(float(at), UTC),
                kind=kind,
                channel=channel_id(channel),
                call=call or "",
                user_event=mark or "",
                inbound=inbound,
                number=normalise(number).number if inbound else None,
            )


def channel_id(raw: str) -> str:
    """A channel's id with the characters that a call id may have."""
    return re.sub(r"[^A-Za-z0-9.\-]", "", raw)


def rows(path: Path) -> Iterator[Row]:
    """The calls in a SQLite database."""
    says = read_database(f"sqlite:///{path}")
    yield from () if says is None else says.rows
