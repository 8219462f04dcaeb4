"""Sends facts to those who follow the engine live: the last ones are kept, so that a follower can resume."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from callflow.core.facts import Fact

KEPT: Final = 2000
QUEUED_AT_MOST: Final = 5000
Frame = tuple[int, tuple[Fact, ...]]
"""A sequence number of the journal and the facts noted on it."""


class Hub:
    """Frames of facts, newest last."""

    def __init__(self) -> None:
        self._kept: deque[Frame] = deque(maxlen=KEPT)
        self._followers: set[asyncio.Queue[Frame | None]] = set()

    def publish(self, seq: int, facts: Sequence[Fact]) -> None:
        """Send one turn's facts to every follower; one who does not read is cut off."""
        if not facts:
            return
        frame = (seq, tuple(facts))
        self._kept.append(frame)
        for follower in tuple(self._followers):
            if follower.qsize() >= QUEUED_AT_MOST:
                self._followers.discard(follower)
                follower.put_nowait(None)
            else:
                follower.put_nowait(frame)

    def since(self, seq: int) -> tuple[Frame, ...] | None:
        """The frames after `seq`; None when they are not kept any more."""
        if self._kept and self._kept[0][0] <= seq + 1:
            return tuple(frame for frame in self._kept if frame[0] > seq)
        return None

    @contextmanager
    def follow(self) -> Iterator[asyncio.Queue[Frame | None]]:
        """A queue that gets every frame from now on; None at its end: the reader was too slow."""
        follower: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
