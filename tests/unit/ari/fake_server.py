"""A fake of Asterisk's HTTP server for the connection's tests: the event websocket, REST on it, and plain REST."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from callflow.ari.pulse import BEAT

from .samples import FELT

USER, PASSWORD = "engine", "a pass:wörd"


class FakeAsterisk:
    """Answers every request with 204, unless told to keep silent or to refuse.

    Attributes:
        filters: the event filter of each connect.
        asked: the frames of requests that came over a websocket, filters and pulse left out.
        http_asked: method and path of requests that came by HTTP, looks at the application left out.
        silent: keep requests unanswered, for the test to answer.
        frozen: accept connections and do not answer their handshake.
        answers_pings: False = a half-open connection.
        refuse: status and message for every request by HTTP.
    """

    def __init__(self) -> None:
        self.filters: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.http_asked: list[str] = []
        self.handshakes = 0
        self.silent = False
        self.frozen = False
        self.answers_pings = True
        self.refuse: tuple[int, str] | None = None
        self.file: bytes | None = None
        self.sockets: list[web.WebSocketResponse] = []
        self.url = ""
        self.port: int | None = None
        self._thaw = asyncio.Event()

    @property
    def socket(self) -> web.WebSocketResponse:
        """The latest connection."""
        return self.sockets[-1]

    async def say(self, event: dict[str, Any]) -> None:
        """Send an event."""
        await self.socket.send_str(json.dumps(event))

    async def answer(self, asked: dict[str, Any], status: int = 204, body: Any = None) -> None:
        """Answer a request that came over the websocket."""
        content = {} if body is None else {"content_type": "application/json", "message_body": json.dumps(body)}
        await self.say(
            {
                "type": "RESTResponse",
                "transaction_id": asked["transaction_id"],
                "request_id": asked["request_id"],
                "status_code": status,
                "reason_phrase": "as told",
                "uri": asked["uri"],
                **content,
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The event websocket."""
        self.handshakes += 1
        if not self._authorised(request):
            raise web.HTTPUnauthorized
        if self.frozen:
            await self._thaw.wait()
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        self.sockets.append(socket)
        async for frame in socket:
            if frame.type is not web.WSMsgType.TEXT:
                continue
            asked = json.loads(frame.data)
            if asked["uri"].endswith("/eventFilter"):
                self.filters.append(json.loads(asked["message_body"]))
                await self.answer(asked, 200, APPLICATION)
                continue
            if asked["uri"] == f"events/user/{BEAT}":
                await self.answer(asked)
                await self.say(FELT)
                continue
            self.asked.append(asked)
            if not self.silent:
                await self.answer(asked)
        return socket

    async def rest(self, request: web.Request) -> web.StreamResponse:
        """Plain REST."""
        if not self._authorised(request):
            return web.json_response({"message": "Authentication required"}, status=401)
        if request.path == f"/ari/applications/{APPLICATION['name']}":
            return web.json_response({"message": "Application not found"}, status=404)
        if request.path == "/ari/asterisk/ping":
            return web.json_response({"ping": "pong", "timestamp": "2026-01-05T01:00:00.000+0000", "asterisk_id": "x"})
        self.http_asked.append(f"{request.method} {request.path_qs}")
        if self.refuse is not None:
            return web.json_response({"message": self.refuse[1]}, status=self.refuse[0])
        return web.Response(status=204) if self.file is None else web.Response(body=self.file)

    async def stop_freezing(self) -> None:
        """Let the handshakes go on that wait."""
        self.frozen = False
        self._thaw.set()

    def _authorised(self, request: web.Request) -> bool:
        told = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        return told == f"{USER}:{PASSWORD}"


APPLICATION = {
    "name": "callflow-a",
    "channel_ids": [],
    "bridge_ids": [],
    "endpoint_ids": [],
    "device_names": [],
    "events_allowed": [],
    "events_disallowed": [],
}


@asynccontextmanager
async def fake_asterisk(fake: FakeAsterisk | None = None) -> AsyncIterator[FakeAsterisk]:
    """Start it on a free loopback port."""
    fake = fake or FakeAsterisk()
    app = web.Application()
    app.router.add_get("/ari/events", fake.events)
    app.router.add_route("*", "/ari/{rest:.*}", fake.rest)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("/ari"))
        yield fake
        await fake.stop_freezing()
        for socket in fake.sockets:
            await socket.close()
