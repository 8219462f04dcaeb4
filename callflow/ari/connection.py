"""Keeps one engine connected with Asterisk: listens, reconnects, sends requests over the same websocket.

The reader only parses and hands on, in order; it never waits, for Asterisk closes a websocket that is not read. After
each connect the filters are sent again, then `on_connected` brings our knowledge in line, and only then do events of
this connection go out: what came meanwhile waits in order.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Literal, Protocol, TypeVar

import aiohttp
import structlog

from callflow.ari.backoff import pauses
from callflow.ari.errors import AriError, Fenced, NotConnected, OutcomeUnknown, Unauthorized, refusal
from callflow.ari.messages import Answer, Unusable, read_message
from callflow.ari.protocol import applications
from callflow.ari.protocol.event_types import ApplicationReplaced, Event
from callflow.ari.pulse import Pulse
from callflow.ari.request import Request
from callflow.ari.rest import Rest

log = structlog.get_logger(__name__)
T = TypeVar("T")

REQUEST_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 5.0
"""A connection that lasted this long is followed by the shortest pause."""
PING_SECONDS: Final = 2.0
"""A websocket whose far end answers no ping for half of this is taken for dead."""
LETTING_GO_SECONDS: Final = 0.3
"""So long Asterisk may take to close our earlier websocket; registered longer, the application is another engine's."""
LOOK_SECONDS: Final = 0.02
UNWANTED_EVENTS: Final = (
    "ChannelVarset",
    "ChannelDialplan",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "BridgeCreated",
    "BridgeDestroyed",
    "PlaybackStarted",
    "PlaybackContinuing",
    "ContactStatusChange",
    "Dial",
)
"""Filtered at the source. A list of *allowed* events would swallow the answers to our requests (RESTResponse)."""


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
    """

    def __init__(self, base_url: str, user: str, password: str, application: str) -> None:
        self.application = application
        self.connected = False
        self.connects = 0
        self.skipped = 0
        self.failed = 0
        self._base = base_url.rstrip("/")
        self._rest = Rest(base_url, user, password)
        self._socket: aiohttp.ClientWebSocketResponse[Literal[False]] | None = None
        self._answers: dict[str, asyncio.Future[Answer | None]] = {}
        self._fenced = False
        self._pulse = Pulse(application, self.request)
        self._numbers = itertools.count(1)

    async def run(self, listener: Listener) -> None:
        """Connect, listen and reconnect, for ever.

        Raises:
            Fenced: another engine took over; never reconnect.
        """
        waits = pauses()
        clock = asyncio.get_running_loop().time
        try:
            while True:
                began = clock()
                try:
                    await self._listen(listener)
                except (AriError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    log.warning("not connected with Asterisk", error=_described(error))
                    if isinstance(error, Fenced):
                        raise
                self._disconnect(listener)
                self._still_ours()  # another fault may have hidden that we were replaced
                if clock() - began > STEADY_SECONDS:
                    waits = pauses()
                await asyncio.sleep(next(waits))
        finally:
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
        number = str(next(self._numbers))
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(timeout_seconds):
                await socket.send_str(_frame(request, number))
                got = await answer
        except TimeoutError as error:
            raise OutcomeUnknown(request.operation, f"no answer within {timeout_seconds:g} s") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise OutcomeUnknown(request.operation, "the connection ended") from error
        finally:
            self._answers.pop(number, None)
        if got is None:
            raise OutcomeUnknown(request.operation, "the connection ended")
        if got.status >= 400:
            raise refusal(got.status, request.operation, got.reason)
        return request.result(got.body)

    async def request_http(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """Send a request over HTTP: one that may block must not hold up those behind it on the websocket.

        Raises:
            Refused, NotConnected, OutcomeUnknown, Fenced: as `request`.
        """
        self._still_ours()
        return await self._rest.send(request, timeout_seconds)

    async def _listen(self, listener: Listener) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            await self._let_go()
            opening = await self._rest.session.ws_connect(
                f"{self._base}/events",
                params={"app": self.application, "subscribeAll": "false"},
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                heartbeat=PING_SECONDS,
                max_msg_size=0,
                decode_text=False,  # a frame that is no UTF-8 is one frame to skip, not the end of the connection
            )
        async with opening as socket:
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
                log.info("connected with Asterisk", application=self.application)
                for event in early:
                    self._tell(listener, event)
                early.clear()
                await self._while_read(self._pulse.go_on(), reader)
            finally:
                await _end(reader)

    async def _let_go(self) -> None:
        """Wait until Asterisk is done with our earlier websocket, lest it unregister the one to come; see `pulse`."""
        there = applications.get(application_name=self.application)
        with suppress(AriError, TimeoutError):  # NotFound is what we wait for; other faults are the handshake's to tell
            async with asyncio.timeout(LETTING_GO_SECONDS):
                while True:
                    await self._rest.send(there, LETTING_GO_SECONDS)
                    await asyncio.sleep(LOOK_SECONDS)

    async def _take_stock(self, listener: Listener) -> None:
        unwanted = {"disallowed": [{"type": name} for name in UNWANTED_EVENTS]}
        await self.request(applications.filter(application_name=self.application, filter=unwanted))
        await self._pulse.beat()
        await listener.on_connected()

    async def _while_read(self, work: Coroutine[Any, Any, None], reader: asyncio.Task[None]) -> None:
        """Do something that needs the connection, and no longer than there is one."""
        task = asyncio.create_task(work, name="ari work")
        try:
            await asyncio.wait({task, reader}, return_when=asyncio.FIRST_COMPLETED)
            await (task if task.done() else reader)
        finally:
            await _end(task)

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse[Literal[False]], early: list[Event], listener: Listener
    ) -> None:
        async for frame in socket:
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            match read_message(frame.data):
                case Answer() as answer:
                    waiting = self._answers.get(answer.request)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(answer)
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
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_result(None)  # not cancelled: who waits could not tell that from its own end
        if self.connected:
            self.connected = False
            log.warning("disconnected from Asterisk", application=self.application)
            listener.on_disconnected()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, AriError, aiohttp.ClientError, OSError):
        await task


def _frame(request: Request[Any], number: str) -> str:
    content: dict[str, Any] = {
        "type": "RESTRequest",
        "transaction_id": number,
        "request_id": number,
        "method": request.method,
        "uri": request.path,
        "query_strings": [{"name": name, "value": value} for name, value in request.query],
    }
    if request.body is not None:
        content |= {"content_type": "application/json", "message_body": json.dumps(request.body)}
    return json.dumps(content)


def _described(error: BaseException) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        if error.status in (401, 403):
            return str(Unauthorized(error.status, "GET events", "check the user and secrets/ari_password"))
        return f"handshake refused with {error.status}"
    return f"{type(error).__name__}: {error}" if isinstance(error, AriError | OSError) else type(error).__name__
