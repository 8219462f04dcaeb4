"""Sees whether requests over HTTP are to be had while the websocket is up: neither shows anything of the other.

A password that was changed in Asterisk ends no websocket, but every request over HTTP; a proxy or a full session table
may block one and not the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from callflow.ari.errors import AriError
from callflow.ari.protocol import asterisk
from callflow.ari.rest import Rest

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
LIMIT_SECONDS: Final = 1.5
"""A ping over HTTP that takes longer shows that verbs would not be answered in time either."""
FAILED_PINGS: Final = 2
"""One may be late on a busy machine; over the websocket a verb that blocks would hold up all others."""


class HttpWatch:
    """Pings.

    Attributes:
        trouble: what is wrong with requests over HTTP, for people; '' = nothing.
    """

    def __init__(self) -> None:
        self.trouble = ""
        self._failed = 0

    async def run(self, rest: Rest, connected: Callable[[], bool]) -> None:
        """Look for ever, while `connected` says that there is a websocket."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if connected():
                self._see(await self._ping(rest))
            else:  # what is wrong then is not HTTP's alone, and is told by whoever connects
                self.trouble, self._failed = "", 0

    async def _ping(self, rest: Rest) -> str:
        try:
            await rest.send(asterisk.ping(), LIMIT_SECONDS)
        except AriError as error:
            return str(error)
        return ""

    def _see(self, trouble: str) -> None:
        self._failed = self._failed + 1 if trouble else 0
        if 0 < self._failed < FAILED_PINGS:
            return
        if trouble and not self.trouble:
            log.warning("no requests to Asterisk over HTTP; they go over the websocket", error=trouble)
        elif self.trouble and not trouble:
            log.info("requests to Asterisk go over HTTP again")
        self.trouble = trouble
