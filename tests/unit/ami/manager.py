"""A small AMI server for the tests beside it: what it is told to be, and what it was asked."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

SECRET = "right"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
WAIT_SECONDS = 5.0


class FakeManager:
    """Answers as Asterisk 22.10.1 does.

    Attributes:
        port: where it listens.
        waiting: callers in the fallback queue. devices: their states by name.
        silent: actions, in lower case, that get no answer. refused: those that get 'Permission denied'.
        interjected: what is sent once before the answer to an action.
        asked: the actions, oldest first. logins: how many there were, right or wrong.
    """

    def __init__(self) -> None:
        self.port = 0
        self.waiting: int | None = 0
        self.devices: dict[str, str] = {}
        self.silent: set[str] = set()
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.logins = 0
        self.banner = BANNER
        self.interjected: dict[str, bytes] = {}
        self._writers: list[StreamWriter] = []
        self._serving: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[FakeManager]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.drop()
            await server.wait_closed()
            await asyncio.gather(*self._serving)

    def drop(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def send(self, data: bytes) -> None:
        """Send to everyone who is connected, as it is."""
        for writer in self._writers:
            writer.write(data)

    def tell(self, **fields: str) -> None:
        """Send an event."""
        self.send(_message(fields))

    async def asked_times(self, action: str, times: int) -> None:
        """Until an action was asked so often."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.asked.count(action) < times:
                self._news.clear()
                await self._news.wait()

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._serving.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self.banner)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)
                action, tag = fields["Action"].lower(), {"ActionID": fields["ActionID"]}
                self.asked.append(action)
                self._news.set()
                if action in self.silent:
                    continue
                writer.write(self.interjected.pop(action, b""))
                for answer in self._answer(action, fields):
                    writer.write(_message(answer | tag))
        writer.close()

    def _answer(self, action: str, fields: dict[str, str]) -> list[dict[str, str]]:
        if action in self.refused:
            return [{"Response": "Error", "Message": "Permission denied"}]
        if action == "login":
            self.logins += 1
            if fields["Secret"] != SECRET:
                return [{"Response": "Error", "Message": "Authentication failed"}]
            return [{"Response": "Success", "Message": "Authentication accepted"}]
        if action == "queuesummary":
            queue = {"Event": "QueueSummary", "Queue": "callflow-fallback", "Callers": str(self.waiting)}
            return answer_of("QueueSummary", [queue] if self.waiting is not None else [])
        states = [{"Event": "DeviceStateChange", "Device": name, "State": s} for name, s in self.devices.items()]
        return answer_of("DeviceStateList", states)


def answer_of(name: str, entries: list[dict[str, str]]) -> list[dict[str, str]]:
    """An answer with its list's events."""
    head = {"Response": "Success", "EventList": "start", "Message": "it will follow"}
    return [head, *entries, {"Event": f"{name}Complete", "EventList": "Complete"}]


def _message(fields: dict[str, str]) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()
