"""Watches the engine as a page would: keeps the facts as they come, and waits for one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from callflow.engine.client import EngineAway, EngineClient
from callflow.errors import CallflowError

Fact = dict[str, Any]


class NotSeen(CallflowError):
    """What had to happen did not happen in time."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what = what
        super().__init__(f"{what}: not seen within {seconds:g} s")


class Observer:
    """Follows one engine, also over its restarts. Run `follow` as a task."""

    def __init__(self, socket: Path) -> None:
        self.client = EngineClient(socket)
        self.facts: list[Fact] = []
        self._seq: int | None = None
        self._frames = 0
        self._changed = asyncio.Condition()

    async def follow(self) -> None:
        """Take facts for ever; after a break, those that were missed too, as far as the engine keeps them."""
        while True:
            try:
                async with self.client.following(self._seq) as frames:
                    async for frame in frames:
                        async with self._changed:
                            self._seq = frame["seq"]
                            self._frames += 1
                            self.facts.extend(frame.get("facts", ()))
                            self._changed.notify_all()
            except EngineAway:
                await asyncio.sleep(0.1)

    async def wait(self, what: str, found: Callable[[Fact], bool], *, after: int = 0, seconds: float = 60.0) -> Fact:
        """The first fact at or after index `after` for which `found` is true.

        Raises:
            NotSeen: it did not come in time.
        """

        def first() -> Fact | None:
            return next((fact for fact in self.facts[after:] if found(fact)), None)

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: first() is not None)
        except TimeoutError:
            raise NotSeen(what, seconds) from None
        fact = first()
        assert fact is not None
        return fact

    async def until(self, what: str, holds: Callable[[dict[str, Any]], bool], *, seconds: float = 30.0) -> None:
        """Wait until the engine's snapshot has a property, looked at again with each frame.

        Raises:
            NotSeen: it did not come in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    seen = self._frames
                    if holds(await self.client.snapshot()):
                        return
                    async with self._changed:
                        while self._frames == seen:
                            await self._changed.wait()
        except TimeoutError:
            raise NotSeen(what, seconds) from None

    async def close(self) -> None:
        """Let the connection go."""
        await self.client.close()
