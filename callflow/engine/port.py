"""The engine's port: people's requests in, snapshots and facts out, as HTTP on a local Unix socket.

Only processes of the same user reach it (mode 0600); who may ask for what is decided before, in web and cli.
Facts leave as JSON in the shape of `journal.codec`, which the composition root passes in as `encode_fact`.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import WSMsgType, web

from callflow.core.events import Event, FlowPublished
from callflow.core.facts import Fact
from callflow.core.ids import RequestId
from callflow.core.view import view
from callflow.engine.clock import Clock
from callflow.engine.figures import BadFigures, Figures
from callflow.engine.loop import EngineLoop
from callflow.engine.replies import DecisionRaised, NotOnDisk
from callflow.engine.requests import REQUESTS, MalformedRequest, read_request
from callflow.errors import CallflowError, ConfigurationError
from callflow.flows.validate import AvailablePrompts, check_flow

log = structlog.get_logger(__name__)

_LARGEST_REQUEST: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PortContext:
    """What the port answers from.

    Attributes:
        encode_fact: a fact as a JSON-able mapping.
        decode_report: an event that another process of ours witnessed (RecordingMeasured, FallbackWitnessed,
            SettingsChanged, OperatorChanged) from its JSON-able mapping; raises CallflowError, ValueError or TypeError
            on any other.
        prompts: the prompts that exist now, for flows that are to be published.
        centre_changes: what differs between the centre document, read anew, and what is in force; raises
            ConfigurationError.
        health: the state of the engine's parts.
        metrics: Prometheus text. figures: those that others hand in for it.
    """

    loop: EngineLoop
    clock: Clock
    encode_fact: Callable[[Fact], Mapping[str, Any]]
    decode_report: Callable[[Mapping[str, Any]], Event]
    prompts: Callable[[], AvailablePrompts]
    centre_changes: Callable[[], Iterable[Event]]
    health: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes]
    figures: Figures = field(default_factory=Figures)


class Port:
    """The server of the engine's port."""

    def __init__(self, context: PortContext, socket: Path) -> None:
        self._context = context
        self._socket = socket
        self._started = time.monotonic()
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.add_routes(
            [
                web.post("/request", self._request),
                web.post("/report", self._report),
                web.post("/figures", self._figures),
                web.get("/snapshot", self._snapshot),
                web.get("/follow", self._follow),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen."""
        self._socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()
        self._socket.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and end the followers."""
        await self._runner.cleanup()
        self._socket.unlink(missing_ok=True)

    async def _request(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
            verb = body["verb"]
            serve = self._verbs()[verb]
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": f"unknown request; verbs: {', '.join(self._verbs())}"}, status=400)
        try:
            return await serve(body)
        except KeyError as error:
            return web.json_response({"error": f"{verb}: field {error} is missing"}, status=400)
        except MalformedRequest as error:
            return web.json_response({"error": str(error)}, status=400)
        except NotOnDisk as error:
            return _not_on_disk(error)

    def _verbs(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[web.Response]]]:
        return {
            **dict.fromkeys(REQUESTS, self._ask),
            "publish_flow": self._publish_flow,
            "apply_centre": self._apply_centre,
        }

    async def _ask(self, body: Mapping[str, Any]) -> web.Response:
        request = RequestId(uuid.uuid4().hex)
        asked = read_request(body["verb"], body, self._context.clock.now(), request)
        try:
            seq, refusal = await self._context.loop.request(asked, request)
        except DecisionRaised as error:
            return web.json_response({"error": str(error)}, status=500)
        if refusal is not None:
            return web.json_response({"refusal": refusal}, status=409)
        return web.json_response({"done": True, "seq": seq})

    async def _publish_flow(self, body: Mapping[str, Any]) -> web.Response:
        document, by = str(body["document"]), str(body["by"])
        checked = check_flow(document, self._context.prompts())
        if checked.problems:
            return web.json_response({"problems": [str(problem) for problem in checked.problems]}, status=422)
        loop = self._context.loop
        version = (loop.switchboard.state.flow_version or 0) + 1
        published = FlowPublished(at=self._context.clock.now(), version=version, document=document, published_by=by)
        await loop.settled(published)
        return web.json_response({"version": version})

    async def _apply_centre(self, _: Mapping[str, Any]) -> web.Response:
        try:
            changes = tuple(self._context.centre_changes())
        except ConfigurationError as error:
            return web.json_response({"problems": error.problems}, status=422)
        for event in changes:
            await self._context.loop.settled(event)
        return web.json_response({"changes": len(changes)})

    async def _report(self, request: web.Request) -> web.Response:
        """An event that the worker or a command witnessed; answered once it is on disk."""
        try:
            event = self._context.decode_report({**await request.json(), "at": self._context.clock.now().isoformat()})
        except (CallflowError, ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": f"no such report: {error}"}, status=400)
        try:
            return web.json_response({"seq": await self._context.loop.settled(event)})
        except NotOnDisk as error:
            return _not_on_disk(error)

    async def _figures(self, request: web.Request) -> web.Response:
        """Figures of another process, for the metrics."""
        try:
            self._context.figures.take(await request.json())
        except (BadFigures, ValueError) as error:
            return web.json_response({"error": f"no figures: {error}"}, status=400)
        return web.json_response({"done": True})

    async def _snapshot(self, _: web.Request) -> web.Response:
        return web.json_response(self._present())

    def _present(self) -> dict[str, Any]:
        loop, now = self._context.loop, self._context.clock.now()
        return {"seq": loop.seq, "at": now.isoformat(), **view(loop.switchboard.state, now)}

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=10.0)
        await socket.prepare(request)
        hub = self._context.loop.hub
        with hub.follow() as frames:
            after = request.query.get("after", "")
            known = after.isdecimal() and int(after) <= self._context.loop.seq  # else of a tail that was lost
            missed = hub.since(int(after)) if known else None
            if missed is None and after != str(self._context.loop.seq):
                await socket.send_json({"seq": self._context.loop.seq, "snapshot": self._present()})
            for seq, facts in missed or ():
                await socket.send_str(self._frame(seq, facts))
            closed = asyncio.create_task(_until_closed(socket))
            try:
                while not closed.done():
                    following = asyncio.create_task(frames.get())
                    await asyncio.wait({following, closed}, return_when=asyncio.FIRST_COMPLETED)
                    frame = following.result() if following.done() else None
                    if frame is None:
                        following.cancel()
                        break
                    await socket.send_str(self._frame(*frame))
            finally:
                closed.cancel()
        await socket.close()
        return socket

    def _frame(self, seq: int, facts: tuple[Fact, ...]) -> str:
        return json.dumps({"seq": seq, "facts": [self._context.encode_fact(fact) for fact in facts]})

    async def _health(self, _: web.Request) -> web.Response:
        state = self._context.loop.switchboard.state
        return web.json_response(
            {
                "calls": len(state.calls),
                "seq": self._context.loop.seq,
                "uptime_seconds": round(time.monotonic() - self._started, 3),
                **self._context.health(),
            }
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._context.metrics(), content_type="text/plain", charset="utf-8")


def _not_on_disk(error: NotOnDisk) -> web.Response:
    return web.json_response({"error": str(error), "in_force": True}, status=503)


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
            return
