"""A fake of the engine's port for tests and for work on the page: it speaks the port's protocol and decides nothing."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web

from callflow.core.city import USUAL_PAUSE_REASONS

_EMPTY: Final[Mapping[str, Any]] = {
    "flow_version": 1,
    "calls": [],
    "operators": [],
    "alarms": [],
    "callbacks": [],
    "roster": {"now": [], "next": None},
    "pause_reasons": [
        {"key": reason.key, "name": reason.name, "label_id": reason.label_id, "label_en": reason.label_en}
        for reason in USUAL_PAUSE_REASONS
    ],
    "agencies": [
        {"name": "medical", "label": "Ambulans", "code": "118"},
        {"name": "polisi", "label": "Polisi", "code": "110"},
    ],
}
_MOVES: Final = {"sign_in": "available", "sign_out": "signed_out", "pause": "paused", "resume": "available"}


class FakeEnginePort:
    """Serves a port on a Unix socket.

    Attributes:
        present: what a snapshot shows, without `seq` and `at`; change it as you like.
        requests: bodies that came in, oldest first.
        refusal: answer every request with this refusal.
        seq: of the last frame.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._runner: web.AppRunner | None = None
        self._followers: set[web.WebSocketResponse] = set()
        self._followed = asyncio.Event()
        self._asked = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was told or asked."""
        self.seq = 0
        self.present: dict[str, Any] = copy.deepcopy(dict(_EMPTY))
        self.requests: list[dict[str, Any]] = []
        self.refusal: str | None = None
        self.flow_problems: list[str] = []
        self.snapshots_asked = 0
        self._frames: list[dict[str, Any]] = []

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/request", self._request),
                web.get("/snapshot", self._snapshot),
                web.get("/follow", self._follow),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
            ]
        )
        self._socket.parent.mkdir(parents=True, exist_ok=True)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()

    async def stop(self) -> None:
        """End as an engine that dies: followers lose their connection."""
        if self._runner is not None:
            for follower in tuple(self._followers):
                await follower.close()
            await self._runner.cleanup()
            self._runner = None
        self._socket.unlink(missing_ok=True)

    async def until_followed(self) -> None:
        """Wait until somebody follows."""
        await self._followed.wait()

    async def until_asked(self, body: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Wait until the newest request is exactly this body, or has these fields among its own.

        Raises:
            AssertionError: it was another for 5 s.
        """

        def asked() -> bool:
            newest = self.requests[-1] if self.requests else {}
            return newest == body if body is not None else not fields.items() - newest.items()

        try:
            async with asyncio.timeout(5):
                while not asked():
                    self._asked.clear()
                    await self._asked.wait()
        except TimeoutError:
            raise AssertionError(f"asked {self.requests[-1:]}, not {body or fields}") from None

    async def tell(self, *facts: Mapping[str, Any]) -> int:
        """Tell facts as one frame; `at` is filled in. Returns its number."""
        self.seq += 1
        at = datetime.now(UTC).isoformat()
        frame = {"seq": self.seq, "facts": [{"at": at, **fact} for fact in facts]}
        self._frames.append(frame)
        for follower in tuple(self._followers):
            await follower.send_json(frame)
        return self.seq

    async def show(self) -> None:
        """Send what stands now to those who follow, as after a change that no fact tells."""
        self.seq += 1
        self._frames.clear()
        for follower in tuple(self._followers):
            await follower.send_json(self._present_frame())

    def add_operator(self, login: str, name: str, *, state: str = "signed_out", online: bool = True) -> None:
        """Put an operator into the snapshot."""
        self.present["operators"].append(
            {
                "operator": login,
                "name": name,
                "endpoint": f"op-{login}",
                "state": state,
                "since": datetime.now(UTC).isoformat(),
                "reason": "",
                "online": online,
                "call": None,
                "skills": [],
                "agency": "",
                "last_call": None,
            }
        )

    def add_callback(self, call: str, number: str, *, due_seconds: float = 120.0, owner: str | None = None) -> None:
        """Put an open call-back into the snapshot; `due_seconds` below zero = overdue."""
        now = datetime.now(UTC)
        self.present["callbacks"].append(
            {
                "call": call,
                "number": number,
                "opened_at": now.isoformat(),
                "deadline": (now + timedelta(seconds=due_seconds)).isoformat(),
                "owner": owner,
                "attempts": 0,
                "attempt": None,
            }
        )

    async def _request(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self._asked.set()
        if body["verb"] == "publish_flow":
            return self._publish()
        if self.refusal is not None:
            return web.json_response({"refusal": self.refusal}, status=409)
        match body["verb"]:
            case "talk":
                return await self._done()
            case "classify":
                call = body.get("call") or self._call_of(body["operator"])
                classified = {"call": call, "classification": body["classification"], "by": body["by"]}
                return await self._done({"type": "CallClassified", **classified, "operator": body.get("operator")})
            case "callback":
                return await self._act_on_callback(body)
            case move:
                return await self._move(move, body)

    def _publish(self) -> web.Response:
        if self.flow_problems:
            return web.json_response({"problems": self.flow_problems}, status=422)
        return web.json_response({"version": 2})

    async def _move(self, verb: str, body: Mapping[str, Any]) -> web.Response:
        operator = self._find("operators", "operator", body["operator"])
        if operator is None:
            return web.json_response({"refusal": "unknown_operator"}, status=409)
        operator.update(state=_MOVES[verb], reason=body.get("reason") or "", since=datetime.now(UTC).isoformat())
        fact = {key: operator[key] for key in ("operator", "state", "reason", "online", "call")}
        return await self._done({"type": "OperatorMoved", **fact})

    async def _act_on_callback(self, body: Mapping[str, Any]) -> web.Response:
        callback = self._find("callbacks", "call", body.get("callback"))
        if callback is None:
            return web.json_response({"refusal": "unknown_callback"}, status=409)
        about: dict[str, Any] = {"call": callback["call"]}
        match body["action"]:
            case "take":
                callback["owner"] = body["operator"]
                about |= {"type": "CallbackAssigned", "operator": body["operator"], "deadline": callback["deadline"]}
            case "dial":
                callback["attempts"] += 1
                callback["owner"] = body["operator"]
                callback["attempt"] = f"{callback['call']}.b{callback['attempts']}"
                about |= {"type": "CallbackTried", "operator": body["operator"], "attempt": callback["attempt"]}
            case "close":
                self.present["callbacks"].remove(callback)
                about |= {"type": "CallbackClosed", "outcome": body.get("outcome"), "by": body["by"]}
        return await self._done(about)

    def _find(self, kind: str, key: str, value: object) -> dict[str, Any] | None:
        return next((entry for entry in self.present[kind] if entry[key] == value), None)

    def _call_of(self, operator: str) -> str | None:
        known = self._find("operators", "operator", operator)
        return None if known is None else known["call"] or known["last_call"]

    async def _done(self, *facts: Mapping[str, Any]) -> web.Response:
        return web.json_response({"done": True, "seq": await self.tell(*facts)})

    async def _snapshot(self, _: web.Request) -> web.Response:
        self.snapshots_asked += 1
        return web.json_response(self._present_frame()["snapshot"])

    def _present_frame(self) -> dict[str, Any]:
        at = datetime.now(UTC).isoformat()
        return {"seq": self.seq, "snapshot": {"seq": self.seq, "at": at, **self.present}}

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        after = request.query.get("after", "")
        if after.isdecimal() and int(after) <= self.seq:
            for frame in self._frames:
                if frame["seq"] > int(after):
                    await socket.send_json(frame)
        else:
            await socket.send_json(self._present_frame())
        self._followers.add(socket)
        self._followed.set()
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self._followers.discard(socket)
        if not self._followers:
            self._followed.clear()
        return socket

    async def _health(self, _: web.Request) -> web.Response:
        calls = len(self.present["calls"])
        return web.json_response({"ari": "connected", "calls": calls, "seq": self.seq, "uptime_seconds": 1.0})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text="callflow_engine_calls 0\n")
