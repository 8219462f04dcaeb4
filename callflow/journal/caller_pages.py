"""Reads from a chain, page by page, what the callers' file is made of: calls that came in, and what they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from callflow.core.commands import Note
from callflow.core.facts import CallClassified, CallOpened, CallServedInFallback
from callflow.journal import files
from callflow.journal.caller_file import Position
from callflow.journal.codec import decode_fact
from callflow.journal.errors import JournalDamaged, JournalError
from callflow.journal.upcasters import split_tag

PAGE: Final = 1_000
"""Entries on one page: some 15 calls."""
CallerFact: TypeAlias = CallOpened | CallServedInFallback | CallClassified
_WANTED: Final = {kind.__name__ for kind in (CallOpened, CallServedInFallback, CallClassified)}
_log: Any = structlog.get_logger(__name__)


class TailLost(Exception):
    """The chain is not the one that was read before: its numbers were given a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What some entries of a chain hold, in order; `end` is the last entry's position."""

    end: Position
    facts: Sequence[CallerFact]


def read_page(path: Path, after: Position | None) -> Page | None:
    """The entries after a position, or the first ones; None when there are none.

    SQLite looks through the text, outside the interpreter's lock: of a call's sixty entries three are read in Python.

    Raises:
        TailLost: the position is not on this chain any more.
        JournalDamaged: the file cannot be read.
    """
    begin = 0 if after is None else after.seq
    with files.connect_reader(path) as connection:
        if after is not None and _link_at(connection, begin) != after.link:
            raise TailLost
        (last,) = connection.execute(
            "SELECT max(seq) FROM (SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT ?)", (begin, PAGE)
        ).fetchone()
        if last is None:
            return None
        end = Position(seq=last, link=_link_at(connection, last) or b"")
        found = " OR ".join("instr(payload, ?)" for _ in _WANTED)
        payloads = connection.execute(
            f"SELECT seq, payload FROM payloads WHERE seq > ? AND seq <= ? AND ({found}) ORDER BY seq",  # noqa: S608 - literals
            (begin, last, *(f'"type":"{name}' for name in sorted(_WANTED))),
        ).fetchall()
    return Page(end=end, facts=[fact for seq, payload in payloads for fact in _facts(path, seq, payload)])


def _link_at(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The chain's link at an entry; None when there is no such entry."""
    row = connection.execute("SELECT chain FROM entries WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else bytes(row[0])


def _facts(path: Path, seq: int, payload: str) -> Iterator[CallerFact]:
    try:
        notes = [document for document in json.loads(payload)["commands"] if _name(document) == Note.__name__]
        documents = [note["fact"] for note in notes if _name(note["fact"]) in _WANTED]
    except (ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(path, f"entry {seq} is not in the journal's form") from error
    for document in documents:
        try:
            fact = decode_fact(document)
        except JournalError as error:
            _log.error("fact passed over", seq=seq, fault=type(error).__name__)
            continue
        assert isinstance(fact, CallerFact)
        yield fact


def _name(document: Mapping[str, Any]) -> str:
    return split_tag(str(document["type"]))[0]
