"""Stands between an engine and Asterisk's ARI, and does to its HTTP and its websocket what a test wants.

    async with ari_proxy(settings.ari_url) as proxy:
        ...start an engine with CALLFLOW_ARI_URL=proxy.url...
        async with proxy.refusing(503, ADD):
            ...

Each fault is a context manager: it holds inside, and is mended when the block is left. Several may hold at once. One
proxy serves any number of engines; whoever is to be spared (a watchdog) is pointed at Asterisk itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

import aiohttp
from aiohttp import web
from yarl import URL

from .ari_faults import EVERYTHING, Distortion, Doubled, Fault, Garbled, Lost, Requests, Swapped, Way

_KEPT_HEADERS: Final = ("Authorization", "Content-Type")
_WS: Final = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse[Any]


class AriProxy:
    """A running proxy.

    Attributes:
        url: what an engine takes for Asterisk's ARI.
        asked: method and path below /ari/ of every request that came, over HTTP or over a websocket, in order.
        sockets: how many event websockets are open now.
    """

    def __init__(self, target: str) -> None:
        self.url = ""
        self.asked: list[tuple[str, str]] = []
        self._target = target.rstrip("/")
        self._faults: list[Fault] = []
        self._distortions: list[Distortion] = []
        self._open = asyncio.Event()
        self._open.set()
        self._cut = False
        self._no_websocket = False
        self._connections: set[asyncio.Transport] = set()
        self._sockets: set[asyncio.Transport] = set()
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession

    @property
    def sockets(self) -> int:
        """How many event websockets are open now."""
        return len(self._sockets)

    # --- faults of requests -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def refusing(self, status: int = 500, requests: Requests = EVERYTHING) -> AsyncIterator[None]:
        """Asterisk answers these requests with an error status and does nothing."""
        async with self._with(Fault(way=Way.REFUSED, requests=requests, status=status)):
            yield

    @asynccontextmanager
    async def late(self, seconds: float, requests: Requests = EVERYTHING) -> AsyncIterator[None]:
        """These requests reach Asterisk after a while."""
        async with self._with(Fault(way=Way.LATE, requests=requests, seconds=seconds)):
            yield

    @asynccontextmanager
    async def answering_late(self, seconds: float, requests: Requests = EVERYTHING) -> AsyncIterator[None]:
        """Asterisk does these requests at once, and its answers come after a while."""
        async with self._with(Fault(way=Way.ANSWERED_LATE, requests=requests, seconds=seconds)):
            yield

    @asynccontextmanager
    async def swallowing(self, requests: Requests = EVERYTHING) -> AsyncIterator[None]:
        """These requests never reach Asterisk and are never answered."""
        async with self._with(Fault(way=Way.SWALLOWED, requests=requests)):
            yield

    @asynccontextmanager
    async def not_answering(self, requests: Requests = EVERYTHING) -> AsyncIterator[None]:
        """Asterisk does these requests, and its answers never come."""
        async with self._with(Fault(way=Way.UNANSWERED, requests=requests)):
            yield

    # --- faults of connections --------------------------------------------------------------------------------------

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """All connections are cut off, and new ones at once when they say a word."""
        self._cut = True
        self._abort(self._connections)
        try:
            yield
        finally:
            self._cut = False

    @asynccontextmanager
    async def half_open(self) -> AsyncIterator[None]:
        """Connections stay up, new ones are accepted, and nothing goes through: no request, no event, no pong."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    @asynccontextmanager
    async def without_websocket(self) -> AsyncIterator[None]:
        """The event websocket is cut off and no new one is had; HTTP goes on."""
        self._no_websocket = True
        self.drop_websockets()
        try:
            yield
        finally:
            self._no_websocket = False

    def drop_websockets(self) -> None:
        """Cut off every event websocket once; a new one is had at once."""
        self._abort(self._sockets)

    # --- faults of events -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def losing_events(self, *kinds: str) -> AsyncIterator[None]:
        """Events of these kinds never come; without kinds, none comes."""
        async with self._distorting(Lost(kinds)):
            yield

    @asynccontextmanager
    async def doubling_events(self, *kinds: str) -> AsyncIterator[None]:
        """Events come twice."""
        async with self._distorting(Doubled(kinds)):
            yield

    @asynccontextmanager
    async def swapping_events(self, *kinds: str) -> AsyncIterator[None]:
        """Each two events come in the other order."""
        async with self._distorting(Swapped(kinds)):
            yield

    @asynccontextmanager
    async def garbling_events(self, *kinds: str) -> AsyncIterator[None]:
        """Before each event comes one that is cut off, of an unknown type, or without its fields."""
        async with self._distorting(Garbled(kinds)):
            yield

    # --- what came ---------------------------------------------------------------------------------------------------

    async def until(self, told: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is so; looked at after each request and each websocket that comes or goes."""
        async with asyncio.timeout(seconds):
            while not told():
                self._news.clear()
                await self._news.wait()

    async def until_asked(self, requests: Requests, times: int = 1, *, seconds: float = 20.0) -> None:
        """Wait until such requests have come so often, from now on."""
        known = len(self.asked)
        await self.until(lambda: sum(requests.fit(*each) for each in self.asked[known:]) >= times, seconds)

    # --- the work ----------------------------------------------------------------------------------------------------

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request, or a websocket's handshake."""
        connection = request.transport
        assert isinstance(connection, asyncio.Transport)
        # kept when idle, too: a pooled connection is cut off as any other
        self._connections = {each for each in self._connections if not each.is_closing()} | {connection}
        if self._cut:
            connection.abort()
            return web.Response(status=500)
        await self._open.wait()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._relay_websocket(request, connection)
        return await self._relay(request, connection)

    async def _relay(self, request: web.Request, connection: asyncio.Transport) -> web.StreamResponse:
        path = request.match_info["path"]
        fault = self._asked(request.method, path)
        if fault is not None and fault.way is Way.REFUSED:
            return web.json_response({"message": "as told"}, status=fault.status)
        body = await request.read()
        await _before(fault)
        url = URL(f"{self._target}/{request.rel_url.raw_path.removeprefix('/ari/')}", encoded=True)
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        try:
            async with self._session.request(
                request.method,
                url.with_query(request.rel_url.query),
                data=body or None,
                headers=headers,
                skip_auto_headers=("Content-Type",),
            ) as answer:
                content = await answer.read()
        except aiohttp.ClientError:
            connection.abort()  # as Asterisk's own end would look
            return web.Response(status=502)
        await _after(fault)
        await self._open.wait()
        return web.Response(status=answer.status, body=content, headers={"Content-Type": answer.content_type})

    async def _relay_websocket(self, request: web.Request, connection: asyncio.Transport) -> web.StreamResponse:
        fault = self._asked("GET", "events")
        if self._no_websocket:
            return web.json_response({"message": "as told"}, status=503)
        if fault is not None and fault.way is Way.REFUSED:
            return web.json_response({"message": "as told"}, status=fault.status)
        await _before(fault)
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        url = URL(f"{self._target}/events").with_query(request.rel_url.query)
        try:
            asterisk = await self._session.ws_connect(
                url, headers=headers, autoping=False, autoclose=False, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as error:
            return web.json_response({"message": error.message}, status=error.status)
        except aiohttp.ClientError:
            connection.abort()
            return web.Response(status=502)
        engine = web.WebSocketResponse(autoping=False, autoclose=False, max_msg_size=0)
        await engine.prepare(request)
        self._sockets.add(connection)
        self._news.set()
        link = _Link(engine, asterisk)
        try:
            await _first_ended(self._to_asterisk(link), self._to_engine(link))
        finally:
            self._sockets.discard(connection)
            self._news.set()
            await asterisk.close()
            connection.abort()
        return engine

    async def _to_asterisk(self, link: _Link) -> None:
        async for frame in link.engine:
            await self._open.wait()
            asked = _rest_request(frame)
            fault = None if asked is None else self._asked(asked["method"], asked["uri"].split("?")[0])
            if asked is None or fault is None:
                await _send(link.asterisk, frame)
            elif fault.way is Way.REFUSED:
                await link.engine.send_str(_refusal(asked, fault.status))
            elif fault.way is Way.LATE:
                self._begin(self._send_late(link.asterisk, frame, fault.seconds))
            elif fault.way is not Way.SWALLOWED:
                link.awaited[str(asked["request_id"])] = fault
                await _send(link.asterisk, frame)

    async def _to_engine(self, link: _Link) -> None:
        async for frame in link.asterisk:
            await self._open.wait()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                await _send(link.engine, frame)
                continue
            fault = link.fault_of_answer(frame.data)
            if fault is not None and fault.way is Way.UNANSWERED:
                continue
            if fault is not None:
                self._begin(self._send_late(link.engine, frame, fault.seconds))
                continue
            frames = [frame.data]
            for distortion in self._distortions:
                frames = [changed for each in frames for changed in distortion.passed_on(each)]
            for each in frames:
                await link.engine.send_str(each)

    async def _send_late(self, to: Socket, frame: aiohttp.WSMessage, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with suppress(ConnectionError, aiohttp.ClientError):
            await _send(to, frame)

    def _asked(self, method: str, path: str) -> Fault | None:
        """Take down a request; what is to become of it, by the latest fault that it fits."""
        self.asked.append((method, path))
        self._news.set()
        return next((fault for fault in reversed(self._faults) if fault.requests.fit(method, path)), None)

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _abort(self, connections: set[asyncio.Transport]) -> None:
        for connection in tuple(connections):
            connection.abort()

    @asynccontextmanager
    async def _with(self, fault: Fault) -> AsyncIterator[None]:
        with _in_force(self._faults, fault):
            yield

    @asynccontextmanager
    async def _distorting(self, distortion: Distortion) -> AsyncIterator[None]:
        with _in_force(self._distortions, distortion):
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen on a free loopback port."""
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/ari/{path:.*}", self.take)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)  # a kept connection may end as we use it
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as self._session:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ari"
            try:
                yield
            finally:
                self._open.set()
                self._abort(self._connections)
                for task in tuple(self._tasks):
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await runner.cleanup()


class _Link:
    """An engine's websocket and the one at Asterisk that it is joined to; `awaited`: faults of answers to come."""

    def __init__(self, engine: web.WebSocketResponse, asterisk: aiohttp.ClientWebSocketResponse[Any]) -> None:
        self.engine = engine
        self.asterisk = asterisk
        self.awaited: dict[str, Fault] = {}

    def fault_of_answer(self, text: str) -> Fault | None:
        """What is to become of this frame, if it is an answer for which something is in store."""
        if not self.awaited or '"RESTResponse"' not in text:
            return None
        return self.awaited.pop(str(json.loads(text).get("request_id")), None)


@asynccontextmanager
async def ari_proxy(target: str) -> AsyncIterator[AriProxy]:
    """A proxy before the ARI at this URL, without any fault at first."""
    proxy = AriProxy(target)
    async with proxy.running():
        yield proxy


@contextmanager
def _in_force(kept: list[Any], one: Any) -> Any:
    kept.append(one)
    try:
        yield
    finally:
        kept.remove(one)


async def _before(fault: Fault | None) -> None:
    if fault is not None and fault.way is Way.LATE:
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.way is Way.SWALLOWED:
        await asyncio.Event().wait()  # until who asked goes


async def _after(fault: Fault | None) -> None:
    if fault is not None and fault.way is Way.ANSWERED_LATE:
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.way is Way.UNANSWERED:
        await asyncio.Event().wait()  # until who asked goes


async def _first_ended(*works: Any) -> None:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(to: Socket, frame: aiohttp.WSMessage) -> None:
    match frame.type:
        case aiohttp.WSMsgType.TEXT:
            await to.send_str(frame.data)
        case aiohttp.WSMsgType.BINARY:
            await to.send_bytes(frame.data)
        case aiohttp.WSMsgType.PING:
            await to.ping(frame.data)
        case aiohttp.WSMsgType.PONG:
            await to.pong(frame.data)
        case _:
            raise ConnectionError("the far end closed")


def _rest_request(frame: aiohttp.WSMessage) -> dict[str, Any] | None:
    if frame.type not in _WS:
        return None
    content = json.loads(frame.data)
    return content if content.get("type") == "RESTRequest" else None


def _refusal(asked: dict[str, Any], status: int) -> str:
    return json.dumps(
        {
            "type": "RESTResponse",
            "transaction_id": asked["transaction_id"],
            "request_id": asked["request_id"],
            "status_code": status,
            "reason_phrase": "as told",
            "uri": asked["uri"],
            "content_type": "application/json",
            "message_body": json.dumps({"message": "as told"}),
        }
    )
