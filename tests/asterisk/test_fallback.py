"""The dialplan alone: no engine claims, and every caller still reaches a person, recorded from arrival."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest_asyncio

from callflow.demo.audio import tone_present
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.demo.phones.protocol import EndedBy

from .pbx import HOST, OUTSIDE_BIND, TRUNK_BIND, Pbx

CITIZEN = "sip:081234567890@carrier.example"
CITIZEN_HZ = 620
PERSON_HZ = 1020


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
    assert {row["userfield"] for row in pbx.cel() if row["eventtype"] == "ANSWER"} >= {call_id}
    tracks = pbx.recordings()
    assert tone_present(tracks[f"{call_id}-in"], CITIZEN_HZ).seconds > 2
    assert tone_present(tracks[f"{call_id}-out"], PERSON_HZ).seconds > 1
