"""Proves again and again that Asterisk hears us and that its events reach us, which an open websocket does not show.

When Asterisk closes a websocket it unregisters the application, even one that a newer websocket has registered again
in that very moment. The newer one then stays open, answers pings and requests, and is told of no event (measured: a
quarter of the reconnects right after a connection was cut off). So an event of our own goes through Asterisk and back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from callflow.ari.errors import NotFound, Unheard
from callflow.ari.protocol import events
from callflow.ari.protocol.event_types import ChannelUserevent, Event
from callflow.ari.request import Request

BEAT: Final = "callflow-pulse"
BEAT_SECONDS: Final = 1.0
LIMIT_SECONDS: Final = 2.5
"""The limit beyond which we step back: an engine whose every word takes so long only holds callers up. Long before this
a call that was offered (0.5 s) has gone to the fallback."""


class Pulse:
    """The pulse of one application's connection.

    Attributes:
        took_seconds: how long the latest beat was under way.

    Args:
        request: sends a request over the websocket.
    """

    def __init__(self, application: str, request: Callable[[Request[None]], Awaitable[None]]) -> None:
        self._application = application
        self._request = request
        self._felt = asyncio.Event()
        self._felt_at: float | None = None
        self.took_seconds = 0.0

    def age_seconds(self) -> float | None:
        """How long ago the last beat was felt; None = none yet."""
        return None if self._felt_at is None else asyncio.get_running_loop().time() - self._felt_at

    def feel(self, event: Event) -> bool:
        """Whether an event is our own beat, which is nobody else's business."""
        ours = isinstance(event, ChannelUserevent) and event.eventname == BEAT
        if ours:
            self._felt_at = asyncio.get_running_loop().time()
            self._felt.set()
        return ours

    async def beat(self) -> None:
        """Send an event through Asterisk and wait until it is back.

        Raises:
            Unheard: it did not come back, or Asterisk does not know the application.
            AriError: it could not be sent.
        """
        self._felt.clear()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._request(events.user_event(event_name=BEAT, application=self._application))
                await self._felt.wait()
                self.took_seconds = clock() - began
        except NotFound as error:
            raise Unheard(self._application, "Asterisk has unregistered it") from error
        except TimeoutError as error:
            raise Unheard(self._application, f"an event took more than {LIMIT_SECONDS:g} s") from error

    async def go_on(self) -> None:
        """Beat for ever.

        Raises:
            Unheard, AriError: as `beat`.
        """
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.beat()
