"""What the engine needs of the outside, as Protocols: it never imports Asterisk's edge or the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from callflow.core.commands import Command
from callflow.core.events import Event


class Executor(Protocol):
    """Carries out the core's commands."""

    async def execute(self, command: Command) -> Sequence[Event]:
        """Carry out one command; the events that its outcome brings at once.

        Raises:
            CallflowError: when it could not be done; it becomes a CommandFailed.
        """


class Journal(Protocol):
    """Keeps every event with what was decided on it."""

    def append(self, event: Event, decided: Sequence[Command] = ()) -> int:
        """Keep one turn and return its sequence number at once; never blocks, never raises."""

    async def committed(self, seq: int) -> None:
        """Wait until the entry is on disk.

        Raises:
            CallflowError: it never will be.
        """
