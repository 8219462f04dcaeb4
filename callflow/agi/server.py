"""Serves FastAGI on panoramisk, behind a gate: whatever is sent, each connection is small, short and harmless.

Panoramisk reads on for ever where its peer is gone, without a limit, and decodes strictly. So the environment is read
here, within bounds, and given to it whole; and its answers come through a reader that says when the peer is gone.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from panoramisk import fast_agi

from callflow.agi.errors import CannotListen, Dropped
from callflow.agi.screen import Asked, Screen

log = structlog.get_logger(__name__)

SCRIPT: Final = "screen"
"""The path of the URL that a dialplan names: `agi://127.0.0.1:4573/screen`."""
ENVIRONMENT_SECONDS: Final = 2.0
CONNECTION_SECONDS: Final = 5.0
LARGEST_ENVIRONMENT: Final = 16_384
"""Bytes; Asterisk sends about 700."""
MOST_CONNECTIONS: Final = 500
"""Above a big city's worst minute; more than these are closed at once, and their callers go on."""
DROPS_TOLD_EVERY_SECONDS: Final = 10.0
WAITING_CONNECTIONS: Final = 4_096
"""While this process is frozen the kernel takes so many callers' connections for it; more of them cost each caller
the whole second of the dialplan's outer limit."""
_ENCODING: Final = "latin-1"
"""Any byte is a character in it, so that no caller's name can fail to decode."""


class FastAgiServer:
    """Answers the script `screen`.

    Attributes:
        served: connections that got their variables. dropped: others.
    """

    def __init__(self, screen: Screen) -> None:
        self.served = 0
        self.dropped = 0
        self._screen = screen
        self._open = 0
        self._told_at = float("-inf")

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen until the block ends; gives the port (0 chooses a free one).

        Raises:
            CannotListen: the address is taken or not ours.
        """
        # its lines may hold the environment, with the caller's number and name; ours say what is worth saying
        logging.getLogger(fast_agi.__name__).setLevel(logging.CRITICAL)
        application = fast_agi.Application(default_encoding=_ENCODING)
        application.add_route(SCRIPT, self._answer)

        async def connected(reader: StreamReader, writer: StreamWriter) -> None:
            await self._serve(application, reader, writer)

        try:
            server = await asyncio.start_server(
                connected, host, port, limit=LARGEST_ENVIRONMENT, backlog=WAITING_CONNECTIONS
            )
        except OSError as error:
            raise CannotListen(host, port, error.strerror or str(error)) from error
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    async def _serve(self, application: fast_agi.Application, reader: StreamReader, writer: StreamWriter) -> None:
        self._open += 1
        served = self.served
        try:
            if self._open <= MOST_CONNECTIONS:
                await application.handler(_Gate(await _environment(reader), reader), writer)
        except (Dropped, TimeoutError, OSError) as error:
            self._tell_drop(error)
        finally:
            self._open -= 1
            self.dropped += served == self.served
            with suppress(OSError):
                writer.close()

    def _tell_drop(self, error: Exception) -> None:
        """One line now and then: who connects without end is not to fill the disk."""
        now = asyncio.get_running_loop().time()
        if now >= self._told_at + DROPS_TOLD_EVERY_SECONDS:
            self._told_at = now
            log.warning("FastAGI connections are dropped", fault=type(error).__name__, dropped=self.dropped + 1)

    async def _answer(self, request: fast_agi.Request) -> None:
        """Panoramisk's endpoint: set the variables, and stop where Asterisk does not take one. Raises nothing."""
        try:
            async with asyncio.timeout(CONNECTION_SECONDS):
                variables = await self._screen.variables(Asked.of_environment(request.headers))
                for name, value in variables.items():
                    answer: dict[str, Any] = await request.send_command(f'SET VARIABLE {name} "{value}"')
                    if "error" in answer:
                        log.info("FastAGI channel takes no variables", fault=answer["error"])
                        return
                self.served += 1
        except (Dropped, TimeoutError, OSError, ValueError) as error:
            log.info("FastAGI peer is gone or makes no sense", fault=type(error).__name__)
        except Exception:
            log.exception("FastAGI screen failed; the caller goes on without it")


class _Gate:
    """A reader for panoramisk: the environment that was read already, then the peer's answers."""

    def __init__(self, environment: bytes, reader: StreamReader) -> None:
        self._environment = environment
        self._reader = reader

    async def read(self, _size: int) -> bytes:
        """The environment, whole: panoramisk reads no further than its end."""
        return self._environment

    async def readline(self) -> bytes:
        """One answer.

        Raises:
            Dropped: the peer is gone, or its line is endless.
        """
        try:
            return await self._reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Dropped(type(error).__name__) from error


async def _environment(reader: StreamReader) -> bytes:
    try:
        async with asyncio.timeout(ENVIRONMENT_SECONDS):
            return await reader.readuntil(b"\n\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Dropped(type(error).__name__) from error
