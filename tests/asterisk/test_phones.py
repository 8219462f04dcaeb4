"""The phones themselves, on a real Asterisk: register, call, tones both ways, keys, refusals, and vanishing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio
import soundfile

from callflow.demo.audio import longest_silence_seconds, read_audio, tone_present
from callflow.demo.phones.bank import phone_bank
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.errors import CallFailed, NotInTime, PhoneDied, PhoneRefused, RegistrationRefused
from callflow.demo.phones.phone import Phone
from callflow.demo.phones.protocol import CallState, EndedBy, RecordingStarted

from .phone_lab import TRUNK_BIND, PhoneLab, password_of, phone_lab
from .sipp import Scenario, run_sipp

OPERATOR_HZ = 440
CITIZEN_HZ = 620
AMBULANCE_BIND = "127.0.0.3"
LONELY_PARENT = """
import asyncio
from callflow.demo.phones.phone import Phone

async def main():
    async with Phone.start() as phone:
        print(phone.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PhoneLab]:
    async with phone_lab(tmp_path / "lab") as running:
        yield running


@pytest_asyncio.fixture
async def phones(tmp_path: Path) -> AsyncIterator[tuple[Phone, Phone]]:
    """An operator's phone and a citizen's; neither may report a fault of its own."""
    heard = tmp_path / "heard"
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(Phone.start(bind="127.0.0.1", name="anna", recordings=heard))
        citizen = await stack.enter_async_context(Phone.start(bind=TRUNK_BIND, name="citizen", recordings=heard))
        yield operator, citizen
        assert operator.faults == []
        assert citizen.faults == []


async def sign_in(phone: Phone, lab: PhoneLab, operator: str = "op-anna") -> str:
    return await phone.register(lab.host, lab.port, operator, password_of(operator))


async def talk(operator: Phone, citizen: Phone, lab: PhoneLab) -> tuple[PhoneCall, IncomingCall]:
    await sign_in(operator, lab)
    await operator.auto_answer(tone_hz=OPERATOR_HZ)
    call = await citizen.call(lab.uri("112"), tone_hz=CITIZEN_HZ)
    incoming = await operator.wait_incoming()
    await asyncio.gather(call.wait_confirmed(), incoming.wait_confirmed())
    return call, incoming


async def test_each_hears_the_others_tone_when_citizen_calls_operator(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    call, incoming = await talk(*phones, lab)
    at_citizen, at_operator = await asyncio.gather(call.wait_heard(2.2), incoming.wait_heard(2.2))
    await call.hang_up()
    end, operator_end = await asyncio.gather(call.wait_ended(), incoming.wait_ended())

    assert tone_present(at_citizen.path, OPERATOR_HZ, 0.5, 2.0).share > 0.9
    assert tone_present(at_operator.path, CITIZEN_HZ, 0.5, 2.0).share > 0.9
    assert tone_present(at_citizen.path, CITIZEN_HZ, 0.5, 2.0).seconds == 0
    assert end.ended_by is EndedBy.US
    assert (operator_end.ended_by, operator_end.cause) == (EndedBy.FAR_END, 16)


async def test_keys_arrive_when_either_end_presses_them(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    call, incoming = await talk(*phones, lab)
    await call.send_dtmf("2#")
    await incoming.wait_digits("2#")
    await incoming.send_dtmf("*90")
    await call.wait_digits("*90")


async def test_far_end_hears_file_tone_and_silence_when_they_are_played_in_turn(
    lab: PhoneLab, phones: tuple[Phone, Phone], tmp_path: Path
) -> None:
    prompt = tmp_path / "prompt.wav"
    seconds = np.arange(8000) / 8000
    soundfile.write(prompt, 0.3 * np.sin(2 * np.pi * 1000 * seconds), 8000, subtype="PCM_16")
    operator, citizen = phones
    await sign_in(operator, lab)
    await operator.auto_answer()
    call = await citizen.call(lab.uri("112"))
    incoming = await operator.wait_incoming()
    await asyncio.gather(call.wait_recording(), incoming.wait_recording())
    await call.play_file(prompt)
    await incoming.wait_heard(1.5)
    await call.play_tone(CITIZEN_HZ)
    await incoming.wait_heard(2.5)
    await call.play_silence()
    recording = await incoming.wait_heard(3.5)
    heard = read_audio(recording.path)
    assert 0.8 < tone_present(heard, 1000).seconds <= 1.1
    assert 0.6 < tone_present(heard, CITIZEN_HZ).seconds < 1.4
    assert longest_silence_seconds(heard, 2.0, 3.5) > 0.6


async def test_call_is_authenticated_when_it_is_placed_from_a_registered_line(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    operator, _ = phones
    call = await operator.call(lab.uri("113"), line=await sign_in(operator, lab))
    await call.wait_confirmed()
    await call.hang_up()
    assert (await call.wait_ended()).sip_code == 200


async def test_caller_sees_ringing_then_answer_when_operator_answers_by_hand(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    operator, citizen = phones
    await sign_in(operator, lab)
    call = await citizen.call(lab.uri("112"))
    incoming = await operator.wait_incoming()
    await incoming.ring()
    assert (await call.wait_progress()).sip_code in {180, 183}
    await incoming.answer()
    await asyncio.gather(call.wait_confirmed(), incoming.wait_confirmed())
    await incoming.hang_up()
    end = await call.wait_ended()
    assert (end.ended_by, end.cause) == (EndedBy.FAR_END, 16)


async def test_caller_gets_486_when_operator_is_busy(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    operator, citizen = phones
    await sign_in(operator, lab)
    await operator.auto_reject(486)
    call = await citizen.call(lab.uri("112"))
    with pytest.raises(CallFailed) as failed:
        await call.wait_confirmed()
    assert (failed.value.sip_code, failed.value.cause) == (486, 17)


async def test_operator_sees_the_end_when_caller_gives_up_while_it_rings(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    operator, citizen = phones
    await sign_in(operator, lab)
    call = await citizen.call(lab.uri("112"))
    incoming = await operator.wait_incoming()
    await call.hang_up()
    end, operator_end = await asyncio.gather(call.wait_ended(), incoming.wait_ended())
    assert (end.sip_code, end.ended_by) == (487, EndedBy.US)
    assert operator_end.ended_by is EndedBy.FAR_END


async def test_early_media_is_recorded_when_nobody_answers(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    _, citizen = phones
    call = await citizen.call(lab.uri("114"))
    recording = await call.wait_heard(0.7)
    end = await call.wait_ended()
    assert tone_present(recording.path, 850).seconds > 0.4
    assert CallState.CONFIRMED not in {each.state for each in call.progress}
    assert (end.sip_code, end.cause) == (403, 21)


async def test_far_end_is_named_when_the_server_hangs_up(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    call = await phones[1].call(lab.uri("115"))
    end = await call.wait_ended()
    assert (end.sip_code, end.ended_by, end.cause) == (200, EndedBy.FAR_END, 16)


async def test_calls_reach_their_line_when_one_phone_holds_two_operators(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    operator, citizen = phones
    anna, budi = await sign_in(operator, lab, "op-anna"), await sign_in(operator, lab, "op-budi")
    await operator.auto_answer(line=anna, tone_hz=OPERATOR_HZ)
    await operator.auto_reject(486, line=budi)
    to_anna, to_budi = await citizen.call(lab.uri("112")), await citizen.call(lab.uri("116"))
    await to_anna.wait_confirmed()
    assert (await to_budi.wait_ended()).sip_code == 486
    assert (await operator.wait_incoming(line=anna)).line == anna
    assert (await operator.wait_incoming(line=budi)).line == budi


async def test_unregistered_phone_answers_when_it_is_dialled_by_address(
    lab: PhoneLab, phones: tuple[Phone, Phone], tmp_path: Path
) -> None:
    _, citizen = phones
    async with Phone.start(bind=AMBULANCE_BIND, name="ambulance", recordings=tmp_path) as ambulance:
        await ambulance.auto_answer(tone_hz=OPERATOR_HZ)
        call = await citizen.call(lab.uri(f"119{ambulance.port}"))
        await call.wait_confirmed()
        assert tone_present((await call.wait_heard(1.2)).path, OPERATOR_HZ, 0.3).share > 0.9


async def test_no_call_arrives_when_the_line_has_signed_out(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    operator, citizen = phones
    line = await sign_in(operator, lab)
    assert operator.registered(line)
    await operator.unregister(line)
    assert not operator.registered(line)
    call = await citizen.call(lab.uri("112"))
    assert (await call.wait_ended()).sip_code >= 400
    assert await sign_in(operator, lab) == line


async def test_registration_is_refused_when_the_password_is_wrong(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    with pytest.raises(RegistrationRefused) as refused:
        await phones[0].register(lab.host, lab.port, "op-anna", "wrong")
    assert refused.value.sip_code in {401, 403}


async def test_far_end_gets_no_bye_when_the_phone_vanishes(lab: PhoneLab, phones: tuple[Phone, Phone]) -> None:
    operator, citizen = phones
    call, incoming = await talk(operator, citizen, lab)
    pid = operator.pid
    await operator.vanish()
    assert not psutil.pid_exists(pid)
    with pytest.raises(PhoneDied) as died:
        await incoming.wait_ended()
    assert died.value.status == -signal.SIGKILL
    with pytest.raises(NotInTime):
        await call.wait_ended(timeout_seconds=1)
    assert [report async for report in operator.events()] == operator.reports


async def test_headers_arrive_as_sent_when_a_trunk_caller_forges_them(phones: tuple[Phone, Phone]) -> None:
    operator, citizen = phones
    await citizen.call(
        f"sip:112@{operator.bind}:{operator.port}",
        from_uri='"op-anna <script>" <sip:op-anna@city>',
        headers={"P-Asserted-Identity": "<tel:+628123>", "X-Path": "../../etc/passwd"},
    )
    incoming = await operator.wait_incoming()
    assert (incoming.caller.display, incoming.caller.user) == ("op-anna <script>", "op-anna")
    assert incoming.header("p-asserted-identity") == "<tel:+628123>"
    assert incoming.header("x-path") == "../../etc/passwd"
    assert incoming.invite.request_uri == f"sip:112@{operator.bind}:{operator.port}"


async def test_orders_to_an_ended_call_do_no_harm_when_the_far_end_was_first(
    lab: PhoneLab, phones: tuple[Phone, Phone]
) -> None:
    call = await phones[1].call(lab.uri("115"))
    await call.wait_ended()
    await call.hang_up()
    with pytest.raises(CallFailed, match="30 s of audio"):
        await call.wait_heard(30)


async def test_all_operators_talk_at_once_when_a_bank_holds_their_lines(tmp_path: Path) -> None:
    operators = [f"op-n{number}" for number in range(1, 7)]
    async with (
        phone_lab(tmp_path / "lab", operators) as lab,
        phone_bank(lab.host, lab.port, {name: password_of(name) for name in operators}) as bank,
    ):
        await bank.auto_answer(after_seconds=0.1, tone_hz=OPERATOR_HZ)
        result = await run_sipp(
            Scenario.CALL,
            (lab.host, lab.port),
            tmp_path / "sipp",
            callers=[f"081255500{number}" for number in range(len(operators))],
            rate_per_second=20,
            bind=TRUNK_BIND,
            number="117",
            hold_seconds=1.5,
        )
        assert (result.successful, result.failed, result.errors) == (6, 0, "")
        assert len(bank.phones) == 2
        for operator in operators:
            call = await bank.phone_of[operator].wait_incoming(line=operator)
            assert (await call.wait_ended()).ended_by is EndedBy.FAR_END
        assert bank.faults == []


async def test_recordings_are_whole_when_calls_follow_each_other(phones: tuple[Phone, Phone]) -> None:
    operator, citizen = phones
    await operator.auto_answer(tone_hz=OPERATOR_HZ)
    for _ in range(5):
        call = await citizen.call(f"sip:112@{operator.bind}:{operator.port}", tone_hz=CITIZEN_HZ)
        recording = await call.wait_heard(0.5)
        await call.hang_up()
        await asyncio.gather(call.wait_ended(), (await operator.wait_incoming()).wait_ended())
        assert tone_present(recording.path, OPERATOR_HZ, 0.1, 0.5).share > 0.9
    paths = [report.path for report in citizen.reports if isinstance(report, RecordingStarted)]
    assert len(set(paths)) == 5


async def test_phone_lives_when_calls_come_faster_than_its_library_stands(
    phones: tuple[Phone, Phone],
) -> None:
    operator, citizen = phones
    await operator.auto_answer()
    target = f"sip:112@{operator.bind}:{operator.port}"
    for _ in range(60):
        try:
            call = await citizen.call(target)
        except PhoneRefused:
            break
        await call.wait_confirmed()
        await call.hang_up()
        await call.wait_ended()
    with pytest.raises(NotInTime):
        await citizen.wait_incoming(timeout_seconds=0.8)
    await (await citizen.call(target)).wait_confirmed()


async def test_order_is_refused_when_the_target_is_no_uri(phones: tuple[Phone, Phone]) -> None:
    with pytest.raises(PhoneRefused):
        await phones[1].call("no uri at all")


async def test_wait_says_what_did_not_happen_when_nobody_calls(phones: tuple[Phone, Phone]) -> None:
    with pytest.raises(NotInTime, match="an incoming call did not happen"):
        await phones[0].wait_incoming(timeout_seconds=0.1)


async def test_start_fails_with_the_phones_last_words_when_the_port_is_taken(
    phones: tuple[Phone, Phone],
) -> None:
    with pytest.raises(PhoneDied, match="Address already in use"):
        async with Phone.start(bind="127.0.0.1", port=phones[0].port, name="second"):
            pytest.fail("two phones on one port")


async def test_phone_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LONELY_PARENT, stdout=PIPE, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert parent.stdout is not None
    phone = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(phone.wait, 5)
    assert not phone.is_running()
