"""Keeps what the Switchboard knew after an entry, so that a restart and a replay need not begin at the beginning.

A file is whole or not there (written aside, flushed, renamed) and holds its own digest; one that is damaged is passed
over for the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from callflow.core.state import State
from callflow.journal.codec import decode_state, encode_state
from callflow.journal.envelope import core_version
from callflow.journal.errors import CheckpointDamaged, JournalError

KEEP: Final = 72
"""Three days of hourly ones."""
RECENT: Final = 8
"""In a crowd they come within minutes of each other: so many of the newest are kept whatever their age."""
_HOUR_SECONDS: Final = 3600
_NAME: Final = re.compile(r"checkpoint-(\d{16})\.json")
_FORMAT: Final = "callflow checkpoint 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What was known after entry `seq`, decided by `core_version`."""

    seq: int
    at: datetime
    core_version: str
    state: State


def write_checkpoint(directory: Path, seq: int, state: State, at: datetime, *, keep: int = KEEP) -> Path:
    """Write a checkpoint and remove what `store_checkpoint` removes. Blocks; the state must not change meanwhile.

    Raises:
        OSError: when the disk does not take it; older ones are untouched.
    """
    return store_checkpoint(directory, encode_checkpoint(seq, state, at), seq, keep=keep)


def encode_checkpoint(seq: int, state: State, at: datetime) -> bytes:
    """The checkpoint's file. This part belongs to the loop's thread, storing may be done by another."""
    document = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(),
        "core_version": core_version(),
        "state": encode_state(state),
    }
    # Not canonical JSON: the order of the state's dicts is part of the state.
    body = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"{_FORMAT} sha256={digest}\n{body}\n".encode()


def store_checkpoint(directory: Path, content: bytes, seq: int, *, keep: int = KEEP) -> Path:
    """Put an encoded checkpoint on the disk, and keep `keep` in all: the newest ones, and one of each hour before.

    Await `Journal.committed(seq)` first: a checkpoint must not know more than the journal.

    Raises:
        OSError: when the disk does not take it; older ones are untouched.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = directory / f"checkpoint-{seq:016d}.json"
    part = target.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    for old in _superfluous(_newest_first(directory), max(keep, 1)):
        with suppress(OSError):
            old.unlink()
    return target


def _superfluous(newest_first: list[Path], keep: int) -> Iterator[Path]:
    """Those that are too many; of each hour the newest stays, for replays of three days."""
    hours: set[int] = set()
    kept = 0
    for place, path in enumerate(newest_first):
        hour = int(path.stat().st_mtime // _HOUR_SECONDS)
        if kept < keep and (place < RECENT or hour not in hours):
            kept += 1
        else:
            yield path
        hours.add(hour)


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in this file.

    Raises:
        CheckpointDamaged: when it is not as written, or of a State that this version does not know.
    """
    try:
        header, _, body = path.read_text(encoding="utf-8").removesuffix("\n").partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointDamaged(path, f"cannot be read ({type(error).__name__})") from error
    if header != f"{_FORMAT} sha256={hashlib.sha256(body.encode()).hexdigest()}":
        raise CheckpointDamaged(path, "is not as it was written")
    try:
        document: dict[str, Any] = json.loads(body)
        return Checkpoint(
            seq=int(document["seq"]),
            at=datetime.fromisoformat(document["at"]),
            core_version=str(document["core_version"]),
            state=decode_state(document["state"]),
        )
    except (JournalError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointDamaged(path, f"holds another version's state: {error}") from error


def newest_checkpoint(directory: Path, at_or_before: int | None = None, *, at_or_after: int = 0) -> Checkpoint | None:
    """The newest good checkpoint at or before, and at or after, an entry; None = begin empty."""
    for path in _newest_first(directory):
        if _seq_of(path) < at_or_after:
            return None
        if at_or_before is not None and _seq_of(path) > at_or_before:
            continue
        with suppress(CheckpointDamaged):
            return read_checkpoint(path)
    return None


def newest_file(directory: Path) -> Path | None:
    """The newest checkpoint's file, good or not; None = there is none."""
    return next(iter(_newest_first(directory)), None)


def newest_seq(directory: Path) -> int:
    """The entry of the newest checkpoint, good or not: the journal came as far; 0 = there is none."""
    path = newest_file(directory)
    return 0 if path is None else _seq_of(path)


def _newest_first(directory: Path) -> list[Path]:
    paths = (path for path in directory.glob("checkpoint-*.json") if _NAME.fullmatch(path.name))
    return sorted(paths, reverse=True)


def _seq_of(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])
