"""The raw caller on a real Asterisk: hostile bytes are sent as they are, and the call is carried to its end."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo.audio import tone_present
from callflow.demo.phones.phone import Phone

from .phone_lab import TRUNK_BIND, PhoneLab, password_of, phone_lab
from .raw_invite import RawCallTimeout, raw_call

HOSTILE_FROM = {
    "operator": b"<sip:op-anna@city>",
    "application": b"<sip:callflow@city>",
    "path": b"<sip:../../../etc/passwd@city>",
    "long": b"<sip:" + b"9" * 4096 + b"@city>",
    "long_display": b'"' + b"a" * 4096 + b'" <sip:0812@city>',
    "not_utf8": b'"\xff\xfe\x80 \xc3\x28" <sip:%ff%fe@city>',
    "expression": b'"${SHELL(id)}|a&b;c" <sip:0812@city>',
}


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PhoneLab]:
    async with phone_lab(tmp_path / "lab") as running:
        yield running


async def test_final_answers_are_reported_when_from_is_hostile(lab: PhoneLab) -> None:
    codes = {}
    for name, value in HOSTILE_FROM.items():
        async with raw_call((lab.host, lab.port), bind=TRUNK_BIND, from_value=value, number=b"113") as call:
            codes[name] = (await call.wait_final()).code
    assert codes == dict.fromkeys(HOSTILE_FROM, 200)


async def test_server_drops_the_call_when_the_from_uri_is_no_sip(lab: PhoneLab) -> None:
    # Asterisk's SIP parser refuses raw bytes inside a URI and says nothing: no dialplan can answer such a call.
    async with raw_call(
        (lab.host, lab.port), bind=TRUNK_BIND, from_value=b"<sip:\xff\xfe@city>", number=b"113"
    ) as call:
        with pytest.raises(RawCallTimeout):
            await call.wait_final(timeout_seconds=1)
        call.forget()


async def test_tone_is_heard_when_a_raw_caller_reaches_an_operator(lab: PhoneLab, tmp_path: Path) -> None:
    async with Phone.start(name="anna", recordings=tmp_path) as anna:
        await anna.register(lab.host, lab.port, "op-anna", password_of("op-anna"))
        await anna.auto_answer()
        async with raw_call((lab.host, lab.port), bind=TRUNK_BIND, from_value=b"<sip:op-anna@x>", tone_hz=620) as call:
            incoming = await anna.wait_incoming()
            assert (await call.wait_final()).answered
            recording = await incoming.wait_heard(1.2)
            assert tone_present(recording.path, 620, 0.4, 1.1).share > 0.9
            assert call.media.received > 25  # the phone sends its silence too
        assert call.over
        assert not call.far_end_hung_up
        await incoming.wait_ended()


async def test_far_end_is_named_when_it_hangs_up(lab: PhoneLab) -> None:
    async with raw_call((lab.host, lab.port), bind=TRUNK_BIND, from_value=b"<sip:0812@x>", number=b"115") as call:
        assert (await call.wait_final()).answered
        await call.wait_over()
        assert call.far_end_hung_up
        assert call.bye_cause == 16


async def test_call_is_cancelled_when_nobody_answers(lab: PhoneLab, tmp_path: Path) -> None:
    async with Phone.start(name="anna", recordings=tmp_path) as anna:
        await anna.register(lab.host, lab.port, "op-anna", password_of("op-anna"))
        async with raw_call((lab.host, lab.port), bind=TRUNK_BIND, from_value=b"<sip:0812@x>") as call:
            await anna.wait_incoming()
        assert call.final is not None
        assert call.final.code == 487


async def test_time_out_says_so_when_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(RawCallTimeout, match="a final answer"):
            async with raw_call(deaf.getsockname(), bind=TRUNK_BIND, from_value=b"<sip:0812@x>") as call:
                await call.wait_final(timeout_seconds=0.2)
