"""What the engine is given in its tests: a journal in memory, and an executor that waits where it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from callflow.core.commands import CallCommand, Command
from callflow.core.events import Event


class MemoryJournal:
    """Keeps turns; they are on disk at once, or when `flush` is called after `hold`."""

    def __init__(self) -> None:
        self.turns: list[tuple[Event, tuple[Command, ...]]] = []
        self._on_disk = asyncio.Event()
        self._on_disk.set()

    @property
    def events(self) -> list[Event]:
        return [event for event, _ in self.turns]

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def append(self, event: Event, decided: Sequence[Command] = ()) -> int:
        self.turns.append((event, tuple(decided)))
        return len(self.turns)

    async def committed(self, seq: int) -> None:
        assert seq <= len(self.turns)
        await self._on_disk.wait()

    def hold(self) -> None:
        self._on_disk.clear()

    def flush(self) -> None:
        self._on_disk.set()


class WatchedExecutor:
    """Notes what begins and ends; what is in `held` waits until it is released, what is in `errors` raises."""

    def __init__(self) -> None:
        self.begun: list[Command] = []
        self.done: list[Command] = []
        self.held: dict[str, asyncio.Event] = {}
        self.errors: dict[type[Command], Exception] = {}
        self.brings: dict[type[Command], list[Event]] = {}

    def hold(self, call: str) -> asyncio.Event:
        self.held[call] = asyncio.Event()
        return self.held[call]

    async def execute(self, command: Command) -> Sequence[Event]:
        self.begun.append(command)
        whose = command.call if isinstance(command, CallCommand) else getattr(command, "channel", "")
        held = self.held.get(whose)
        if held is not None:
            await held.wait()
        if type(command) in self.errors:
            raise self.errors[type(command)]
        self.done.append(command)
        return self.brings.get(type(command), [])
