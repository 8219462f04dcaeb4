"""Engines for the contract tests: our own connection on a real Asterisk, with a listener that can be waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from callflow.ari.connection import AriConnection
from callflow.ari.errors import Fenced, Refused
from callflow.ari.protocol import events as event_verbs
from callflow.ari.protocol.event_types import CallBroadcast, Event, StasisStart
from callflow.ari.rest import Rest

from .pbx import Pbx

E = TypeVar("E", bound=Event)
WAIT_SECONDS = 8.0


class Engine:
    """A Listener that keeps every event.

    Attributes:
        claims: whether each call that is offered is claimed at once.
        refused: the claims that Asterisk turned down.
        running: ends only by its own fault, or by being fenced.
    """

    def __init__(self, connection: AriConnection, claims: bool) -> None:
        self.connection = connection
        self.claims = claims
        self.events: list[Event] = []
        self.refused: list[Refused] = []
        self.stocks = 0
        self.disconnects = 0
        self.running: asyncio.Task[None]
        self._news = asyncio.Event()
        self._claiming: set[asyncio.Task[None]] = set()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        if self.claims and isinstance(event, CallBroadcast):
            task = asyncio.create_task(self.claim(event.channel.id))
            self._claiming.add(task)
            task.add_done_callback(self._claiming.discard)
        self._news.set()

    async def on_connected(self) -> None:
        self.stocks += 1
        self._news.set()

    def on_disconnected(self) -> None:
        self.disconnects += 1
        self._news.set()

    async def claim(self, channel: str) -> None:
        try:
            await self.connection.request(
                event_verbs.claim_channel(channel_id=channel, application=self.connection.application)
            )
        except Refused as error:
            self.refused.append(error)
            self._news.set()

    async def until(self, told: Callable[[], bool]) -> None:
        """Wait until something is so; looked at after each event."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not told():
                self._news.clear()
                await self._news.wait()

    async def wait(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of a kind that fits, past or to come."""

        def found() -> E | None:
            return next((event for event in self.events if isinstance(event, kind) and fits(event)), None)

        await self.until(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def arrival(self) -> str:
        """The channel of the first caller who is ours."""
        started = await self.wait(StasisStart, lambda event: event.channel.name.startswith("PJSIP/trunk-"))
        return started.channel.id

    def about(self, channel: str) -> list[str]:
        """The kinds of the events of one channel, in order."""
        return [event.type for event in self.events if getattr(getattr(event, "channel", None), "id", "") == channel]


def connection_to(pbx: Pbx, application: str) -> AriConnection:
    return AriConnection(pbx.settings.ari_url, pbx.settings.ari_user, pbx.ari_password, application)


@asynccontextmanager
async def engine(pbx: Pbx, application: str = "callflow-a", *, claims: bool = True) -> AsyncIterator[Engine]:
    """An engine that is connected; its websocket drops at the end."""
    ours = Engine(connection_to(pbx, application), claims)
    ours.running = asyncio.create_task(ours.connection.run(ours))
    try:
        await ours.until(lambda: ours.stocks == 1)
        yield ours
    finally:
        ours.running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Fenced):
            await ours.running


@asynccontextmanager
async def http_only(pbx: Pbx) -> AsyncIterator[Rest]:
    """Requests with no websocket anywhere: a watchdog's way."""
    rest = Rest(pbx.settings.ari_url, pbx.settings.ari_user, pbx.ari_password)
    try:
        yield rest
    finally:
        await rest.close()
