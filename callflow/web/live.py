"""The live websocket: a snapshot, then every fact with its `seq`, as far as this person may see them.

Frames: `{"type": "snapshot", "seq", "snapshot"}`, `{"type": "facts", "seq", "facts"}`, `{"type": "engine", "state"}`,
`{"type": "beat", "at"}`. `?after=SEQ` resumes; where that is too long ago a snapshot comes instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from aiohttp import WSMsgType, web

from callflow.engine.client import EngineAway
from callflow.web.auth import Who
from callflow.web.context import WebContext
from callflow.web.feed import Reader
from callflow.web.lens import Lens

BEAT_SECONDS: Final = 5.0
SEND_WITHIN_SECONDS: Final = 10.0
_LARGEST_MESSAGE: Final = 1024


class CloseCode(IntEnum):
    """Why we close; 4000 and above are ours to define."""

    GOING_AWAY = 1001
    SIGNED_OUT = 4401
    TOO_SLOW = 4408


async def serve_live(request: web.Request, context: WebContext, who: Who, after: int | None) -> web.WebSocketResponse:
    """Serve one browser until it leaves, its session ends, or it does not keep up."""
    lens = Lens.of(who)
    if lens.sees_callers or lens.sees_callbacks:
        seen = "live_calls" if lens.sees_callers else "live_callbacks"
        context.accesses.note(who.login, seen, None, "live page")
    socket = web.WebSocketResponse(heartbeat=15.0, timeout=2.0, max_msg_size=_LARGEST_MESSAGE)
    await socket.prepare(request)
    context.metrics.live_readers.inc()
    with context.feed.reading() as reader:
        connection = LiveConnection(socket, context, who, lens, after)
        sending = asyncio.create_task(connection.send_all(reader), name="live send")
        beating = asyncio.create_task(connection.beat(), name="live beat")
        listening = asyncio.create_task(_until_left(socket), name="live listen")
        try:
            await asyncio.wait({sending, beating, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, beating, listening):
                task.cancel()
            results = await asyncio.gather(sending, beating, listening, return_exceptions=True)
            context.metrics.live_readers.dec()
    codes = [result for result in results if isinstance(result, CloseCode)]
    if CloseCode.TOO_SLOW in codes:
        context.metrics.live_cut_off.inc()
    await socket.close(code=codes[0] if codes else CloseCode.GOING_AWAY)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
    return socket


class LiveConnection:
    """What one browser has been told."""

    def __init__(self, socket: web.WebSocketResponse, context: WebContext, who: Who, lens: Lens, after: int | None):
        self._socket = socket
        self._context = context
        self._who = who
        self._lens = lens
        self._told: int | None = after
        self._sending = asyncio.Lock()

    async def send_all(self, reader: Reader) -> CloseCode:
        """Send what was missed and what comes, in order, until it goes too slowly."""
        try:
            await self._begin()
            while (item := await reader.get()) is not None:
                if "end" in item:
                    return CloseCode.GOING_AWAY
                if "engine" in item:
                    await self._send({"type": "engine", "state": item["engine"]})
                    if item["engine"] == "connected" and self._told is None:
                        await self._send_present()
                else:
                    await self._send_frame(item)
        except TimeoutError:
            pass
        return CloseCode.TOO_SLOW

    async def beat(self) -> CloseCode:
        """Show the browser that we live, and look whether its person is still signed in."""
        while self._context.auth.valid(self._who.session) is not None:
            try:
                await self._send({"type": "beat", "at": self._context.now().isoformat()})
            except TimeoutError:
                return CloseCode.TOO_SLOW
            await asyncio.sleep(BEAT_SECONDS)
        return CloseCode.SIGNED_OUT

    async def _begin(self) -> None:
        feed = self._context.feed
        await self._send({"type": "engine", "state": "connected" if feed.connected else "away"})
        missed = None if self._told is None else feed.since(self._told)
        if missed is None:
            self._told = None
            await self._send_present()
        for frame in missed or ():
            await self._send_frame(frame)

    async def _send_present(self) -> None:
        try:
            snapshot = await self._context.feed.present()
        except EngineAway:
            return
        await self._send_snapshot(int(snapshot["seq"]), snapshot)

    async def _send_frame(self, frame: Mapping[str, Any]) -> None:
        seq = int(frame["seq"])
        if "snapshot" in frame:
            await self._send_snapshot(seq, frame["snapshot"])
        elif self._told is not None and seq > self._told:
            self._told = seq
            seen = [self._lens.fact(fact, self._context.feed.calls) for fact in frame["facts"]]
            facts = [fact for fact in seen if fact is not None]
            if facts:
                await self._send({"type": "facts", "seq": seq, "facts": facts})

    async def _send_snapshot(self, seq: int, snapshot: Mapping[str, Any]) -> None:
        self._told = seq
        await self._send({"type": "snapshot", "seq": seq, "snapshot": self._lens.snapshot(snapshot)})

    async def _send(self, document: Mapping[str, Any]) -> None:
        async with asyncio.timeout(SEND_WITHIN_SECONDS), self._sending:
            await self._socket.send_str(json.dumps(document))


async def _until_left(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
            return
