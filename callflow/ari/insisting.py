"""Asks again where Asterisk did not answer or could not do it: a caller waits for the outcome, not for an answer.

Only for requests that may be repeated: an id that we chose is there already (409), what was to be ended is gone (404),
who was to be joined is joined. So a request that was done though its answer was lost does no harm when it comes twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from callflow.ari.backoff import pauses
from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, NotConnected, OutcomeUnknown, ServerFault
from callflow.ari.request import Request

T = TypeVar("T")

TRY_SECONDS: Final = 2.0
"""One try. Asterisk answers within milliseconds, and within some tenths of a second where a channel is busy."""
LIMIT_SECONDS: Final = 4.0
"""All tries together. A caller who then is sent to the dialplan has waited for less than the ten seconds of a limbo."""
MOST_TRIES: Final = 5
"""Of one that is refused at once: within 0.6 s, long enough for a fault that comes and goes."""
AGAIN: Final = (ServerFault, OutcomeUnknown, NotConnected)


class Insisting:
    """Sends requests as the connection does, and again after a pause.

    Attributes:
        application: of the connection.

    Args:
        limit_seconds: for all tries of a request.
        most_tries: of a request; None = as many as there is time for.
    """

    def __init__(
        self, connection: AriConnection, *, limit_seconds: float = LIMIT_SECONDS, most_tries: int | None = MOST_TRIES
    ) -> None:
        self.application = connection.application
        self._connection = connection
        self._limit_seconds = limit_seconds
        self._most_tries = most_tries

    async def request(self, request: Request[T]) -> T:
        """Over the websocket.

        Raises:
            AriError: of the last try.
        """
        return await self._insist(lambda seconds: self._connection.request(request, timeout_seconds=seconds), AGAIN)

    async def request_http(self, request: Request[T]) -> T:
        """Over HTTP: one that may block must not hold up those behind it on the websocket.

        Raises:
            AriError: of the last try.
        """
        return await self._insist(
            lambda seconds: self._connection.request_http(request, timeout_seconds=seconds), AGAIN
        )

    async def ring(self, originate: Request[T]) -> T:
        """As `request_http`, but take 500 for an answer: Asterisk says so of a phone that is not registered.

        Raises:
            AriError: of the last try.
        """
        return await self._insist(
            lambda seconds: self._connection.request_http(originate, timeout_seconds=seconds),
            (OutcomeUnknown, NotConnected),
        )

    async def _insist(self, send: Callable[[float], Awaitable[T]], again: tuple[type[AriError], ...]) -> T:
        clock = asyncio.get_running_loop().time
        until = clock() + self._limit_seconds
        for tries, pause in enumerate(pauses(), start=1):
            try:
                return await send(min(TRY_SECONDS, until - clock()))
            except again:
                if tries == self._most_tries or clock() + pause >= until:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")
