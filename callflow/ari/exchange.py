"""Sends requests over the event websocket, and brings each of its answers to who asked, in whatever order they come."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, TypeVar

import aiohttp

from callflow.ari.errors import OutcomeUnknown, refusal
from callflow.ari.handshake import EventSocket
from callflow.ari.messages import Answer
from callflow.ari.request import Request

T = TypeVar("T")


class Exchange:
    """The requests under way, by number; the numbers are never used again, so a late answer reaches nobody."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Answer | None]] = {}

    async def ask(self, socket: EventSocket, request: Request[T], timeout_seconds: float) -> T:
        """Send a request and wait for its answer.

        Raises:
            Refused: Asterisk's error status. OutcomeUnknown: sent, but not answered.
        """
        number = str(next(self._numbers))
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(timeout_seconds):
                await socket.send_str(_frame(request, number))
                got = await answer
        except TimeoutError as error:
            raise OutcomeUnknown(request.operation, f"no answer within {timeout_seconds:g} s") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise OutcomeUnknown(request.operation, "the connection ended") from error
        finally:
            self._waiting.pop(number, None)
        if got is None:
            raise OutcomeUnknown(request.operation, "the connection ended")
        if got.status >= 400:
            raise refusal(got.status, request.operation, got.reason)
        return request.result(got.body)

    def answered(self, answer: Answer) -> None:
        """Bring an answer to who asked; one that nobody waits for any more is dropped."""
        waiting = self._waiting.get(answer.request)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def break_off(self) -> None:
        """The websocket is gone: no answer comes to what went over it."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)  # not cancelled: who waits could not tell that from its own end


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
