"""The torture messages of RFC 4475, sent as a phone nobody knows and as the trunk, at a whole running installation."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from callflow.demo.layout import CALLERS_BIND, lay_out
from callflow.demo.observer import Observer
from callflow.demo.stage import Stage, set_stage

from .aftermath import journal_faults, leftovers, whole_records
from .raw_invite import Address, raw_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "torture").glob("*.dat"))}
"""By the names that the RFC gives them, byte for byte."""
WELL_FORMED = {"esc01", "longreq"}
"""The INVITEs of section 3.1.1 that begin a call; that of `wsinv` has a tag in To, and is rightly answered with 481."""
STRANGER_BIND = "127.0.0.1"
CHECK_EVERY = 10
"""A usual citizen calls after each so many messages."""
PERSONAL = ("vivekg", "null-%00", "DROP TABLE", "I have a user name", "3Zqkv5dajqaaas0tCjCxT0xH2ZEuEMsFl0xoasip")
"""Words of the messages that would be somebody's own, and stand in no log of ours."""
_SIP_SECONDS = 5.0


class Torturer(asyncio.DatagramProtocol):
    """Sends messages as they are; acknowledges and ends every dialogue that comes of one, by its answer alone.

    Attributes:
        answered: Call-IDs of INVITEs that were answered with 200.
        codes: every status code that came back.
    """

    def __init__(self, target: Address, bind: str) -> None:
        self.answered: set[str] = set()
        self.codes: list[int] = []
        self._target = target
        self._bind = bind
        self._transport: asyncio.DatagramTransport
        self._probes: dict[str, asyncio.Future[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        text = data.decode("latin-1")
        if not text.startswith("SIP/2.0 "):
            if text.startswith("BYE "):
                self._send(["SIP/2.0 200 OK", *_copied(text)])
            return
        probe = self._probes.get(_value(text, "Call-ID"))
        if probe is not None:
            if not probe.done():
                probe.set_result(None)
            return
        code = int(text.split()[1])
        self.codes.append(code)
        if code == 200 and _value(text, "CSeq").endswith("INVITE"):
            self._end(text)

    async def send(self, message: bytes) -> None:
        """Send it, and wait until what is sent behind it is answered: Asterisk lives, and has read it."""
        self._transport.sendto(message, self._target)
        probe = f"{secrets.token_hex(8)}@probe"
        answered = self._probes[probe] = asyncio.get_running_loop().create_future()
        options = (f"OPTIONS sip:112@{self._target[0]}:{self._target[1]} SIP/2.0", *self._own("OPTIONS", probe))
        async with asyncio.timeout(_SIP_SECONDS):
            while not answered.done():
                self._send(options)
                await asyncio.wait({answered}, timeout=1.0)

    def _own(self, method: str, call: str) -> tuple[str, ...]:
        host, port = self._transport.get_extra_info("sockname")
        return (
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: <sip:probe@{host}>;tag={secrets.token_hex(4)}",
            f"To: <sip:112@{self._target[0]}>",
            f"Call-ID: {call}",
            f"CSeq: 1 {method}",
        )

    def _end(self, answer: str) -> None:
        """ACK and BYE, from the dialogue's headers as they came back."""
        self.answered.add(_value(answer, "Call-ID"))
        contact = re.search(r"<([^>]+)>", _value(answer, "Contact"))
        assert contact
        number = int(_value(answer, "CSeq").split()[0])
        dialogue = [line for line in _copied(answer) if not re.match("via:|cseq:", line, re.IGNORECASE)]
        host, port = self._transport.get_extra_info("sockname")
        for method, cseq in (("ACK", number), ("BYE", number + 1)):
            via = f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport"
            self._send([f"{method} {contact[1]} SIP/2.0", via, "Max-Forwards: 70", *dialogue, f"CSeq: {cseq} {method}"])

    def _send(self, lines: list[str] | tuple[str, ...]) -> None:
        self._transport.sendto("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode("latin-1"), self._target)


def _copied(message: str) -> list[str]:
    """The headers that an answer, or the next request, has from this message."""
    head = message.partition("\r\n\r\n")[0]
    return [line for line in head.split("\r\n") if re.match("(via|from|to|call-id|cseq):", line, re.IGNORECASE)]


def _value(message: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*?)\r$", message, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with set_stage(lay_out(tmp_path_factory.mktemp("torture") / "centre"), print) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def observer(stage: Stage) -> AsyncIterator[Observer]:
    watching = Observer(stage.layout.settings.engine_socket)
    following = asyncio.create_task(watching.follow())
    yield watching
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await watching.close()


async def _torture(stage: Stage, target: Address, bind: str) -> tuple[Torturer, int]:
    """Send every message, with a usual call after each tenth; how many usual calls there were."""
    settings = stage.layout.settings
    loop = asyncio.get_running_loop()
    transport, torturer = await loop.create_datagram_endpoint(lambda: Torturer(target, bind), local_addr=(bind, 0))
    usual = 0
    try:
        for number, (name, message) in enumerate(MESSAGES.items(), 1):
            try:
                await torturer.send(message)
            except TimeoutError:
                pytest.fail(f"Asterisk does not answer after {name}")
            if number % CHECK_EVERY == 0:
                usual += 1
                citizen = raw_call(
                    (settings.trunk_host, settings.trunk_port), bind=CALLERS_BIND, from_value=b"<sip:0812@x>"
                )
                async with citizen as caller:
                    assert (await caller.wait_final()).code == 200, f"after {name}"
    finally:
        transport.close()
    return torturer, usual


async def test_nobody_becomes_a_caller_when_a_stranger_sends_the_torture_messages(
    stage: Stage, observer: Observer
) -> None:
    settings = stage.layout.settings
    torturer, usual = await _torture(stage, (settings.sip_host, settings.sip_port), STRANGER_BIND)

    await _over(observer, usual)
    assert torturer.answered == set()
    assert len({fact["call"] for fact in observer.facts if fact["type"] == "CallOpened"}) == usual


async def test_every_answered_invite_is_one_call_when_the_trunk_sends_the_torture_messages(
    stage: Stage, observer: Observer
) -> None:
    settings, layout = stage.layout.settings, stage.layout
    before = _ended(observer)

    torturer, usual = await _torture(stage, (settings.trunk_host, settings.trunk_port), CALLERS_BIND)

    await _over(observer, before + usual + len(torturer.answered))
    answered = {call.partition(".")[0] for call in torturer.answered}  # each message's Call-ID begins with its name
    assert answered >= WELL_FORMED, answered
    calls = sorted({fact["call"] for fact in observer.facts if fact["type"] == "CallOpened"})
    assert len(calls) == before + usual + len(torturer.answered)
    assert len(await whole_records(layout, calls)) == len(calls)
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, calls) == []
    assert (await observer.client.health())["ari"] == "connected"
    logs = b"".join(path.read_bytes() for path in (settings.data_dir / "log").rglob("*") if path.is_file())
    assert [word for word in PERSONAL if word.encode() in logs] == []


def _ended(observer: Observer) -> int:
    return len({fact["call"] for fact in observer.facts if fact["type"] == "CallEnded"})


async def _over(observer: Observer, calls: int) -> None:
    """Wait until so many calls have ended, and nobody is on the line."""
    await observer.until("every end", lambda snapshot: not snapshot["calls"] and _ended(observer) >= calls)
