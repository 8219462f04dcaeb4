"""Joins the connection and the engine: claims calls that are offered, hands events on, takes stock after a connect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, Conflict, NotFound
from callflow.ari.protocol import events as event_verbs
from callflow.ari.protocol.event_types import CallBroadcast
from callflow.ari.protocol.event_types import Event as AriEvent
from callflow.ari.resync import take_snapshot
from callflow.ari.wire import Wire
from callflow.core.events import Event

log = structlog.get_logger(__name__)


class AriEdge:
    """The connection's Listener.

    Attributes:
        claimed: calls that we claimed.
        lost_claims: calls that another engine, or the fallback, had before us.

    Args:
        post: takes the core's events.
    """

    def __init__(self, connection: AriConnection, wire: Wire, post: Callable[[Event], None]) -> None:
        self.claimed = 0
        self.lost_claims = 0
        self._ari = connection
        self._wire = wire
        self._post = post
        self._claims: set[asyncio.Task[None]] = set()

    def on_event(self, event: AriEvent) -> None:
        """Claim a call that is offered; translate anything else."""
        if isinstance(event, CallBroadcast):
            claim = asyncio.create_task(self._claim(event.channel.id), name="claim")
            self._claims.add(claim)
            claim.add_done_callback(self._claims.discard)
            return
        for ours in self._wire.translate(event):
            self._post(ours)

    async def on_connected(self) -> None:
        """Bring the core's knowledge in line with Asterisk's."""
        self._post(await take_snapshot(self._ari, self._wire))

    def on_disconnected(self) -> None:
        """Nothing to do: the next connect takes stock."""

    async def _claim(self, channel: str) -> None:
        try:
            await self._ari.request(
                event_verbs.claim_channel(channel_id=channel, application=self._ari.application), timeout_seconds=1.0
            )
            self.claimed += 1
        except (Conflict, NotFound):
            self.lost_claims += 1
            log.warning("a claim came too late, or another engine has the call", lost_claims=self.lost_claims)
        except AriError as error:
            self.lost_claims += 1
            log.warning("a call could not be claimed; the fallback takes it", error=str(error))
