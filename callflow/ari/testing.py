"""A fake of the connection for tests: keeps every request and answers as told. No socket, no Asterisk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from callflow.ari.connection import REQUEST_SECONDS, AriConnection
from callflow.ari.errors import AriError
from callflow.ari.request import Request

T = TypeVar("T")
Reply = Callable[[Request[Any]], Any]
"""An answer's JSON for a request, or the AriError to raise."""


class FakeAriConnection(AriConnection):
    """Answers at once; with None where nothing was told.

    Attributes:
        sent: every request, in order.
        by_http: those of them that had to go over HTTP.
    """

    def __init__(self, application: str = "callflow-a") -> None:
        super().__init__("http://asterisk.invalid/ari", "engine", "no secret", application)
        self.sent: list[Request[Any]] = []
        self.by_http: list[Request[Any]] = []
        self._replies: dict[str, list[Reply]] = {}

    def reset(self) -> None:
        """As new: nothing sent, nothing told."""
        self.sent.clear()
        self.by_http.clear()
        self._replies.clear()

    def tell(self, operation: str, *replies: Any) -> None:
        """Answer an operation: with each JSON value, function or AriError once, with the last one for ever."""
        self._replies[operation] = [reply if callable(reply) else _always(reply) for reply in replies]

    async def request(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """Keep the request and give its answer."""
        self.sent.append(request)
        replies = self._replies.get(request.operation)
        told = None
        if replies:
            told = (replies.pop(0) if len(replies) > 1 else replies[0])(request)
        if isinstance(told, AriError):
            raise told
        return request.result(told)

    async def request_http(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """As `request`, and keep that it was by HTTP."""
        self.by_http.append(request)
        return await self.request(request, timeout_seconds=timeout_seconds)

    async def request_list(self, request: Request[T], *, timeout_seconds: float = REQUEST_SECONDS) -> T:
        """As `request`, and keep that it was by HTTP."""
        self.by_http.append(request)
        return await self.request(request, timeout_seconds=timeout_seconds)


def _always(reply: Any) -> Reply:
    return lambda _: reply
