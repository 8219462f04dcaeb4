"""Asks the engine over its port: people's requests, the present, and the facts as they are noted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    UnixConnector,
    WSMsgType,
)

from callflow.core.city import Classification
from callflow.core.commands import Refusal
from callflow.core.requests import CallbackAction, CallbackOutcome, TalkAction
from callflow.errors import CallflowError, ConfigurationError

Verb = Literal["sign_in", "sign_out", "pause", "resume"]
Frame = Mapping[str, Any]
"""`{"seq", "facts": […]}`, or `{"seq", "snapshot": {…}}` when what was missed is not kept any more."""

ANSWER_WITHIN_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 10.0
_LARGEST_FRAME: Final = 16 * 1024 * 1024


class EngineAway(CallflowError):
    """The engine does not answer: it is stopped, starting, or stuck. Calls are served by Asterisk's dialplan then."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the engine does not answer: {reason}")


class NotKept(EngineAway):
    """It is in force, but the journal's disk does not take it now: it may be forgotten if the engine ends."""

    def __init__(self) -> None:
        super().__init__("the journal cannot be written")
        self.args = ("it is in force now, but the journal cannot be written: see the alarms",)


class RequestRefused(CallflowError):
    """The engine refused a person's request; nothing changed."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"refused: {refusal}")


class FlowRefused(CallflowError):
    """A flow is not fit to be published; the one before stays in force."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{len(problems)} problems in the flow: " + "; ".join(problems))


class EngineClient:
    """A client of one engine's port. Use it as an async context manager, or `close` it.

    Args:
        socket: the port's Unix socket.
        answer_within_seconds: a longer silence counts as away.
    """

    def __init__(self, socket: Path, *, answer_within_seconds: float = ANSWER_WITHIN_SECONDS) -> None:
        self._socket = socket
        self._timeout = ClientTimeout(total=answer_within_seconds)
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self, verb: Verb, operator: str, *, reason: str | None = None, approved_by: str | None = None
    ) -> int:
        """Ask for an operator's move; returns the journal's number once it is on disk.

        `reason` to pause is the name or key of one of the centre's; `approved_by` lets the last one present go.

        Raises:
            RequestRefused: the core said no. EngineAway.
        """
        return await self._done(verb, operator=operator, reason=reason, approved_by=approved_by)

    async def talk(self, operator: str, action: TalkAction, target: str = "", *, by: str = "") -> int:
        """Ask for something about the call that the operator has in hand; the journal's number, on disk.

        `target` is `medical`, an agency's name or code, a colleague's login or number, or a telephone number; `by` the
        supervisor who asks in the operator's place, '' = the operator.

        Raises:
            RequestRefused, EngineAway.
        """
        return await self._done("talk", operator=operator, action=action, target=target, by=by)

    async def classify(
        self, classification: Classification, *, by: str, call: str | None = None, operator: str | None = None
    ) -> int:
        """Say what a call was; the journal's number, on disk.

        `operator` is who took the call and says so, None = somebody else, `by`, who may; without a call it is what the
        operator has in hand, or had last.

        Raises:
            RequestRefused, EngineAway.
        """
        return await self._done("classify", classification=classification, by=by, call=call, operator=operator)

    async def callback(
        self,
        action: CallbackAction,
        *,
        by: str,
        operator: str | None = None,
        callback: str | None = None,
        outcome: CallbackOutcome | None = None,
    ) -> int:
        """Take, dial or close a call-back; the journal's number, on disk.

        `operator` is to have it; `callback` is the abandoned call, None = the oldest that is open; `outcome` says how
        it came to its end, when it is closed.

        Raises:
            RequestRefused, EngineAway.
        """
        return await self._done("callback", action=action, by=by, operator=operator, callback=callback, outcome=outcome)

    async def _done(self, verb: str, **fields: str | None) -> int:
        body = {"verb": verb, **{name: value for name, value in fields.items() if value}}
        status, answer = await self._ask("POST", "/request", body)
        if status == 409:
            raise RequestRefused(Refusal(answer["refusal"]))
        return int(self._expected(status, answer)["seq"])

    async def publish_flow(self, document: str, by: str) -> int:
        """Put a flow in force for calls from now on; returns its version.

        Raises:
            FlowRefused: with every problem. EngineAway.
        """
        status, answer = await self._ask("POST", "/request", {"verb": "publish_flow", "document": document, "by": by})
        if status == 422:
            raise FlowRefused([str(problem) for problem in answer["problems"]])
        return int(self._expected(status, answer)["version"])

    async def apply_centre(self) -> int:
        """Have the engine read the centre document anew; how many changes came into force.

        Raises:
            ConfigurationError: with every problem of the document. EngineAway.
        """
        status, answer = await self._ask("POST", "/request", {"verb": "apply_centre"})
        if status == 422:
            raise ConfigurationError("the centre document", [str(problem) for problem in answer["problems"]])
        return int(self._expected(status, answer)["changes"])

    async def report(self, event: Mapping[str, Any]) -> int:
        """Hand in an event that this process witnessed, as a tagged document without `at`; its journal number.

        Raises:
            EngineAway.
        """
        return int(self._expected(*await self._ask("POST", "/report", event))["seq"])

    async def tell_figures(self, figures: Mapping[str, float]) -> None:
        """Hand in figures for the engine's metrics, by their Prometheus names.

        Raises:
            EngineAway.
        """
        self._expected(*await self._ask("POST", "/figures", figures))

    async def snapshot(self) -> dict[str, Any]:
        """What stands now.

        Raises:
            EngineAway.
        """
        return self._expected(*await self._ask("GET", "/snapshot"))

    async def health(self) -> dict[str, Any]:
        """How the engine's parts are.

        Raises:
            EngineAway.
        """
        return self._expected(*await self._ask("GET", "/health"))

    async def metrics(self) -> bytes:
        """The engine's figures as Prometheus text.

        Raises:
            EngineAway.
        """
        try:
            async with self._connected().get("http://engine/metrics", timeout=self._timeout) as response:
                self._expected(response.status, {})
                return await response.read()
        except (ClientError, OSError, TimeoutError) as error:
            raise EngineAway(type(error).__name__) from error

    @asynccontextmanager
    async def following(self, after: int | None = None) -> AsyncIterator[AsyncIterator[Frame]]:
        """Follow: frames from now on, or from after the number `after`.

        Where those are not kept any more, a snapshot comes first.

        Raises:
            EngineAway: there is no connection, or, from the iterator, it ended; it never ends quietly.
        """
        query = {} if after is None else {"after": str(after)}
        try:
            async with asyncio.timeout(self._timeout.total):
                socket = await self._connected().ws_connect(
                    "http://engine/follow",
                    params=query,
                    heartbeat=_HEARTBEAT_SECONDS,
                    timeout=ClientWSTimeout(ws_close=1.0),
                    max_msg_size=_LARGEST_FRAME,
                )
        except (ClientError, OSError, TimeoutError) as error:
            raise EngineAway(type(error).__name__) from error
        async with socket:
            yield _frames(socket)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        try:
            async with self._connected().request(
                method, f"http://engine{path}", json=body, timeout=self._timeout
            ) as response:
                return response.status, await _document(response)
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            raise EngineAway(type(error).__name__) from error

    @staticmethod
    def _expected(status: int, answer: dict[str, Any]) -> dict[str, Any]:
        if status == 503 and answer.get("in_force"):
            raise NotKept
        if status != 200:
            raise EngineAway(f"status {status}")
        return answer

    def _connected(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(connector=UnixConnector(path=str(self._socket)))
        return self._session


async def _frames(socket: ClientWebSocketResponse) -> AsyncIterator[Frame]:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        yield json.loads(message.data)
    raise EngineAway(f"the connection ended with code {socket.close_code}")


async def _document(response: ClientResponse) -> dict[str, Any]:
    answer = await response.json(content_type=None)
    return answer if isinstance(answer, dict) else {}
