"""What an engine begins with: what it knew, or nothing when it did not start on that, and then the flow alone.

What it did not start on is kept aside as evidence: the newest checkpoint here, the journal's file by its own writer
(`Sink.open`). A chain that begins so says it, and `restore` goes back no further. The flow in force is read without the
core: one entry, the last FlowPublished.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from callflow.core.events import FlowPublished
from callflow.core.state import State
from callflow.journal.checkpoint import newest_file, newest_seq, read_checkpoint
from callflow.journal.codec import decode_event
from callflow.journal.errors import JournalError
from callflow.journal.files import chain_files
from callflow.journal.reader import last_of_type
from callflow.journal.restore import restore

_log: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What an engine begins with.

    Attributes:
        empty: it did not start on what it knew. aside: the checkpoint that was taken out of the row, then.
        came_to: the journal came at least to this entry, as the newest checkpoint's name says; 0 = unknown.
        flow: what was in force, where the state does not say it; None = unknown, or not asked for.
    """

    state: State
    empty: bool = False
    came_to: int = 0
    flow: FlowPublished | None = None
    aside: Path | None = None


def recall(directories: Sequence[Path], checkpoints: Path, *, empty: bool, with_flow: bool) -> Recalled:
    """What to begin with. Blocks; never raises for what is in the files."""
    came_to = newest_seq(checkpoints)
    if not empty:
        return Recalled(state=restore(directories, checkpoints).state, came_to=came_to)
    flow = flow_in_force(directories, checkpoints) if with_flow else None
    return Recalled(state=State(), empty=True, came_to=came_to, flow=flow, aside=_set_aside(checkpoints))


def flow_in_force(directories: Sequence[Path], checkpoints: Path, *, writer: str = "engine") -> FlowPublished | None:
    """The flow that was published last, by the journal or else the newest checkpoint; None = neither can say."""
    found = [said for path in chain_files(writer, *directories) if (said := _last_published(path)) is not None]
    if not found:
        return _of_checkpoint(checkpoints)
    return max(found, key=lambda said: said[0])[1]


def _last_published(path: Path) -> tuple[int, FlowPublished] | None:
    with suppress(JournalError, ValueError, KeyError, TypeError):
        entry = last_of_type(path, FlowPublished.__name__)
        event = None if entry is None or entry.event is None else decode_event(entry.event)
        if entry is not None and isinstance(event, FlowPublished):
            return entry.envelope.seq, event
    return None


def _of_checkpoint(directory: Path) -> FlowPublished | None:
    path = newest_file(directory)
    if path is None:
        return None
    try:
        state = read_checkpoint(path).state
    except JournalError:
        return None
    return None if state.flow_version is None else state.flows.get(state.flow_version)


def _set_aside(checkpoints: Path) -> Path | None:
    """Take the newest checkpoint out of the row; older ones stay, for replays."""
    path = newest_file(checkpoints)
    if path is None:
        return None
    try:
        return path.rename(path.with_name(f"{path.name}.aside"))
    except OSError as error:
        _log.error("a checkpoint could not be set aside", path=str(path), error=error.strerror)
        return None
