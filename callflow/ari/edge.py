"""Joins the connection and the engine: claims calls that are offered, hands events on, takes stock after a connect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

import structlog

from callflow.ari import naming
from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, Conflict, NotFound, Refused
from callflow.ari.protocol import channels
from callflow.ari.protocol import events as event_verbs
from callflow.ari.protocol.event_types import CallBroadcast, StasisStart
from callflow.ari.protocol.event_types import Event as AriEvent
from callflow.ari.resync import take_stock
from callflow.ari.wire import Wire
from callflow.core.events import Event

log = structlog.get_logger(__name__)

RING_TONE_LINGERS_SECONDS: Final = 0.3
"""What the carrier played until the answer has arrived by then."""


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
        self._tasks: set[asyncio.Task[None]] = set()

    def on_event(self, event: AriEvent) -> None:
        """Claim a call that is offered; translate anything else."""
        if isinstance(event, CallBroadcast):
            self._begin(self._claim(event.channel.id), "claim")
            return
        if isinstance(event, StasisStart) and self._wire.speech.sounds_early(event.channel.id):
            self._begin(self._listen_anew(event.channel.id), "listen anew")
        for ours in self._wire.translate(event):
            self._post(ours)

    async def on_connected(self) -> None:
        """Bring the core's knowledge in line with Asterisk's; see `resync` for what is no call's."""
        stock = await take_stock(self._ari, self._wire)
        self._post(stock.snapshot)
        for citizen in stock.citizens:
            self._post(citizen)
        for channel in stock.codes:
            with suppress(Refused):
                await self._ari.request(channels.hangup(channel_id=channel))

    def on_disconnected(self) -> None:
        """Nothing to do: the next connect takes stock."""

    def _begin(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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

    async def _listen_anew(self, channel: str) -> None:
        """A ring tone that sounded until the answer runs on into speech, whose beginning is then not told."""
        await asyncio.sleep(RING_TONE_LINGERS_SECONDS)
        with suppress(AriError):
            # set again without being removed before, it would go on in the speech that it is in
            for variable, value in ((naming.TALK_DETECT_NO_MORE, ""), (naming.TALK_DETECT, naming.TALK_DETECTION)):
                await self._ari.request_http(
                    channels.set_channel_var(channel_id=channel, variable=variable, value=value)
                )
