"""Sends requests to ARI over pooled HTTP: for verbs that may block, and while there is no websocket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from callflow.ari.errors import NotConnected, OutcomeUnknown, Unauthorized, refusal
from callflow.ari.request import Request
from callflow.errors import CallflowError

T = TypeVar("T")

KEEP_ALIVE_SECONDS: Final = 10.0
"""Asterisk closes an idle connection after 15 s; a request must not meet that moment."""
POOL: Final = 64


class Rest:
    """A pool of HTTP connections to one Asterisk.

    Args:
        base_url: like http://127.0.0.1:8088/ari
        user: as in ari.conf; sent with each request in a header, never in a URL.
        password: or what reads it, which is asked again when Asterisk refuses the one of before.

    Raises:
        CallflowError: what reads the password raised it.
    """

    def __init__(self, base_url: str, user: str, password: str | Callable[[], str]) -> None:
        self._base = base_url.rstrip("/")
        self._user = user
        self._password = password
        self._headers = self._login()
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session, made at first use inside the loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=POOL, keepalive_timeout=KEEP_ALIVE_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    @property
    def headers(self) -> Mapping[str, str]:
        """What tells Asterisk who asks: for each request and for the handshake of a websocket."""
        return self._headers

    def renew_login(self) -> bool:
        """Read the password again; whether it is another one than before."""
        try:
            fresh = self._login()
        except CallflowError:  # the file is gone for the moment: the password of before may be right again
            return False
        changed = fresh != self._headers
        self._headers = fresh
        return changed

    def _login(self) -> dict[str, str]:
        password = self._password if isinstance(self._password, str) else self._password()
        return {"Authorization": aiohttp.encode_basic_auth(self._user, password, encoding="utf-8")}

    async def send(self, request: Request[T], timeout_seconds: float) -> T:
        """Send a request and wait for its answer.

        Raises:
            Refused: Asterisk's error status. NotConnected: nobody listens, or closed. OutcomeUnknown: sent, but not
                answered.
        """
        if self._closed:
            raise NotConnected(request.operation)
        try:
            return await self._send(request, timeout_seconds)
        except Unauthorized:
            if not self.renew_login():
                raise
            return await self._send(request, timeout_seconds)

    async def _send(self, request: Request[T], timeout_seconds: float) -> T:
        url = URL(f"{self._base}/{request.path}", encoded=True).with_query(list(request.query))
        try:
            async with self.session.request(
                request.method,
                url,
                json=request.body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            ) as response:
                content = await response.read()
                if response.status >= 400:
                    raise refusal(response.status, request.operation, _reason(content, response.reason))
                return request.result(json.loads(content) if content else None)
        except aiohttp.ClientConnectorError as error:
            raise NotConnected(request.operation) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(request.operation, type(error).__name__) from error
        except ValueError as error:
            raise OutcomeUnknown(request.operation, "the answer is no JSON") from error

    async def close(self) -> None:
        """Close all connections, for good."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


def _reason(content: bytes, fallback: str | None) -> str:
    try:
        told: Any = json.loads(content)
        return str(told["message"])
    except (ValueError, KeyError, TypeError):
        return fallback or ""
