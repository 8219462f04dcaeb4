"""Opens an application's event websocket once Asterisk is done with the earlier one; says for people why it failed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import aiohttp

from callflow.ari.errors import AriError, Unauthorized
from callflow.ari.protocol import applications
from callflow.ari.rest import Rest

EventSocket: TypeAlias = "aiohttp.ClientWebSocketResponse[Literal[False]]"
"""A websocket whose text frames come as bytes."""

PING_SECONDS: Final = 2.0
"""A websocket whose far end answers no ping for half of this is taken for dead."""
LETTING_GO_SECONDS: Final = 0.3
"""So long Asterisk may take to close our earlier websocket; registered longer, the application is another engine's."""
LOOK_SECONDS: Final = 0.02
REFUSED_LOGIN: Final = (
    "Asterisk refuses our ARI user or secrets/ari_password: run 'callflow asterisk render', and reload res_ari.so there"
)


async def open_websocket(rest: Rest, base_url: str, application: str) -> EventSocket:
    """Open the websocket on which Asterisk tells this application's events; the caller bounds the time.

    Raises:
        aiohttp.ClientError, OSError: no websocket came about; see `why_not_connected`.
    """
    await _let_go(rest, application)
    rest.renew_login()
    return await rest.session.ws_connect(
        f"{base_url}/events",
        params={"app": application, "subscribeAll": "false"},
        headers=rest.headers,
        timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        heartbeat=PING_SECONDS,
        max_msg_size=0,
        decode_text=False,  # a frame that is no UTF-8 is one frame to skip, not the end of the connection
    )


async def _let_go(rest: Rest, application: str) -> None:
    """Wait until Asterisk is done with our earlier websocket, lest it unregister the one to come; see `pulse`."""
    there = applications.get(application_name=application)
    with suppress(AriError, TimeoutError):  # NotFound is what we wait for; other faults are the handshake's to tell
        async with asyncio.timeout(LETTING_GO_SECONDS):
            while True:
                await rest.send(there, LETTING_GO_SECONDS)
                await asyncio.sleep(LOOK_SECONDS)


def why_not_connected(error: BaseException) -> str:
    """What ended a connection or kept it from being, for people; without aiohttp's text, which may hold headers."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        if error.status in (401, 403):
            return str(Unauthorized(error.status, "GET events", REFUSED_LOGIN))
        return f"handshake refused with {error.status}"
    return f"{type(error).__name__}: {error}" if isinstance(error, AriError | OSError) else type(error).__name__
