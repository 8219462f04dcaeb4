"""Brings the Switchboard back to what it knew: the newest good checkpoint, and the journal's events after it.

A part of the journal that cannot be read is passed over: what Asterisk shows at the resync after it is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from callflow.core.state import State
from callflow.core.switchboard import Switchboard
from callflow.journal.checkpoint import newest_checkpoint
from callflow.journal.codec import decode_event
from callflow.journal.errors import JournalDamaged, JournalError
from callflow.journal.files import chain_files
from callflow.journal.reader import Entry, files_in_order, iterate_entries, lives
from callflow.journal.replay import decide_again

_log: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restart begins with.

    Attributes:
        state: what was known after entry `seq`; 0 = nothing, an empty state.
        from_seq: the checkpoint's entry; 0 = none.
        events: how many events were taken in after it.
    """

    state: State
    seq: int
    from_seq: int
    events: int


def restore(directories: Sequence[Path], checkpoints: Path, *, writer: str = "engine") -> Restored:
    """What the Switchboard last knew. Blocks; never raises for what is in the files.

    It goes back no further than to where an engine began empty because it could not start on what was before.
    """
    life = lives(_readable(directories, writer))[-1]
    checkpoint = newest_checkpoint(checkpoints, at_or_after=life.first)
    switchboard = Switchboard(checkpoint.state if checkpoint else None)
    from_seq = seq = checkpoint.seq if checkpoint else 0
    events = 0
    for path in life.paths:
        try:
            for entry in iterate_entries(path, seq):
                seq = entry.envelope.seq
                events += _take(switchboard, entry)
        except JournalDamaged as error:
            _log.error("journal not read further", path=str(path), reason=error.reason)
    return Restored(state=switchboard.state, seq=seq, from_seq=from_seq, events=events)


def _readable(directories: Sequence[Path], writer: str) -> list[Path]:
    try:
        return files_in_order(directories, writer)
    except JournalDamaged:
        return chain_files(writer, *directories)


def _take(switchboard: Switchboard, entry: Entry) -> int:
    """Run an entry's event through the core; what it decides was carried out then."""
    if entry.event is None:
        return 0
    try:
        decide_again(switchboard, decode_event(entry.event))
    except JournalError as error:
        _log.error("journal entry passed over", seq=entry.envelope.seq, fault=type(error).__name__)
        return 0
    return 1
