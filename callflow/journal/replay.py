"""Runs journalled events through the core again and shows where it decides differently today.

The same journal gives the same decisions: when it does not, either the core is another version (then that is named),
or something decided that was not in the journal, which is a defect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from callflow.core.events import Event
from callflow.core.switchboard import Switchboard
from callflow.journal import witnessed
from callflow.journal.checkpoint import Checkpoint, newest_checkpoint
from callflow.journal.codec import decode_event, encode_command
from callflow.journal.envelope import canonical, core_version
from callflow.journal.errors import CallNotFound
from callflow.journal.reader import Entry, Life, entries_in_order, files_in_order, lives, seqs_of_call
from callflow.journal.upcasters import Document, lift, tag_of

NOT_DECIDED: Final = (
    witnessed.AccessRecorded,
    witnessed.PayloadsErased,
    witnessed.EntriesLost,
    witnessed.UnwritableEvent,
)
"""Events that never went through the core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One command that today's core decides otherwise; None = that side has no such command.

    Attributes:
        position: the command's place among those decided on the event.
        journalled_by: the core that decided then. core: today's.
    """

    seq: int
    event: str
    call: str | None
    position: int
    expected: Document | None
    actual: Document | None
    journalled_by: str
    core: str

    @property
    def same_core(self) -> bool:
        """Whether the same core decided both: then the difference is a defect."""
        return self.journalled_by == self.core


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreplayable:
    """The journal is not whole from here on: an event was lost, erased or never written."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay of a call showed.

    Attributes:
        from_seq: the checkpoint's entry that it began after; 0 = from the first entry.
        outcome: the first difference or hole; None = every decision was the same.
    """

    call: str
    from_seq: int
    first_seq: int
    last_seq: int
    events: int
    core: str
    outcome: Difference | Unreplayable | None


def replay(entries: Iterable[Entry], switchboard: Switchboard) -> Iterator[Difference | Unreplayable]:
    """Every difference, in order. The switchboard must know what it knew before the first entry."""
    before: int | None = None
    for entry in entries:
        seq = entry.envelope.seq
        if before is not None and seq != before + 1:
            yield Unreplayable(seq=seq, reason=f"entries {before + 1} to {seq - 1} were lost")
        before = seq
        if entry.event is None:
            yield Unreplayable(seq=seq, reason="the payload was erased")
            continue
        event = decode_event(entry.event)
        if isinstance(event, witnessed.UnwritableEvent):
            yield Unreplayable(seq=seq, reason=f"a {event.name} could not be written ({event.fault})")
        else:
            yield from _differences(entry, decide_again(switchboard, event))


def replay_call(directories: Sequence[Path], checkpoints: Path, call: str, *, writer: str = "engine") -> Replayed:
    """Begin at the checkpoint before the call and run all events to its end; the first difference ends it.

    Raises:
        CallNotFound: the journal does not name the call.
        JournalDamaged: a file cannot be read.
    """
    parts = [
        part
        for life in lives(files_in_order(directories, writer))
        if (part := _replay_in(life, checkpoints, call)) is not None
    ]
    if not parts:
        raise CallNotFound(call)
    return replace(
        parts[0],
        last_seq=parts[-1].last_seq,
        events=sum(part.events for part in parts),
        outcome=next((part.outcome for part in parts if part.outcome is not None), None),
    )


def _replay_in(life: Life, checkpoints: Path, call: str) -> Replayed | None:
    """The part of a call between two times that the engine began empty; None = there is none."""
    found = [seqs for path in life.paths if (seqs := seqs_of_call(path, call)) is not None]
    if not found:
        return None
    first, last = min(low for low, _ in found), max(high for _, high in found)
    checkpoint = newest_checkpoint(checkpoints, first - 1, at_or_after=life.first)
    begin = checkpoint.seq if checkpoint else 0
    counted = _Counter(entries_in_order(life.paths, begin, last))
    return Replayed(
        call=call,
        from_seq=begin,
        first_seq=first,
        last_seq=last,
        outcome=next(replay(counted, _switchboard(checkpoint)), None),
        events=counted.count,
        core=core_version(),
    )


class _Counter:
    """Counts what goes through."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.count += 1
            yield entry


def _switchboard(checkpoint: Checkpoint | None) -> Switchboard:
    return Switchboard(checkpoint.state if checkpoint else None)


def decide_again(switchboard: Switchboard, event: Event) -> list[Document]:
    """What the core decides on the event; nothing for one that it never sees or fails on, as in the engine.

    Raises:
        MemoryError: as in the engine, which ends then: what was known would be only half of it.
    """
    if isinstance(event, NOT_DECIDED):
        return []
    try:
        return [encode_command(command) for command in switchboard.handle(event)]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a failing decision changes nothing and is followed by a DecisionFailed
        return []


def _differences(entry: Entry, actual: list[Document]) -> Iterator[Difference]:
    expected = entry.commands
    for position in range(max(len(expected), len(actual))):
        then = expected[position] if position < len(expected) else None
        now = actual[position] if position < len(actual) else None
        if then is None or now is None or _today(then) != canonical(now):
            yield Difference(
                seq=entry.envelope.seq,
                event=entry.envelope.type,
                call=entry.envelope.call,
                position=position,
                expected=then,
                actual=now,
                journalled_by=entry.envelope.core_version,
                core=core_version(),
            )
            return


def _today(document: Document) -> str:
    """A journalled command as today's version writes it."""
    name, fields = lift(document)
    if isinstance(fields.get("fact"), dict):
        fact, inner = lift(fields["fact"])
        fields["fact"] = {"type": tag_of(fact), **inner}
    return canonical({"type": tag_of(name), **fields})


def as_document(outcome: Difference | Unreplayable) -> dict[str, Any]:
    """The outcome for people's tools."""
    if isinstance(outcome, Unreplayable):
        return {"kind": "unreplayable", "seq": outcome.seq, "reason": outcome.reason}
    return {
        "kind": "difference",
        "seq": outcome.seq,
        "event": outcome.event,
        "call": outcome.call,
        "position": outcome.position,
        "expected": outcome.expected,
        "actual": outcome.actual,
        "journalled_by": outcome.journalled_by,
        "core": outcome.core,
        "same_core": outcome.same_core,
    }
