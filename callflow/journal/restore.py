"""Rebuilds what the Switchboard knew: the newest good checkpoint, and the journal's events after it. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from callflow.core.state import State
from callflow.core.switchboard import Switchboard
from callflow.journal.checkpoint import newest_checkpoint
from callflow.journal.errors import JournalError
from callflow.journal.replay import events_after

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restart begins with.

    Attributes:
        state: what was known after the last entry that could be read.
        from_seq: the checkpoint's entry; 0 = none.
        events: how many events were taken in after it.
    """

    state: State
    from_seq: int
    events: int


def restore(directories: Sequence[Path], checkpoints: Path, *, writer: str = "engine") -> Restored:
    """Checkpoint and tail. What cannot be read any more is left to the snapshot that follows: Asterisk is the truth."""
    checkpoint = newest_checkpoint(checkpoints)
    switchboard = Switchboard(checkpoint.state if checkpoint is not None else None)
    begin = checkpoint.seq if checkpoint is not None else 0
    events = 0
    try:
        for event in events_after(directories, begin, writer=writer):
            events += 1
            try:
                switchboard.handle(event)
            except Exception:
                # It failed when it first came too, changed nothing, and a DecisionFailed follows it.
                log.exception("an event of the journal cannot be decided", event_type=type(event).__name__)
    except JournalError as error:
        log.error("the journal's tail cannot be read; the snapshot decides", error=str(error))  # noqa: TRY400
    return Restored(state=switchboard.state, from_seq=begin, events=events)
