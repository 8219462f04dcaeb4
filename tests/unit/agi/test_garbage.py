"""What is no AGI, much of it and without end: each connection is small and short, and Asterisk is served beside it."""

from __future__ import annotations

import asyncio
import tracemalloc
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from callflow.agi import server as server_module
from callflow.agi.screen import Asked, Screen
from callflow.agi.server import FastAgiServer
from callflow.core.city import PrankPolicy
from callflow.core.events import CallerHistory

HOST = "127.0.0.1"
CALLER = "081234567890"
USUAL = f"agi_network: yes\nagi_network_script: screen\nagi_callerid: {CALLER}\n\n".encode()
SILENT = 1_000
PATIENCE_SECONDS = 20.0
MIB = 1 << 20


class Histories:
    async def look_up(self, number: str) -> CallerHistory | None:
        return CallerHistory(calls=7)


class Listening:
    """A server, and where it listens."""

    def __init__(self, server: FastAgiServer, port: int) -> None:
        self.server = server
        self.port = port

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection(HOST, self.port)

    async def serves(self) -> bool:
        """Whether Asterisk gets what it asks for."""
        reader, writer = await self.connect()
        names = 0
        with suppress(ConnectionResetError):
            writer.write(USUAL)
            while (await reader.readline()).startswith(b"SET VARIABLE"):
                names += 1
                writer.write(b"200 result=1\n")
        writer.close()
        return names == 8


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Listening]:
    server = FastAgiServer(Screen(Histories(), PrankPolicy))
    async with server.listening(HOST, 0) as port, asyncio.timeout(PATIENCE_SECONDS):
        yield Listening(server, port)


async def test_nothing_is_kept_when_ten_million_bytes_have_no_line(lab: Listening) -> None:
    reader, writer = await lab.connect()
    tracemalloc.start()
    try:
        with suppress(ConnectionError):
            for _ in range(10 * 16):
                writer.write(b"a" * (MIB // 16))
                await writer.drain()
            await reader.read()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        writer.close()
    assert most < 4 * MIB  # of both ends
    assert lab.server.dropped == 1
    assert await lab.serves()


async def test_asterisk_is_served_again_when_a_thousand_silent_connections_had_their_time(
    lab: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ENVIRONMENT_SECONDS", 1.0)
    with capture_logs() as lines:
        silent = [await lab.connect() for _ in range(SILENT)]
        ends = await asyncio.gather(*(reader.read() for reader, _ in silent))
        assert ends == [b""] * SILENT
        for _, writer in silent:
            writer.close()
    assert lab.server.dropped == SILENT
    assert len(lines) == 1  # not one for each: they could fill the disk
    assert await lab.serves()


async def test_peer_that_sends_a_byte_now_and_then_is_let_go_all_the_same(
    lab: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ENVIRONMENT_SECONDS", 0.2)
    reader, writer = await lab.connect()
    gone = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        for byte in USUAL * 100:
            if gone.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait({gone}, timeout=0.02)
    assert gone.done()
    writer.close()
    assert (lab.server.served, lab.server.dropped) == (0, 1)


async def test_nothing_of_a_caller_is_logged_when_a_request_is_cut_off(lab: Listening) -> None:
    with capture_logs() as lines:
        for end in range(0, len(USUAL) - 1, 7):
            reader, writer = await lab.connect()
            writer.write(USUAL[:end])
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
    assert CALLER not in str(lines)
    assert lab.server.served == 0
    assert await lab.serves()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(("agi_callerid", "agi_arg_1", "agi_arg_2", "agi_x")), st.text(max_size=60)))
def test_something_is_asked_whatever_the_variables_say(environment: dict[str, str]) -> None:
    asked = Asked.of_environment(environment)
    assert asked.number is None or asked.number.isascii()
    assert asked.arrived is None or asked.arrived >= 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_server_stands_whatever_bytes_come(garbage: bytes) -> None:
    async def main() -> None:
        server = FastAgiServer(Screen(Histories(), PrankPolicy))
        async with server.listening(HOST, 0) as port, asyncio.timeout(PATIENCE_SECONDS):
            lab = Listening(server, port)
            reader, writer = await lab.connect()
            with suppress(ConnectionError):
                writer.write(garbage)
                writer.write_eof()
                await reader.read()
            writer.close()
            assert await lab.serves()

    asyncio.run(main())
