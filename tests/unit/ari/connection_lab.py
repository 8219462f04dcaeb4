"""A connection that runs in virtual time on a fake socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from callflow.ari.errors import Fenced

from .fake_socket import FakeHttp, FakeSocket, Keeper, connection_on
from .samples import EVENT_CLASSES, sample


def told(number: int) -> dict[str, Any]:
    """An event that can be told from its like."""
    return sample(EVENT_CLASSES["ChannelVarset"]) | {"value": str(number)}


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not fact():  # noqa: ASYNC110 time is virtual
            await asyncio.sleep(0.001)


class Running:
    """A connection that runs within `async with`, on what the script says of each attempt to connect."""

    def __init__(self, *script: FakeSocket | Exception | None, keeper: Keeper | None = None) -> None:
        self.http = FakeHttp(*script)
        self.ari = connection_on(self.http)
        self.keeper = keeper or Keeper()

    async def __aenter__(self) -> Running:
        self.task = asyncio.create_task(self.ari.run(self.keeper))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await self.task

    @property
    def socket(self) -> FakeSocket:
        return self.http.sockets[-1]

    async def connected(self) -> None:
        await until(lambda: self.ari.connected)

    async def drop(self) -> None:
        self.socket.drop()
        await until(lambda: not self.ari.connected)


def silent() -> FakeSocket:
    socket = FakeSocket()
    socket.answer = lambda _: None
    return socket
