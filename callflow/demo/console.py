"""Signs people in over the web API, as a browser would."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from callflow.errors import CallflowError

SIGN_IN_SECONDS: Final = 30.0


class ApiRefused(CallflowError):
    """The web API answered with an error."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        self.status = status
        super().__init__(f"{method} {path}: {status} {body[:300]}")


class Console:
    """One person's session with the web. Enter it to sign in.

    Args:
        url: the web's address, without a path.
    """

    def __init__(self, url: str, login: str, password: str) -> None:
        self._url = url
        self._credentials = {"login": login, "password": password}
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": url})
        self._csrf = ""

    async def __aenter__(self) -> Self:
        """Sign in."""
        try:
            session = await self._sign_in()
        except BaseException:
            await self._http.close()
            raise
        self._csrf = session["csrf"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self._http.close()

    async def _sign_in(self) -> Any:
        """Ask again while the web says that it cannot tell now: it was started a moment ago, on a busy machine."""
        async with asyncio.timeout(SIGN_IN_SECONDS):
            while True:
                try:
                    return await self.ask("POST", "/session", self._credentials)
                except ApiRefused as refused:
                    if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                        raise
                await asyncio.sleep(1)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request below /api/v1; its JSON, or None.

        Raises:
            ApiRefused: the answer is an error.
        """
        headers = {"X-CSRF-Token": self._csrf} if self._csrf else {}
        async with self._http.request(method, f"{self._url}/api/v1{path}", json=body, headers=headers) as response:
            text = await response.text()
            if response.status >= 400:
                raise ApiRefused(method, path, response.status, text)
            return await response.json(content_type=None) if text else None

    async def move(self, operator: str, how: str, **fields: str) -> None:
        """`sign-in`, `sign-out`, `pause` or `resume` an operator."""
        await self.ask("POST", f"/operators/{operator}/{how}", fields)
