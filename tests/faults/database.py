"""Stands between us and the database's server, and does to the connection what a test wants.

    async with database_proxy(server.port) as proxy:
        ...connect to proxy.port...
        async with proxy.frozen():
            ...

Each fault is a context manager: it holds inside and is mended when the block is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

HOST: Final = "127.0.0.1"
_CHUNK: Final = 1 << 16


class DatabaseProxy:
    """A running proxy.

    Attributes:
        port: where it listens, on loopback.
        most: how many connections there were at once, at most.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.most = 0
        self._server_port = server_port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._refuses = False
        self._delay_seconds = 0.0
        self._moves = asyncio.Event()
        self._moves.set()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._links)

    def cut(self) -> None:
        """End every connection at this moment, without a word; new ones are taken."""
        for link in tuple(self._links):
            link.cancel()

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """End every connection, and each new one at once."""
        self._refuses = True
        self.cut()
        try:
            yield
        finally:
            self._refuses = False

    @asynccontextmanager
    async def slow(self, seconds: float) -> AsyncIterator[None]:
        """Hold back whatever the server answers for so long."""
        self._delay_seconds = seconds
        try:
            yield
        finally:
            self._delay_seconds = 0.0

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Connections stand, new ones are taken, and not one byte passes."""
        self._moves.clear()
        try:
            yield
        finally:
            self._moves.set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._link, HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end all connections."""
        assert self._server is not None
        self._server.close()
        while self._links:
            self.cut()
            await asyncio.gather(*self._links, return_exceptions=True)
        await self._server.wait_closed()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        self.most = max(self.most, len(self._links))
        ends = [writer]
        try:
            if not self._refuses:
                answers, there = await asyncio.open_connection(HOST, self._server_port)
                ends.append(there)
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._carry(reader, there, delayed=False))
                    ways.create_task(self._carry(answers, writer, delayed=True))
        except* (asyncio.CancelledError, OSError):
            pass  # how the connection ended is told to both sides by its end
        finally:
            for end in ends:
                end.transport.abort()
            self._links.discard(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, delayed: bool) -> None:
        while data := await source.read(_CHUNK):
            if delayed and self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._moves.wait()
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError("one side has ended")  # so ends the other way, too


@asynccontextmanager
async def database_proxy(server_port: int) -> AsyncIterator[DatabaseProxy]:
    """A proxy before the server at this port of loopback."""
    proxy = DatabaseProxy(server_port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
