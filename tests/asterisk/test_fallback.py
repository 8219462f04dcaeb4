"""The dialplan alone: no engine claims, and every caller still reaches a person, recorded from arrival."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from callflow.asterisk.witness import FallbackCall, fallback_calls
from callflow.demo.audio import longest_silence_seconds, tone_present
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.demo.phones.protocol import CallArrived, EndedBy

from .pbx import (
    CENTRE,
    HOST,
    LAST_RESORT_NUMBERS,
    MEDICAL_NUMBERS,
    OUTSIDE_BIND,
    TRUNK_BIND,
    Pbx,
    free_rtp_start,
    start_pbx,
)

CITIZEN = "sip:081234567890@carrier.example"
CITIZEN_HZ = 620
PERSON_HZ = 1020
GREETING_HZ = 1400


@pytest_asyncio.fixture
async def citizen() -> AsyncIterator[Phone]:
    async with Phone.start(name="citizen", bind=TRUNK_BIND) as phone:
        yield phone
        assert phone.faults == []


@pytest_asyncio.fixture
async def outside(pbx: Pbx) -> AsyncIterator[Phone]:
    """The other end of every outside number."""
    async with Phone.start(name="outside", bind=OUTSIDE_BIND, port=pbx.outside_port) as phone:
        yield phone


@pytest_asyncio.fixture
async def operator(pbx: Pbx) -> AsyncIterator[Phone]:
    async with Phone.start(name="ani") as phone:
        await sign_in(pbx, phone, "ani")
        yield phone


async def sign_in(pbx: Pbx, phone: Phone, login: str) -> str:
    return await phone.register(HOST, pbx.settings.sip_port, f"op-{login}", pbx.sip_password(login))


async def dial_112(pbx: Pbx, citizen: Phone, number: str = "112", from_uri: str = CITIZEN) -> PhoneCall:
    return await citizen.call(pbx.uri(number), from_uri=from_uri, tone_hz=CITIZEN_HZ)


def dialled(call: IncomingCall) -> str:
    """The number for which an outside phone was rung."""
    return call.invite.request_uri.removeprefix("sip:").split("@")[0]


def marks(pbx: Pbx) -> list[str]:
    return [row["userdeftype"] for row in pbx.cel() if row["userdeftype"]]


async def test_operator_talks_with_caller_when_nobody_claims(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    await operator.auto_answer(tone_hz=PERSON_HZ)
    call = await dial_112(pbx, citizen)
    taken = await operator.wait_incoming()
    assert taken.caller.user == "081234567890"
    heard, heard_by_operator = await asyncio.gather(call.wait_heard(6), taken.wait_heard(2))
    await taken.hang_up()
    end = await call.wait_ended()
    assert end.ended_by is EndedBy.FAR_END
    assert end.cause == 16
    assert tone_present(heard.path, PERSON_HZ).seconds > 1
    assert tone_present(heard_by_operator.path, CITIZEN_HZ).seconds > 1
    assert marks(pbx) == ["CALLFLOW_FALLBACK"]
    [call_id] = {name.removesuffix("-in").removesuffix("-out") for name in pbx.recordings()}
    assert re.fullmatch(r"banyuwangi-\d+\.\d+", call_id)
    assert {row["userfield"] for row in pbx.cel() if row["eventtype"] == "CHAN_END"} >= {call_id}
    tracks = pbx.recordings()
    assert tone_present(tracks[f"{call_id}-in"], CITIZEN_HZ).seconds > 2
    assert tone_present(tracks[f"{call_id}-out"], PERSON_HZ).seconds > 1


@pytest.fixture
def greeting(pbx: Pbx) -> float:
    """Lays a tone where the greeting is played from; returns its frequency."""
    samples = 0.3 * np.sin(2 * np.pi * GREETING_HZ * np.arange(3 * 8000) / 8000)
    for language in ("id", "en"):
        path = pbx.settings.prompts_dir / language / "fallback_greeting.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, samples, 8000, subtype="PCM_16")
    return GREETING_HZ


async def test_ambulance_is_dialled_when_caller_presses_1_during_greeting(
    pbx: Pbx, citizen: Phone, outside: Phone, operator: Phone, greeting: float
) -> None:
    await outside.auto_answer(tone_hz=PERSON_HZ)
    call = await dial_112(pbx, citizen)
    await call.wait_heard(1.0)
    await call.send_dtmf("1")
    taken = await outside.wait_incoming()
    assert (taken.caller.user, dialled(taken)) == ("081234567890", MEDICAL_NUMBERS[0])
    heard, heard_outside = await asyncio.gather(call.wait_heard(5), taken.wait_heard(2))
    assert tone_present(heard.path, greeting).seconds > 0.5
    assert tone_present(heard.path, PERSON_HZ).seconds > 1
    assert tone_present(heard_outside.path, CITIZEN_HZ).seconds > 1
    assert marks(pbx) == ["CALLFLOW_FALLBACK", "CALLFLOW_MEDICAL"]
    assert [report for report in operator.reports if isinstance(report, CallArrived)] == []


async def test_next_ambulance_is_dialled_when_first_is_busy(
    pbx: Pbx, citizen: Phone, outside: Phone, greeting: float
) -> None:
    await outside.auto_reject(486)
    call = await dial_112(pbx, citizen)
    await call.wait_heard(1.0)
    await call.send_dtmf("1")
    first = await outside.wait_incoming()
    second = await outside.wait_incoming()
    third = await outside.wait_incoming()
    assert [dialled(each) for each in (first, second, third)] == [*MEDICAL_NUMBERS, LAST_RESORT_NUMBERS[0]]
    assert call.end is None


async def test_caller_gets_an_operator_when_ambulance_hangs_up(
    pbx: Pbx, citizen: Phone, outside: Phone, operator: Phone, greeting: float
) -> None:
    await outside.auto_answer(tone_hz=PERSON_HZ)
    await operator.auto_answer(tone_hz=GREETING_HZ)
    call = await dial_112(pbx, citizen)
    await call.wait_heard(1.0)
    await call.send_dtmf("1")
    ambulance = await outside.wait_incoming()
    await ambulance.wait_confirmed()
    await ambulance.hang_up()
    taken = await operator.wait_incoming()
    await taken.wait_confirmed()
    assert call.end is None


async def test_last_resort_rings_at_once_when_no_phone_is_registered(pbx: Pbx, citizen: Phone, outside: Phone) -> None:
    await outside.auto_answer(tone_hz=PERSON_HZ)
    call = await dial_112(pbx, citizen)
    taken = await outside.wait_incoming(3.0)
    assert (taken.caller.user, dialled(taken)) == ("081234567890", LAST_RESORT_NUMBERS[0])
    heard = await call.wait_heard(2.5)
    assert tone_present(heard.path, PERSON_HZ).seconds > 1
    assert marks(pbx) == ["CALLFLOW_FALLBACK", "CALLFLOW_LAST_RESORT"]


async def test_caller_is_kept_with_music_when_nobody_at_all_answers(
    pbx: Pbx, citizen: Phone, outside: Phone, operator: Phone
) -> None:
    await outside.auto_reject(503)
    call = await dial_112(pbx, citizen)
    rings = [await operator.wait_incoming(15) for _ in range(2)]
    tried = [await outside.wait_incoming(15) for _ in LAST_RESORT_NUMBERS]
    rings.append(await operator.wait_incoming(15))
    await rings[-1].answer()
    await rings[-1].wait_confirmed()
    assert [dialled(each) for each in tried] == list(LAST_RESORT_NUMBERS)
    assert call.end is None
    heard = await call.wait_heard(12)
    assert longest_silence_seconds(heard.path) < 5


async def test_caller_hears_it_ring_when_the_waiting_music_is_gone(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    (pbx.settings.prompts_dir / "moh" / "callflow-waiting.wav").unlink()
    call = await dial_112(pbx, citizen)
    await operator.wait_incoming()
    heard = await call.wait_heard(8)
    assert longest_silence_seconds(heard.path) < 5


@pytest.mark.parametrize(
    "number", ["+62112", "112", "0112", "s", "h", "i", "t", "op-ani", "s%40fallback", "112%2C1%2CSystem", "x" * 180]
)
async def test_caller_is_served_when_number_is_anything(pbx: Pbx, citizen: Phone, operator: Phone, number: str) -> None:
    call = await dial_112(pbx, citizen, number)
    taken = await operator.wait_incoming()
    await taken.answer()
    await call.wait_confirmed()
    assert len(pbx.recordings()) == 3


@pytest.mark.parametrize(
    "from_uri",
    [
        "sip:op-ani@127.0.0.1",
        '"op-ani" <sip:op-ani@127.0.0.2>',
        '"${SHELL(id)}" <sip:%24%7BEPOCH%7D@127.0.0.2>',
        '"a,b)(c" <sip:..%2F..%2Fetc%2Fpasswd@127.0.0.2>',
        f'"{"y" * 900}" <sip:{"9" * 120}@127.0.0.2>',
        "sip:%FF%FE@127.0.0.2",
    ],
)
async def test_caller_is_a_citizen_when_from_is_forged(
    pbx: Pbx, citizen: Phone, operator: Phone, from_uri: str
) -> None:
    call = await dial_112(pbx, citizen, from_uri=from_uri)
    taken = await operator.wait_incoming()
    await taken.answer()
    await call.wait_confirmed()
    first = pbx.cel()[0]
    assert first["channame"].startswith("PJSIP/trunk-carrier-")
    assert first["context"] == "from-trunk"
    names = list(pbx.recordings())
    assert len(names) == 3
    assert all(re.fullmatch(r"banyuwangi-\d+\.\d+(-in|-out)?", name) for name in names)


async def test_call_keeps_id_and_recording_when_it_comes_back_to_the_dialplan(
    pbx: Pbx, citizen: Phone, operator: Phone
) -> None:
    call = await dial_112(pbx, citizen)
    await operator.wait_incoming()
    [channel] = [name for name in await pbx.channels() if name.startswith("PJSIP/trunk-carrier")]
    before = await variables(pbx, channel)
    await pbx.server.cli(f"channel redirect {channel} from-trunk,s,1")
    again = await operator.wait_incoming()
    await again.answer()
    await again.wait_confirmed()
    assert await variables(pbx, channel) == before
    assert len(pbx.recordings()) == 3
    assert call.end is None
    assert datetime.now(UTC) - datetime.fromisoformat(before["CALLFLOW_ARRIVED"]) < timedelta(seconds=60)


@pytest.mark.parametrize("caller", ["081234567890", "%FF%FE"])
async def test_witness_tells_the_call_when_the_fallback_served_it(
    pbx: Pbx, citizen: Phone, operator: Phone, caller: str
) -> None:
    call = await dial_112(pbx, citizen, from_uri=f"sip:{caller}@carrier.example")
    taken = await operator.wait_incoming()
    await taken.answer()
    await call.wait_confirmed()
    await taken.wait_heard(2.5)
    assert fallback_calls(pbx.rendered.cel_database, 0) == []
    await taken.hang_up()
    await call.wait_ended()
    [told] = await until(lambda: fallback_calls(pbx.rendered.cel_database, 0))
    assert (told.dialled, told.trunk, told.answered_by, told.cause) == ("112", "trunk-carrier", "op-ani", 16)
    assert told.call in pbx.recordings()
    assert told.answered_at is not None
    assert told.arrived_at < told.answered_at < told.ended_at
    assert fallback_calls(pbx.rendered.cel_database, told.place) == []


async def until(fact: Callable[[], list[FallbackCall]]) -> list[FallbackCall]:
    """The fact once there is one: CEL is written a moment after the BYE."""
    async with asyncio.timeout(5):
        while not (found := fact()):  # noqa: ASYNC110 a file of another program tells nobody of its change
            await asyncio.sleep(0.02)
    return found


async def variables(pbx: Pbx, channel: str) -> dict[str, str]:
    """The call's id and arrival as its channel has them."""
    shown = await pbx.server.cli(f"core show channel {channel}")
    return dict(re.findall(r"^(CALLFLOW_(?:ID|ARRIVED|ARRIVED_EPOCH))=(.*)$", shown, re.MULTILINE))


async def test_caller_gets_another_operator_when_phone_vanishes(pbx: Pbx, citizen: Phone) -> None:
    async with Phone.start(name="ani") as first, Phone.start(name="budi") as second:
        await sign_in(pbx, first, "ani")
        await first.auto_answer(tone_hz=PERSON_HZ)
        call = await dial_112(pbx, citizen)
        await (await first.wait_incoming()).wait_confirmed()
        await sign_in(pbx, second, "budi")
        await first.vanish()
        taken = await second.wait_incoming(40)
        await taken.answer()
        await taken.wait_confirmed()
        assert call.end is None


async def test_caller_reaches_who_answers_when_another_phone_rings_at_an_empty_desk(citizen: Phone) -> None:
    async with (
        start_pbx(centre_text=CENTRE.replace("last_resort_after_seconds = 8", "last_resort_after_seconds = 60")) as pbx,
        Phone.start(name="ani") as empty_desk,
        Phone.start(name="budi") as operator,
    ):
        await sign_in(pbx, operator, "budi")
        await operator.auto_answer(tone_hz=PERSON_HZ)
        for _ in range(3):  # who has answered must not come last for ever
            call = await dial_112(pbx, citizen)
            taken = await operator.wait_incoming(30)
            await taken.wait_confirmed()
            await call.hang_up()
            await taken.wait_ended()
            await sign_in(pbx, empty_desk, "ani")


async def test_caller_goes_on_to_people_when_a_phone_hangs_up_as_it_is_joined(
    pbx: Pbx, citizen: Phone, operator: Phone
) -> None:
    await operator.auto_answer(tone_hz=PERSON_HZ)
    call = await dial_112(pbx, citizen)
    first = await operator.wait_incoming()
    await first.wait_confirmed()
    await first.hang_up()
    second = await operator.wait_incoming(30)
    heard = await call.wait_heard(1)
    await second.wait_heard(3)
    await second.hang_up()
    assert (await call.wait_ended()).ended_by is EndedBy.FAR_END
    assert tone_present(heard.path, PERSON_HZ).seconds > 1


async def test_caller_beyond_the_most_is_refused_when_those_who_are_in_go_on(citizen: Phone) -> None:
    start = free_rtp_start()
    async with (
        start_pbx(rtp_start=start, rtp_end=start + 21) as pbx,  # media for four callers, and to bring them on
        Phone.start(name="fifth", bind=TRUNK_BIND) as fifth,
    ):
        calls = [await dial_112(pbx, citizen) for _ in range(4)]
        for call in calls:
            await call.wait_confirmed()
        assert (await (await dial_112(pbx, fifth)).wait_ended()).sip_code == 503
        for channel in await pbx.channels():
            await pbx.server.cli(f"channel redirect {channel} from-trunk,s,offer")
        async with asyncio.timeout(5):
            while len(marks(pbx)) < 8:  # noqa: ASYNC110 all are in the fallback again; a file tells nobody
                await asyncio.sleep(0.02)
        assert [call.end for call in calls] == [None] * 4
        await calls[0].hang_up()
        await calls[0].wait_ended()
        async with asyncio.timeout(5):
            while len(await pbx.channels()) > 3:  # noqa: ASYNC110 Asterisk tells nobody that its channel is gone
                await asyncio.sleep(0.02)
        await (await dial_112(pbx, fifth)).wait_confirmed()
