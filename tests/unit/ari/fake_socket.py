"""A fake of the websocket and of pooled HTTP under AriConnection: a script says what Asterisk does, time is virtual."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp

from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, NotFound
from callflow.ari.protocol import models
from callflow.ari.protocol.event_types import Event
from callflow.ari.pulse import BEAT
from callflow.ari.request import Request

from .samples import FELT, sample

T = TypeVar("T")
Frame = dict[str, Any] | str | bytes


class FakeSocket:
    """One websocket.

    Attributes:
        sent: every frame of ours but the pulse.
        beats: how often the pulse was sent.
        beat_seconds: how long the pulse is under way.
        unheard: swallow the pulse's event, as when the application is not registered.
        answer: what Asterisk does on a request of ours; None = it stays silent.
    """

    def __init__(self) -> None:
        self.closed = False
        self.sent: list[dict[str, Any]] = []
        self.beats = 0
        self.unheard = False
        self.beat_status = 204
        self.beat_seconds = 0.0
        self.answer: Callable[[dict[str, Any]], Frame | None] = ok
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, *frames: Frame) -> None:
        """Asterisk sends frames."""
        for frame in frames:
            text = json.dumps(frame) if isinstance(frame, dict) else frame
            self._frames.put_nowait(text.encode() if isinstance(text, str) else text)

    def drop(self) -> None:
        """The connection ends."""
        self.closed = True
        self._frames.put_nowait(None)

    async def send_str(self, text: str) -> None:
        frame = json.loads(text)
        if frame["uri"] == f"events/user/{BEAT}":
            self.beats += 1
            await asyncio.sleep(self.beat_seconds)
            self.say(answer(frame, self.beat_status), *(() if self.unheard else (FELT,)))
            return
        self.sent.append(frame)
        told = self.answer(frame)
        if told is not None:
            self.say(told)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, frame, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True


class FakeHttp:
    """The pool: each connect gets the script's next socket, or its error.

    Attributes:
        sockets: those that were opened.
        opened_at: when each attempt was made, in seconds.
        registered_until: until then the application is one that Asterisk knows, in seconds.
        sent: requests by HTTP, looks at the application and pings left out.
        no_http: what becomes of every request by HTTP but of looks at the application.
    """

    headers: Final[dict[str, str]] = {}

    def __init__(self, *script: FakeSocket | Exception | None) -> None:
        self.script = list(script)
        self.sockets: list[FakeSocket] = []
        self.opened_at: list[float] = []
        self.registered_until = -1.0
        self.sent: list[Request[Any]] = []
        self.pings = 0
        self.no_http: AriError | None = None
        self.options: dict[str, Any] = {}

    @property
    def session(self) -> Self:
        return self

    async def ws_connect(self, url: str, **options: Any) -> FakeSocket:
        self.options = options | {"url": url}
        self.opened_at.append(asyncio.get_running_loop().time())
        step = self.script.pop(0) if self.script else FakeSocket()
        if isinstance(step, Exception):
            raise step
        if step is None:
            await asyncio.Event().wait()  # the far end is frozen
        assert isinstance(step, FakeSocket)
        self.sockets.append(step)
        return step

    async def send(self, request: Request[T], timeout_seconds: float) -> T:
        if request.operation == "GET applications/{applicationName}":
            if asyncio.get_running_loop().time() < self.registered_until:
                return request.result(sample(models.Application))
            raise NotFound(404, request.operation, "Application not found")
        if request.operation == "GET asterisk/ping":
            self.pings += 1
            if self.no_http is not None:
                raise self.no_http
            return request.result(sample(models.AsteriskPing))
        self.sent.append(request)
        if self.no_http is not None:
            raise self.no_http
        return request.result(None)

    def renew_login(self) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is open."""


class Keeper:
    """A Listener that keeps all it is told."""

    def __init__(self, stock: Callable[[], Awaitable[None]] | None = None) -> None:
        self.told: list[str] = []
        self._stock = stock

    def on_event(self, event: Event) -> None:
        self.told.append(f"{event.type} {getattr(event, 'value', '')}".strip())

    async def on_connected(self) -> None:
        if self._stock is not None:
            await self._stock()
        self.told.append("stock")

    def on_disconnected(self) -> None:
        self.told.append("gone")


def connection_on(http: FakeHttp) -> AriConnection:
    connection = AriConnection("http://asterisk.invalid/ari", "engine", "top-secret-word", "callflow-a")
    connection._rest = http  # type: ignore[assignment]
    return connection


def ok(frame: dict[str, Any]) -> dict[str, Any]:
    """Asterisk does it, and tells of the application, as it does when filters are set."""
    return answer(frame, 200, sample(models.Application))


def answer(frame: dict[str, Any], status: int = 204, body: Any = None) -> dict[str, Any]:
    return {
        "type": "RESTResponse",
        "request_id": frame["request_id"],
        "status_code": status,
        "reason_phrase": "as told",
        "message_body": "" if body is None else json.dumps(body),
    }
