"""The SIPp driver on a real Asterisk: what it counts is what happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo.audio import is_sound, read_audio
from callflow.demo.phones.phone import Phone
from callflow.demo.phones.protocol import EndedBy

from .phone_lab import TRUNK_BIND, PhoneLab, password_of, phone_lab
from .sipp import Scenario, SippCall, parse_counts, parse_rows, run_sipp, sipp_destination

DESTINATION_BIND = "127.0.0.3"
CALLERS = [f"0812555{number:04}" for number in range(5)]


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PhoneLab]:
    async with phone_lab(tmp_path / "lab") as running:
        yield running


async def test_every_call_is_answered_and_counted_when_callers_hang_up(lab: PhoneLab, tmp_path: Path) -> None:
    result = await run_sipp(
        Scenario.CALL,
        (lab.host, lab.port),
        tmp_path,
        callers=CALLERS,
        rate_per_second=10,
        bind=TRUNK_BIND,
        number="113",
        hold_seconds=0.2,
    )
    assert (result.successful, result.failed, result.errors) == (5, 0, "")
    assert [call.caller for call in result.calls] == CALLERS
    assert len({call.call_id for call in result.calls}) == 5
    assert {call.ended_by for call in result.calls} == {"hung_up"}
    assert len(result.answer_seconds) == 5
    assert all(0 < seconds < 2 for seconds in result.answer_seconds)


async def test_bye_is_taken_when_the_server_hangs_up_first(lab: PhoneLab, tmp_path: Path) -> None:
    result = await run_sipp(
        Scenario.CALL,
        (lab.host, lab.port),
        tmp_path,
        callers=CALLERS,
        rate_per_second=10,
        bind=TRUNK_BIND,
        number="115",
        hold_seconds=10,
    )
    assert (result.successful, result.failed, result.errors) == (5, 0, "")
    assert {call.ended_by for call in result.calls} == {"far_end_hung_up"}


async def test_every_call_ends_well_when_both_ends_hang_up_at_once(lab: PhoneLab, tmp_path: Path) -> None:
    result = await run_sipp(
        Scenario.CALL,
        (lab.host, lab.port),
        tmp_path,
        callers=CALLERS * 6,
        rate_per_second=30,
        bind=TRUNK_BIND,
        number="115",
        hold_seconds=0.997,  # Asterisk waits half a second for media, then plays its own half second
    )
    assert (result.successful, result.failed, result.errors) == (30, 0, "")


async def test_keys_and_audio_arrive_when_a_caller_presses_and_streams(lab: PhoneLab, tmp_path: Path) -> None:
    noise = tmp_path / "noise.ulaw"
    noise.write_bytes(bytes(range(128)) * 125)
    async with Phone.start(name="anna", recordings=tmp_path) as anna:
        await anna.register(lab.host, lab.port, "op-anna", password_of("op-anna"))
        await anna.auto_answer()
        run = asyncio.create_task(
            run_sipp(
                Scenario.CALL,
                (lab.host, lab.port),
                tmp_path / "sipp",
                callers=CALLERS[:1],
                rate_per_second=1,
                bind=TRUNK_BIND,
                hold_seconds=0.8,
                press="2#",
                press_after_seconds=0.3,
                media=noise,
            )
        )
        incoming = await anna.wait_incoming()
        await incoming.wait_digits("2#")
        assert (await incoming.wait_ended()).ended_by is EndedBy.FAR_END
        result = await run
        assert (result.successful, result.errors) == (1, "")
        assert incoming.caller.user == CALLERS[0]
        assert incoming.recording is not None
        assert is_sound(read_audio(incoming.recording.path).between(0.3, 0.8).samples)


async def test_callers_give_up_or_hang_up_when_told_to_cancel(lab: PhoneLab, tmp_path: Path) -> None:
    async with Phone.start(name="anna", recordings=tmp_path) as anna:
        await anna.register(lab.host, lab.port, "op-anna", password_of("op-anna"))
        rung, answered = [
            await run_sipp(
                Scenario.GIVE_UP,
                (lab.host, lab.port),
                tmp_path / number,
                callers=CALLERS[:2],
                rate_per_second=10,
                bind=TRUNK_BIND,
                number=number,
                hold_seconds=0.5,
            )
            for number in ("112", "113")
        ]
    assert (rung.successful, rung.failed, rung.errors) == (2, 0, "")
    assert {call.ended_by for call in rung.calls} == {"gave_up"}
    assert rung.answer_seconds == []
    assert (answered.successful, answered.failed, answered.errors) == (2, 0, "")
    assert {call.ended_by for call in answered.calls} == {"hung_up"}


async def test_destination_answers_and_echoes_when_it_is_dialled(lab: PhoneLab, tmp_path: Path) -> None:
    async with (
        sipp_destination(
            Scenario.ANSWER, tmp_path / "uas", bind=DESTINATION_BIND, answer_after_seconds=0.2
        ) as destination,
        Phone.start(bind=TRUNK_BIND, name="citizen", recordings=tmp_path) as citizen,
    ):
        call = await citizen.call(lab.uri(f"119{destination.port}"), from_uri="<sip:0812777@trunk>", tone_hz=620)
        await call.wait_confirmed()
        assert is_sound(read_audio((await call.wait_heard(1.0)).path).between(0.5, 1.0).samples)
        await call.hang_up()
        await call.wait_ended()
    (met,) = destination.result().calls
    assert (met.caller, met.ended_by) == ("0812777", "far_end_hung_up")
    assert met.answer_seconds is not None
    assert 0.15 < met.answer_seconds < 1


async def test_destination_takes_cancel_when_the_caller_gives_up(lab: PhoneLab, tmp_path: Path) -> None:
    async with (
        sipp_destination(
            Scenario.ANSWER, tmp_path / "uas", bind=DESTINATION_BIND, answer_after_seconds=30
        ) as destination,
        Phone.start(bind=TRUNK_BIND, name="citizen", recordings=tmp_path) as citizen,
    ):
        call = await citizen.call(lab.uri(f"119{destination.port}"))
        await call.wait_progress()
        await call.hang_up()
        await call.wait_ended()
    result = destination.result()
    assert [(met.answered_at, met.ended_by) for met in result.calls] == [(None, "far_end_gave_up")]


async def test_caller_is_refused_when_the_destination_is_busy(lab: PhoneLab, tmp_path: Path) -> None:
    async with (
        sipp_destination(Scenario.BUSY, tmp_path / "uas", bind=DESTINATION_BIND) as destination,
        Phone.start(bind=TRUNK_BIND, name="citizen", recordings=tmp_path) as citizen,
    ):
        call = await citizen.call(lab.uri(f"119{destination.port}"))
        assert (await call.wait_ended()).sip_code == 486
    assert [met.ended_by for met in destination.result().calls] == ["refused"]


async def test_caller_hears_nothing_when_the_destination_is_silent(lab: PhoneLab, tmp_path: Path) -> None:
    async with (
        sipp_destination(Scenario.SILENT, tmp_path / "uas", bind=DESTINATION_BIND) as destination,
        Phone.start(bind=TRUNK_BIND, name="citizen", recordings=tmp_path) as citizen,
    ):
        call = await citizen.call(lab.uri(f"119{destination.port}"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await call.wait_progress(timeout_seconds=10)
        await call.hang_up()
        assert (await call.wait_ended()).sip_code == 487
    assert len(destination.result().calls) == 1


class _Forgetful(asyncio.DatagramProtocol):
    """A far end that answers an INVITE, and a caller's first BYE with that answer again: as a busy one does."""

    def __init__(self) -> None:
        self.byes = 0
        self._invite = b""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"INVITE"):
            self._invite = data
            self._answer(data, 2, addr)
        elif data.startswith(b"BYE"):
            self.byes += 1
            self._answer(self._invite if self.byes == 1 else data, 3, addr)

    def _answer(self, request: bytes, version: int, addr: tuple[str, int]) -> None:
        """A 200; its session's version makes the second another text than the first."""
        lines = request.decode().split("\r\n")
        kept = [line for line in lines if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))]
        tagged = [f"{line};tag=far" if line.startswith("To:") and "tag=" not in line else line for line in kept]
        body = (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        )
        head = [*tagged, f"Contact: <sip:{addr[0]}>", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        self._transport.sendto("\r\n".join(["SIP/2.0 200 OK", *head, "", body]).encode(), addr)


async def test_bye_is_sent_again_when_the_answer_to_the_invite_comes_instead_of_its_own(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    transport, far_end = await loop.create_datagram_endpoint(_Forgetful, local_addr=(DESTINATION_BIND, 0))
    try:
        result = await run_sipp(
            Scenario.CALL,
            transport.get_extra_info("sockname"),
            tmp_path,
            callers=CALLERS[:1],
            rate_per_second=1,
            bind=TRUNK_BIND,
            hold_seconds=0.2,
        )
    finally:
        transport.close()
    (call,) = result.calls
    assert (result.successful, far_end.byes) == (1, 2)
    assert call.ended_at is not None
    assert call.taken_at is not None
    assert call.taken_at - call.ended_at > 0.4  # the first repetition comes after half a second


def test_rows_are_read_when_the_log_has_other_lines() -> None:
    log = (
        "invited|1@a|0812|2026-11-23\t03:26:44.486422\t1795404404.486422\n"
        "noise\n"
        "answered|1@a|0812|2026-11-23\t03:26:44.489372\t1795404404.489372\n"
        "invited|2@a|0813|2026-11-23\t03:26:44.500000\t1795404404.500000\n"
        "hung_up|1@a|0812|2026-11-23\t03:26:45.486422\t1795404405.486422\n"
        "taken|1@a|0812|2026-11-23\t03:26:45.500000\t1795404405.500000\n"
    )
    assert parse_rows(log) == (
        SippCall("1@a", "0812", 1795404404.486422, 1795404404.489372, 1795404405.486422, "hung_up", 1795404405.5),
        SippCall("2@a", "0813", 1795404404.5),
    )


def test_counts_are_the_last_row_when_there_are_several() -> None:
    table = "SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n0;0;0;\n7;2;1;\n"
    assert parse_counts(table) == (7, 2, 1)
    assert parse_counts("") == (0, 0, 0)
