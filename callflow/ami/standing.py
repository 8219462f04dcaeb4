"""Keeps what AMI shows now, for whoever tells it on; a moment that passed untold is not told later."""

from __future__ import annotations

import asyncio

from callflow.ami.reading import Seen, TrunkSeen
from callflow.core.ids import TrunkRoute


class Standing:
    """The last thing seen of each trunk and of the fallback queue, as long as the connection stands.

    Attributes:
        news: set when something is to be told.
        connections: how often AMI was (re)connected: after each all is told again.
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.connections = 0
        self.trunks: dict[TrunkRoute, bool] = {}
        self.waiting: int | None = None

    def connected(self) -> None:
        """A connection stands, and the first look is taken."""
        self.connections += 1
        self.news.set()

    def disconnected(self) -> None:
        """What was seen is not known any more."""
        self.trunks.clear()
        self.waiting = None

    def see(self, seen: Seen) -> None:
        """Take in what an event or a look showed."""
        if isinstance(seen, TrunkSeen):
            changed = self.trunks.get(seen.trunk) != seen.reachable
            self.trunks[seen.trunk] = seen.reachable
        else:
            changed = self.waiting != seen.waiting
            self.waiting = seen.waiting
        if changed:
            self.news.set()
