"""Follows the engine once for all browsers: keeps the last frames, takes snapshots sparingly, cuts off slow readers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Final, Protocol

import structlog

from callflow.engine.client import EngineAway, Frame
from callflow.web.known import KnownCalls

log = structlog.get_logger(__name__)

KEPT: Final = 2000
"""Frames that a browser can resume from: at five calls a second, about a minute."""
QUEUED_AT_MOST: Final = 500
SNAPSHOT_SERVES_SECONDS: Final = 1.0
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0

Document = Mapping[str, Any]


class Engine(Protocol):
    """The engine's port, as far as the feed needs it."""

    async def snapshot(self) -> dict[str, Any]:
        """What stands now."""

    def following(self, after: int | None = None) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        """Frames from now on."""


class Reader:
    """One browser's queue. `get` gives None when it was cut off for not reading."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Document | None] = asyncio.Queue()
        self._cut = False

    def put(self, item: Document) -> None:
        """Hand in an item; one who does not read is cut off."""
        if self._cut:
            return
        if self._queue.qsize() >= QUEUED_AT_MOST:
            self._cut = True
            self._queue.put_nowait(None)
            return
        self._queue.put_nowait(item)

    async def get(self) -> Document | None:
        """The next item, in order."""
        return None if self._cut else await self._queue.get()


class Feed:
    """What the engine tells, as documents `{"seq", "facts"}`, `{"seq", "snapshot"}` and `{"engine"}`.

    Attributes:
        connected: the engine is being followed.
        calls: what is known of those that go on.
    """

    def __init__(self, engine: Engine) -> None:
        self.connected = False
        self.calls = KnownCalls()
        self._engine = engine
        self._seq: int | None = None
        self._frames: deque[Document] = deque(maxlen=KEPT)
        self._begins_after = 0
        self._highest = 0
        self._readers: set[Reader] = set()
        self._snapshot: dict[str, Any] | None = None
        self._snapshot_at = 0.0
        self._asking: asyncio.Task[dict[str, Any]] | None = None
        self._changed = asyncio.Event()

    @property
    def readers(self) -> int:
        """How many browsers follow."""
        return len(self._readers)

    async def run(self) -> None:
        """Follow for ever, with a growing pause between attempts."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._engine.following(self._seq) as frames:
                    pause = FIRST_PAUSE_SECONDS
                    self._tell_connected(True)
                    async for frame in frames:
                        self._take(frame)
            except EngineAway as error:
                self._tell_connected(False, error.reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def until(self, *, connected: bool) -> None:
        """Wait until the engine is followed, or is not."""
        while self.connected is not connected:
            self._changed.clear()
            await self._changed.wait()

    async def until_readers(self, count: int) -> None:
        """Wait until so many browsers follow."""
        while len(self._readers) != count:
            self._changed.clear()
            await self._changed.wait()

    async def present(self) -> dict[str, Any]:
        """What stood at most a second ago, with its `seq`; `since` has the rest. Many who ask cost one answer.

        Raises:
            EngineAway.
        """
        fresh = time.monotonic() - self._snapshot_at < SNAPSHOT_SERVES_SECONDS
        if self.connected and fresh and self._snapshot is not None and self._covers(self._snapshot["seq"]):
            return self._snapshot
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._engine.snapshot(), name="snapshot")
        snapshot = await asyncio.shield(self._asking)
        self._snapshot, self._snapshot_at = snapshot, time.monotonic()
        self._highest = max(self._highest, int(snapshot["seq"]))
        return snapshot

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader who gets everything from now on."""
        reader = Reader()
        self._readers.add(reader)
        self._changed.set()
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self._changed.set()

    def end(self) -> None:
        """Tell every browser that this process ends: it comes back to the next one."""
        for reader in tuple(self._readers):
            reader.put({"end": True})

    def since(self, seq: int) -> tuple[Document, ...] | None:
        """The frames after `seq`; None when they are not kept, or were never."""
        if not self._covers(seq):
            return None
        return tuple(frame for frame in self._frames if frame["seq"] > seq)

    def _covers(self, seq: int) -> bool:
        return self._seq is not None and self._begins_after <= seq <= self._highest

    def _take(self, frame: Frame) -> None:
        seq = int(frame["seq"])
        if "snapshot" in frame:
            self._frames.clear()
            self._begins_after = self._highest = seq
            self._snapshot, self._snapshot_at = {**frame["snapshot"], "seq": seq}, time.monotonic()
            self.calls.take_snapshot(frame["snapshot"])
        else:
            if len(self._frames) == KEPT:
                self._begins_after = self._frames[0]["seq"]
            self._frames.append(frame)
            self._highest = max(self._highest, seq)
            for fact in frame["facts"]:
                self.calls.take_fact(fact)
        self._seq = seq
        for reader in tuple(self._readers):
            reader.put(frame)

    def _tell_connected(self, connected: bool, reason: str = "") -> None:
        if connected is self.connected:
            return
        self.connected = connected
        self._changed.set()
        if connected:
            log.info("following the engine")
        else:
            log.warning("the engine is away", reason=reason)
        for reader in tuple(self._readers):
            reader.put({"engine": "connected" if connected else "away"})
