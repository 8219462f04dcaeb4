"""A FastAGI client as Asterisk is one, and many that are none."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from callflow.agi import server as server_module
from callflow.agi.errors import CannotListen
from callflow.agi.screen import Asked, Screen
from callflow.agi.server import LARGEST_ENVIRONMENT, FastAgiServer
from callflow.core.city import PrankPolicy
from callflow.core.events import CallerHistory

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10.0
NAMES = [
    "CALLFLOW_PRANK_SCORE",
    "CALLFLOW_PRANK_FLAG",
    "CALLFLOW_PRANK_WARN",
    "CALLFLOW_PRANK_REASON",
    "CALLFLOW_PRANK_REASON_EN",
    "CALLFLOW_PRANK_DISPLAY",
    "CALLFLOW_CALLS",
    "CALLFLOW_PRIORITY",
]


class Histories:
    async def look_up(self, number: str) -> CallerHistory | None:
        return CallerHistory(calls=7)


class Lab:
    def __init__(self, server: FastAgiServer, port: int) -> None:
        self.server = server
        self.port = port

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, self.port)
            try:
                yield reader, writer
            finally:
                writer.close()

    async def answer_to(self, sent: bytes, *, eof: bool = False) -> bytes:
        """All that comes back until the server closes; nothing is ever answered."""
        async with self.connected() as (reader, writer):
            writer.write(sent)
            if eof:
                writer.write_eof()
            try:
                return await reader.read()
            except ConnectionResetError:
                return b""

    async def screened(self, sent: bytes) -> dict[str, str]:
        """What Asterisk would set for an environment."""
        variables = {}
        async with self.connected() as (reader, writer):
            writer.write(sent)
            while line := (await reader.readline()).decode("ascii"):
                command, _, value = line.strip().partition(' "')
                verb, name = command.rsplit(" ", 1)
                assert verb == "SET VARIABLE"
                variables[name] = value.removesuffix('"')
                writer.write(b"200 result=1\n")
        return variables


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    server = FastAgiServer(Screen(Histories(), PrankPolicy))
    async with server.listening(HOST, 0) as port:
        yield Lab(server, port)


def environment(script: str = "screen", caller: str = "081234567890", name: str = "Siti") -> bytes:
    lines = [
        "agi_network: yes",
        f"agi_network_script: {script}",
        f"agi_request: agi://127.0.0.1:4573/{script}",
        "agi_channel: Local/s@callflow-screen-00000001;2",
        "agi_uniqueid: 1768446000.7",
        f"agi_callerid: {caller}",
        f"agi_calleridname: {name}",
        "agi_arg_1: 1768446000",
    ]
    return ("\n".join(lines) + "\n\n").encode("latin-1")


async def test_variables_are_set_when_asterisk_asks(lab: Lab) -> None:
    variables = await lab.screened(environment())
    assert list(variables) == NAMES
    assert variables["CALLFLOW_CALLS"] == "7"
    assert (lab.server.served, lab.server.dropped) == (1, 0)


@pytest.mark.parametrize("caller", ["unknown", "", 'sip:evil" SET VARIABLE X', "\xff\xfe\x00", "0" * 5000])
async def test_caller_is_unknown_when_the_number_is_none(lab: Lab, caller: str) -> None:
    variables = await lab.screened(environment(caller=caller, name='\xe4"\\'))
    assert list(variables) == NAMES
    assert variables["CALLFLOW_CALLS"] == "0"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\n\n",
        b"\xff" * 100 + b"\n\n",
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n\n\n",
        b"agi_network_script: screen",
        b"agi_network_script screen\n\n",
        b"agi_network_script: other\n\n",
        environment("screen/../x"),
        b"a" * (LARGEST_ENVIRONMENT * 4),
        b"agi_callerid: " + b"0" * (LARGEST_ENVIRONMENT * 4) + b"\n\n",
    ],
    ids=lambda sent: f"{sent[:24]!r}-{len(sent)}",
)
async def test_nothing_is_answered_when_it_is_no_agi(lab: Lab, sent: bytes) -> None:
    assert await lab.answer_to(sent, eof=True) == b""
    assert len(await lab.screened(environment())) == len(NAMES)
    assert (lab.server.served, lab.server.dropped) == (1, 1)


async def test_silent_peer_is_let_go_when_its_time_is_over(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "ENVIRONMENT_SECONDS", 0.05)
    assert await lab.answer_to(b"agi_network: yes\n") == b""
    assert lab.server.dropped == 1


async def test_peer_that_never_replies_is_let_go_when_its_time_is_over(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTION_SECONDS", 0.05)
    assert (await lab.answer_to(environment())).startswith(b"SET VARIABLE CALLFLOW_PRANK_SCORE")
    assert (lab.server.served, lab.server.dropped) == (0, 1)


@pytest.mark.parametrize(
    "reply",
    [
        b"HANGUP\n",
        b"\n",
        b"garbage\n",
        b"510 Invalid or unknown command\n",
        b"200 result=-1\n",
        b"9" * (LARGEST_ENVIRONMENT * 2) + b"\n",
        b"200 result",
    ],
    ids=lambda reply: f"{reply[:20]!r}",
)
async def test_screen_stops_when_the_channel_takes_no_variable(lab: Lab, reply: bytes) -> None:
    async with lab.connected() as (reader, writer):
        writer.write(environment())
        assert (await reader.readline()).startswith(b"SET VARIABLE")
        writer.write(reply)
        writer.write_eof()
        assert b"CALLFLOW_PRIORITY" not in await reader.read()
    assert (lab.server.served, lab.server.dropped) == (0, 1)


async def test_caller_goes_on_when_the_screen_has_a_defect(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(environment: object) -> Asked:
        raise KeyError(str(environment))

    monkeypatch.setattr(Asked, "of_environment", broken)
    assert await lab.answer_to(environment()) == b""
    assert lab.server.dropped == 1


async def test_connection_is_closed_at_once_when_there_are_too_many(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 0)
    assert await lab.answer_to(environment()) == b""


async def test_many_are_served_side_by_side_when_one_hangs(lab: Lab) -> None:
    async with lab.connected() as (_, writer):
        writer.write(b"agi_network: yes\n")
        answers = await asyncio.gather(*(lab.screened(environment()) for _ in range(20)))
    assert all(list(variables) == NAMES for variables in answers)


async def test_address_is_named_when_it_is_taken(lab: Lab) -> None:
    with pytest.raises(CannotListen, match=f"{HOST}:{lab.port}"):
        async with FastAgiServer(Screen(Histories(), PrankPolicy)).listening(HOST, lab.port):
            pass
