"""Joins the connection and the engine: claims calls that are offered, hands events on, takes stock after a connect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from callflow.ari import naming
from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, Conflict, NotFound, Refused
from callflow.ari.protocol import bridges, channels
from callflow.ari.protocol import events as event_verbs
from callflow.ari.protocol.event_types import CallBroadcast, StasisStart
from callflow.ari.protocol.event_types import Event as AriEvent
from callflow.ari.resync import take_stock
from callflow.ari.wire import Wire
from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.faults import FaultReported

log = structlog.get_logger(__name__)

RING_TONE_LINGERS_SECONDS: Final = 0.3
"""What the carrier played until the answer has arrived by then."""

CLAIMS_AT_ONCE: Final = 32
"""A claim is answered within milliseconds. Where so many wait, Asterisk or we are behind in a flood: the claims to come
would be late, and calls that were taken all the same would only put us further behind."""
TOLD_EVERY_SECONDS: Final = 1.0
"""Calls that went on without us are told in the log and counted each; the alarm needs no more than this."""


async def _nothing_under_way() -> None:
    """For whoever carries out no commands."""


class AriEdge:
    """The connection's Listener.

    Attributes:
        claimed: calls that we claimed.
        lost_claims: calls that another engine, or the fallback, had before us.

    Args:
        post: takes the core's events.
        on_lost: called at once when the connection is gone.
        settle: waits a moment for what the engine has under way, before stock is taken.
        may_claim: whether new calls may be taken now; else the dialplan serves them.
    """

    def __init__(
        self,
        connection: AriConnection,
        wire: Wire,
        post: Callable[[Event], None],
        *,
        on_lost: Callable[[], None] = lambda: None,
        settle: Callable[[], Awaitable[None]] = _nothing_under_way,
        may_claim: Callable[[], bool] = lambda: True,
    ) -> None:
        self.claimed = 0
        self.lost_claims = 0
        self._ari = connection
        self._wire = wire
        self._post = post
        self._on_lost = on_lost
        self._settle = settle
        self._may_claim = may_claim
        self._claiming = 0
        self._told_at: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def unheard_keys(self) -> int:
        """Keys that were too many, or none that a phone has; see `keys`."""
        return self._wire.keys.dropped

    def on_event(self, event: AriEvent) -> None:
        """Claim a call that is offered; translate anything else."""
        if isinstance(event, CallBroadcast):
            if not self._may_claim():
                self.lost_claims += 1
                log.warning("a call is left to the dialplan: this engine is not in charge")
            elif self._claiming >= CLAIMS_AT_ONCE:
                self._lose_claim("a call is left to the dialplan: too many wait for their claims")
            else:
                self._claiming += 1
                self._begin(self._claim(event.channel.id), "claim")
            return
        if isinstance(event, StasisStart) and self._wire.speech.sounds_early(event.channel.id):
            self._begin(self._listen_anew(event.channel.id), "listen anew")
        for ours in self._wire.translate(event):
            self._post(ours)

    async def on_connected(self) -> None:
        """Bring the core's knowledge in line with Asterisk's; see `resync` for what is no call's."""
        await self._settle()
        stock = await take_stock(self._ari, self._wire)
        self._post(stock.snapshot)
        for citizen in stock.citizens:
            self._post(citizen)
        for channel in stock.codes:
            with suppress(Refused):
                await self._ari.request(channels.hangup(channel_id=channel))
        for bridge in stock.left_over:
            with suppress(Refused):
                await self._ari.request(bridges.destroy(bridge_id=bridge))

    def on_disconnected(self) -> None:
        """The next connect takes stock; until then nobody knows who waits."""
        self._on_lost()

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
            self._lose_claim("a claim came too late, or another engine has the call")
        except AriError as error:
            self._lose_claim(f"a call could not be claimed: {error}")
        finally:
            self._claiming -= 1

    def _lose_claim(self, why: str) -> None:
        """The fallback takes the call, or another engine; a machine that is too slow shows so first."""
        self.lost_claims += 1
        log.warning("a call went on without us", why=why, lost_claims=self.lost_claims)
        now = self._wire.now()
        if self._told_at is not None and 0 <= (now - self._told_at).total_seconds() < TOLD_EVERY_SECONDS:
            return
        self._told_at = now
        detail = "calls went to the fallback before they could be claimed: is this machine overloaded?"
        self._post(FaultReported(at=now, kind=AlarmKind.LATE_CLAIM, subject="", detail=detail, lasting=False))

    async def _listen_anew(self, channel: str) -> None:
        """A ring tone that sounded until the answer runs on into speech, whose beginning is then not told."""
        await asyncio.sleep(RING_TONE_LINGERS_SECONDS)
        with suppress(AriError):
            # set again without being removed before, it would go on in the speech that it is in
            for variable, value in ((naming.TALK_DETECT_NO_MORE, ""), (naming.TALK_DETECT, naming.TALK_DETECTION)):
                await self._ari.request_http(
                    channels.set_channel_var(channel_id=channel, variable=variable, value=value)
                )
