"""Keeps one engine connected with Asterisk: listens, reconnects, sends requests over the same websocket.

The reader only parses and hands on, in order; it never waits, for Asterisk closes a websocket that is not read. After
each connect the filters are sent again, then `on_connected` brings our knowledge in line, and only then do events of
this connection go out: what came meanwhile waits in order.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

import aiohttp
import structlog

from callflow.ari.backoff import pauses
from callflow.ari.errors import AriError, Fenced, NotConnected, Stale, Unauthorized
from callflow.ari.exchange import Exchange
from callflow.ari.handshake import EventSocket, open_websocket, why_not_connected
from callflow.ari.http_watch import HttpWatch
from callflow.ari.messages import Answer, Unusable, read_message
from callflow.ari.protocol.event_types import ApplicationReplaced, Event
from callflow.ari.pulse import Pulse
from callflow.ari.request import Request
from callflow.ari.rest import Rest
from callflow.ari.unwanted import leave_out_unwanted

log = structlog.get_logger(__name__)
T = TypeVar("T")

REQUEST_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 5.0
"""A connection that lasted this long is followed by the shortest pause."""


class Listener(Protocol):
    """What the connection tells its owner."""

    def on_event(self, event: Event) -> None:
        """Take an event; must not wait."""

    async def on_connected(self) -> None:
        """The connection is new: take stock. An AriError raised here ends it, and it is tried again."""

    def on_disconnected(self) -> None:
        """The connection is gone; another attempt follows."""


class AriConnection:
    """One application's connection with one Asterisk.

    Attributes:
        connected: the websocket is up and stock was taken.
        skipped: frames that were no event we know.
        failed: events that the listener raised on.
        trouble: why there is no connection, for people; '' while there is one.

    Args:
        password: or what reads it anew, should Asterisk refuse the one of before.
    """

    def __init__(self, base_url: str, user: str, password: str | Callable[[], str], application: str) -> None:
        self.application = application
        self.trouble = ""
        self.connected = False
        self.connects = 0
        self.skipped = 0
        self.failed = 0
        self._base = base_url.rstrip("/")
        self._rest = Rest(base_url, user, password)
        self._socket: EventSocket | None = None
        self._exchange = Exchange()
        self._fenced = False
        self._listener: Listener | None = None
        self._stale = asyncio.Event()
        self._pulse = Pulse(application, self.request)
        self._http = HttpWatch()

    def pulse_age(self) -> float | None:
        """How many seconds ago an event of ours last came back through Asterisk; None = not yet."""
        return self._pulse.age_seconds()

    @property
    def slowness_seconds(self) -> float:
        """How long Asterisk took to hear us and tell us so, a moment ago."""
        return self._pulse.took_seconds

    @property
    def http_trouble(self) -> str:
        """What is wrong with requests over HTTP while the websocket is well, for people; '' = nothing."""
        return self._http.trouble

    def renew(self) -> None:
        """Give this connection up at once, with all that waits unread in it, and connect anew."""
        self._stale.set()
        if self._listener is not None:
            self._disconnect(self._listener)

    async def run(self, listener: Listener) -> None:
        """Connect, listen and reconnect, for ever.

        Raises:
            Fenced: another engine took over; never reconnect.
        """
        self._listener = listener
        waits = pauses()
        clock = asyncio.get_running_loop().time
        watch = asyncio.create_task(self._http.run(self._rest, lambda: self.connected), name="ari over http")
        try:
            while True:
                began = clock()
                try:
                    await self._listen(listener)
                except (AriError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    self._tell_trouble(why_not_connected(error))
                    if isinstance(error, Fenced):
                        raise
                self._disconnect(listener)
                self._still_ours()  # another fault may have hidden that we were replaced
                if clock() - began > STEADY_SECONDS:
                    waits = pauses()
                await asyncio.sleep(next(waits))
        finally:
            await _end(watch)
            self._disconnect(listener)
            await self._rest.close()

    async def request(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """Send a request over the websocket, or over HTTP while there is none, and wait for its answer.

        Raises:
            Refused: Asterisk's error status. NotConnected: not sent. OutcomeUnknown: sent, but not answered.
            Fenced: not sent, as another engine took over.
        """
        self._still_ours()
        socket = self._socket
        if socket is None or socket.closed:
            return await self._rest.send(request, timeout_seconds)
        return await self._exchange.ask(socket, request, timeout_seconds)

    async def request_http(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """Send a request over HTTP: one that may block must not hold up those behind it on the websocket.

        Over the websocket all the same where HTTP is not to be had: a caller waits.

        Raises:
            Refused, NotConnected, OutcomeUnknown, Fenced: as `request`.
        """
        self._still_ours()
        if self._http.trouble and self.connected:
            return await self.request(request, timeout_seconds=timeout_seconds)
        try:
            return await self._rest.send(request, timeout_seconds)
        except (Unauthorized, NotConnected):
            if not self.connected:
                raise
            return await self.request(request, timeout_seconds=timeout_seconds)

    async def request_list(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """Ask for what may be long, over HTTP and never over the websocket.

        Asterisk 22 builds each frame of a websocket on its thread's stack, of 496 kB: a list of some 300 channels, sent
        as one frame, kills Asterisk, and all its calls with it. Over HTTP an answer may be as long as it likes.

        Raises:
            Refused, NotConnected, OutcomeUnknown, Fenced: as `request`.
        """
        self._still_ours()
        return await self._rest.send(request, timeout_seconds)

    async def _listen(self, listener: Listener) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            opening = await open_websocket(self._rest, self._base, self.application)
        async with opening as socket:
            self._stale.clear()
            self._socket = socket
            self.connects += 1
            early: list[Event] = []
            reader = asyncio.create_task(self._read(socket, early, listener), name="ari reader")
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._while_read(self._take_stock(listener), reader)
                if reader.done():
                    raise NotConnected("stock-taking")
                self.connected = True
                self.trouble = ""
                log.info("connected with Asterisk", application=self.application)
                for event in early:
                    self._tell(listener, event)
                early.clear()
                await self._while_read(self._pulse.go_on(), reader)
            finally:
                await _end(reader)

    def _tell_trouble(self, trouble: str) -> None:
        """Each trouble once, not with each of the attempts that follow within seconds."""
        if trouble != self.trouble:
            log.warning("not connected with Asterisk; it is tried again and again", error=trouble)
        self.trouble = trouble

    async def _take_stock(self, listener: Listener) -> None:
        await self.request(leave_out_unwanted(self.application))
        await self._pulse.beat()
        await listener.on_connected()

    async def _while_read(self, work: Coroutine[Any, Any, None], reader: asyncio.Task[None]) -> None:
        """Do something that needs the connection, and no longer than there is one."""
        task = asyncio.create_task(work, name="ari work")
        stale = asyncio.create_task(self._stale.wait(), name="ari connection is given up")
        try:
            await asyncio.wait({task, stale, reader}, return_when=asyncio.FIRST_COMPLETED)
            if stale.done():
                raise Stale
            await (task if task.done() else reader)
        finally:
            await _end(task)
            stale.cancel()

    async def _read(self, socket: EventSocket, early: list[Event], listener: Listener) -> None:
        async for frame in socket:
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            match read_message(frame.data):
                case Answer() as answer:
                    self._exchange.answered(answer)
                case Unusable() as unusable:
                    self.skipped += 1
                    log.warning("skipped a message of Asterisk's", kind=unusable.kind, why=unusable.why)
                case ApplicationReplaced():
                    self._fenced = True
                    raise Fenced(self.application)
                case event if self._pulse.feel(event):
                    continue
                case event if self.connected:
                    self._tell(listener, event)
                case event:
                    early.append(event)

    def _tell(self, listener: Listener, event: Event) -> None:
        try:
            listener.on_event(event)
        except Exception as error:  # noqa: BLE001 - one event that we misread must not deafen the engine
            self.failed += 1
            place = traceback.extract_tb(error.__traceback__)[-1]  # not its text, which may hold a caller's data
            where = f"{place.filename}:{place.lineno}"
            log.error("an event was not handled", kind=event.type, error=type(error).__name__, where=where)  # noqa: TRY400

    def _still_ours(self) -> None:
        if self._fenced:
            raise Fenced(self.application)

    def _disconnect(self, listener: Listener) -> None:
        self._socket = None
        self._exchange.break_off()
        if self.connected:
            self.connected = False
            log.warning("disconnected from Asterisk", application=self.application)
            listener.on_disconnected()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, AriError, aiohttp.ClientError, OSError):
        await task
