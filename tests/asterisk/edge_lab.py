"""The whole edge on a real Asterisk, with no core behind it: a test gives the commands and waits for the core's events.

async with start_pbx() as pbx, edge(pbx) as ours: ...
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile

from callflow.ari.edge import AriEdge
from callflow.ari.errors import Fenced
from callflow.ari.executor import AriExecutor
from callflow.ari.protocol.event_types import Event as AriEvent
from callflow.ari.wire import Wire
from callflow.core.commands import AnswerCaller, Command, OfferCall, PrepareCentre
from callflow.core.events import CallArrived, Event, OfferAnswered, SnapshotTaken
from callflow.core.ids import CallId, CentreId, EndpointName, OfferId, offer_id, waiting_bridge
from callflow.demo.audio import Audio, read_audio, tone_present
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.phone import Phone

from .ari_lab import connection_to
from .pbx import HOST, Pbx

A = TypeVar("A", bound=AriEvent)
E = TypeVar("E", bound=Event)
WAIT_SECONDS = 8.0
WAITING = waiting_bridge(CentreId("banyuwangi"))
HEARD_SHARE = 0.1
"""Of three tones each has a third of the energy; of none that is not there a thousandth."""
CITIZEN = "sip:081234567890@carrier.example"
OPERATORS = (EndpointName("op-ani"), EndpointName("op-budi"))


class Edge:
    """An engine without decisions.

    Attributes:
        events: all that the core would have heard, in order.
        heard: all that Asterisk said.
    """

    def __init__(self, pbx: Pbx, application: str) -> None:
        self.events: list[Event] = []
        self.heard: list[AriEvent] = []
        self.connection = connection_to(pbx, application)
        self.wire = Wire(lambda: datetime.now(UTC))
        self.executor = AriExecutor(self.connection, self.wire, pbx.settings.prompts_dir)
        self.listener = AriEdge(self.connection, self.wire, self._take)
        self._news = asyncio.Event()
        self._answered: set[CallId] = set()

    def on_event(self, event: AriEvent) -> None:
        """Keep what Asterisk said, and pass it on."""
        self.heard.append(event)
        self._news.set()
        self.listener.on_event(event)

    async def on_connected(self) -> None:
        await self.listener.on_connected()

    def on_disconnected(self) -> None:
        self.listener.on_disconnected()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def do(self, *commands: Command) -> None:
        """Carry out commands in order, as a call's lane does."""
        for command in commands:
            for event in await self.executor.execute(command):
                self._take(event)

    async def told(self, kind: type[A], channel: str) -> A:
        """What Asterisk said of a channel, past or to come."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for event in self.heard:
                    about = getattr(event, "channel", None)
                    if isinstance(event, kind) and about is not None and about.id == channel:
                        return event
                self._news.clear()
                await self._news.wait()

    async def wait(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of a kind that fits, past or to come."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for event in self.of(kind):
                    if fits(event):
                        return event
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind until now."""
        return [event for event in self.events if isinstance(event, kind)]

    async def prepare(self) -> None:
        """Watch the operators' phones and make the waiting bridge."""
        await self.do(PrepareCentre(bridge=WAITING, endpoints=OPERATORS))

    async def answered_caller(self, call: PhoneCall) -> CallArrived:
        """The citizen's call, ours and answered; it may have arrived before the citizen's phone said that it calls."""
        arrived = await self.wait(CallArrived, lambda event: event.call not in self._answered)
        self._answered.add(arrived.call)
        await self.do(AnswerCaller(call=arrived.call, channel=arrived.channel))
        await call.wait_confirmed()
        return arrived

    async def answered_operator(
        self, caller: CallArrived, phone: Phone, number: int = 1, endpoint: str = "op-ani", display: str = ""
    ) -> tuple[OfferId, IncomingCall]:
        """An operator who took the call and waits to be joined; the phone answers by itself."""
        offer = offer_id(caller.call, number)
        await self.do(
            OfferCall(
                call=caller.call,
                offer=offer,
                caller_channel=caller.channel,
                endpoint=EndpointName(endpoint),
                ring_seconds=10,
                caller_number=caller.caller.number,
                display=display,
            )
        )
        incoming = await phone.wait_incoming()
        await incoming.wait_confirmed()
        await self.wait(OfferAnswered, lambda event: event.offer == offer)
        return offer, incoming


@asynccontextmanager
async def edge(pbx: Pbx, application: str = "callflow-edge") -> AsyncIterator[Edge]:
    """An engine that is connected and has taken stock; its websocket drops at the end."""
    ours = Edge(pbx, application)
    running = asyncio.create_task(ours.connection.run(ours))
    try:
        await ours.wait(SnapshotTaken)
        yield ours
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Fenced):
            await running


@asynccontextmanager
async def operator_phone(pbx: Pbx, login: str, tone_hz: float | None = None) -> AsyncIterator[Phone]:
    """A registered operator's phone that answers by itself."""
    async with Phone.start(name=login) as phone:
        await phone.register(HOST, pbx.settings.sip_port, f"op-{login}", pbx.sip_password(login))
        await phone.auto_answer(tone_hz=tone_hz)
        yield phone


def write_tone(path: Path, hertz: float, seconds: float) -> None:
    """A prompt that is one tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(8000 * seconds)) / 8000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hertz * times), 8000, subtype="PCM_16")


async def hears(call: PhoneCall, seconds: float = 0.8) -> Audio:
    """What a phone hears from now on, for `seconds`; what is on its way at this moment is left out."""
    assert call.recording is not None
    begin = time.monotonic() - call.recording.started_monotonic + 0.4
    recording = await call.wait_heard(begin + seconds)
    return read_audio(recording.path).between(begin, begin + seconds)


def tones(audio: Audio, among: Collection[float]) -> set[float]:
    """Which of these tones sound, several at once or one."""
    return {hertz for hertz in among if tone_present(audio, hertz).share > HEARD_SHARE}


def faults(pbx: Pbx, provoked: str) -> list[str]:
    """Asterisk's faults, but for what a test provoked and for engines that left without a word."""
    return [line for line in pbx.server.log_faults() if provoked not in line and "WebSocket read error" not in line]
