"""Holds one connection with AMI: logs in, asks, hands events over, and ends for good at the first doubt.

Panoramisk's protocol reads and writes the messages. Its Manager is not used: it never notices a peer that went silent,
stays connected where the login was refused, and asks again at a fixed pace; when to connect is `witness.py`'s to say.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from callflow.ami.errors import AmiAway, AmiRefused, AmiSilent

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
LARGEST_MESSAGE: Final = 256 * 1024
"""Characters without the empty line that ends a message; more of them are no AMI."""
EVENTS: Final = "system,agent"

_SILENT = logging.Logger("panoramisk, unheard")
"""Panoramisk's lines hold callers' numbers, and where a write fails the secret."""
_SILENT.disabled = True

OnEvent = Callable[[Message], None]


class AmiSession:
    """An open connection; see `opened`."""

    def __init__(self, on_event: OnEvent) -> None:
        self.protocol = _Protocol(self)
        self._on_event = on_event
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # what panoramisk's protocol wants of its owner
        self.save_stream = None
        self.forgetable_actions: tuple[str, ...] = ()
        self.awaiting_actions: deque[object] = deque()

    async def ask(self, action: str, **fields: str) -> list[Message]:
        """Ask, and wait for the whole answer: one message, or with its list's events.

        Raises:
            AmiRefused, AmiSilent, AmiAway.
        """
        if self._ended.done():
            raise AmiAway(self._ended.result())
        answer = self.protocol.send({"Action": action, **fields}, as_list=None)  # None: as the answer itself says
        await asyncio.wait({answer, self._ended}, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise AmiAway(self._ended.result()) if self._ended.done() else AmiSilent(action, ANSWER_SECONDS)
        result = answer.result()
        messages: list[Message] = result if isinstance(result, list) else [result]
        if not messages[0].success:
            raise AmiRefused(action, str(messages[0].message))
        return messages

    async def ended(self, within_seconds: float) -> None:
        """Wait, and go on when the connection still stands.

        Raises:
            AmiAway: it does not.
        """
        await asyncio.wait({self._ended}, timeout=within_seconds)
        if self._ended.done():
            raise AmiAway(self._ended.result())

    def end(self, reason: str) -> None:
        """Let the connection go; whoever waits for an answer is told."""
        if not self._ended.done():
            self._ended.set_result(reason)
        self.protocol.abort()

    def connection_lost(self, error: object) -> None:
        """Panoramisk tells that the peer closed, or is shutting down."""
        self.end(type(error).__name__ if isinstance(error, Exception) else "closed by Asterisk")

    def dispatch(self, event: Message) -> None:
        """Panoramisk tells of an event that belongs to no answer."""
        self._on_event(event)


class _Protocol(AMIProtocol):  # type: ignore[misc] # panoramisk has no types
    """Panoramisk's protocol, with bounds: what is no AMI ends the connection and nothing else."""

    def __init__(self, session: AmiSession) -> None:
        super().__init__()
        self._session = session

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.factory = self._session
        self.log = _SILENT
        self.encoding = "utf-8"

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - whatever a peer sends that panoramisk cannot read
            self._session.end(f"what came is no AMI ({type(error).__name__})")
            return
        if self.queue and len(self.queue[-1]) > LARGEST_MESSAGE:
            self._session.end("what came is no AMI (a message without an end)")

    def abort(self) -> None:
        """Close at once: a peer that reads nothing must not keep the socket."""
        self.closed = True
        self.transport.abort()


@asynccontextmanager
async def opened(
    host: str, port: int, user: str, secret: str, on_event: OnEvent, *, events: str = EVENTS
) -> AsyncIterator[AmiSession]:
    """Connect and log in for these classes of events; closed when the block ends.

    Raises:
        AmiAway, AmiSilent, AmiRefused.
    """
    session = AmiSession(on_event)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().create_connection(lambda: session.protocol, host, port)
    except TimeoutError as error:
        raise AmiAway("no answer") from error
    except OSError as error:
        raise AmiAway(error.strerror or type(error).__name__) from error
    try:
        await session.ask("Login", Username=user, Secret=secret, Events=events)
        yield session
    finally:
        session.end("closed by us")
