"""Errors of the journal, each with what it is about."""

from __future__ import annotations

from pathlib import Path

from callflow.errors import CallflowError


class JournalError(CallflowError):
    """Root of the journal's errors."""


class UnknownType(JournalError):
    """A tag names no event, command or fact that this version knows."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        super().__init__(f"no event, command or fact is called {tag!r}; was it written by a newer version?")


class MalformedDocument(JournalError):
    """A document does not hold what its type needs."""

    def __init__(self, tag: str, reason: str) -> None:
        self.tag = tag
        self.reason = reason
        super().__init__(f"{tag}: {reason}")


class JournalDamaged(JournalError):
    """A journal's file cannot be read or its last entries do not hang together."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class JournalBusy(JournalError):
    """Another process writes this chain."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: another process holds it; a chain has one writer")


class EntryLost(JournalError):
    """An entry never reached any disk: nobody may rely on what it says."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        super().__init__(f"entry {seq} was not written: the journal is closed or its memory was full")


class LookNotRecorded(JournalError):
    """A look at people's data could not be journalled: nothing is shown."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(
            f"{directory}: your look could not be recorded there, so nothing is shown; may you write to it?"
        )


class CheckpointDamaged(JournalError):
    """A checkpoint's digest does not match what it holds."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class KeyUnusable(JournalError):
    """The key that signs heads cannot be read or is open to others."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class CallNotFound(JournalError):
    """No entry of the journal names this call."""

    def __init__(self, call: str) -> None:
        self.call = call
        super().__init__(f"the journal has no call {call!r}")
