"""Feature codes from an idle phone: to an engine, answered and ended; to nobody else, and nothing else with them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callflow.core.commands import AnswerCode, Prompt
from callflow.core.events import CallArrived, CallerGone, EndpointReported, SnapshotTaken
from callflow.core.requests import CodeCallGone, CodeDialled
from callflow.demo.audio import tone_present
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.errors import CallFailed
from callflow.demo.phones.phone import Phone

from .edge_lab import CITIZEN, Edge, edge, faults, operator_phone, write_tone
from .pbx import TRUNK_BIND, Pbx, start_pbx

pytestmark = pytest.mark.asyncio(loop_scope="module")
DONE = Prompt(name="code_done", language="id")
DONE_HZ = 1500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Pbx]:
    async with start_pbx() as running:
        write_tone(running.settings.prompts_dir / "id" / f"{DONE.name}.wav", DONE_HZ, 1)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(pbx: Pbx) -> AsyncIterator[Phone]:
    async with operator_phone(pbx, "ani") as registered:
        yield registered


@pytest_asyncio.fixture(loop_scope="module")
async def ours(pbx: Pbx) -> AsyncIterator[Edge]:
    async with edge(pbx) as connected:
        await connected.prepare()
        yield connected


async def dial(pbx: Pbx, phone: Phone, code: str) -> PhoneCall:
    return await phone.call(pbx.operator_uri(code), line="op-ani")


@pytest.mark.parametrize(("dialled", "code"), [("*11", "*11"), ("*131", "*131"), ("*32110%23", "*32110#")])
async def test_code_is_told_answered_and_ended_when_an_operator_dials_it(
    pbx: Pbx, phone: Phone, ours: Edge, dialled: str, code: str
) -> None:
    call = await dial(pbx, phone, dialled)
    told = await ours.wait(CodeDialled)
    assert (told.endpoint, told.code) == ("op-ani", code)
    await ours.wait(EndpointReported, lambda event: event.channels == (told.channel,))
    await ours.do(AnswerCode(channel=told.channel, prompts=(DONE,)))
    heard = await call.wait_recording()
    end = await call.wait_ended()
    assert (end.sip_code, end.cause) == (200, 16)
    assert 0.9 < tone_present(heard.path, DONE_HZ).seconds < 1.2
    assert (await ours.wait(CodeCallGone)).channel == told.channel
    assert ours.of(EndpointReported)[-1].channels == ()


@pytest.mark.parametrize("prompts", [(), (Prompt(name="never_built", language="id"),)])
async def test_code_call_ends_when_there_is_nothing_to_play(
    pbx: Pbx, phone: Phone, ours: Edge, prompts: tuple[Prompt, ...]
) -> None:
    call = await dial(pbx, phone, "*14")
    told = await ours.wait(CodeDialled)
    await ours.do(AnswerCode(channel=told.channel, prompts=prompts))
    assert (await call.wait_ended(2)).sip_code == 200
    await ours.do(AnswerCode(channel=told.channel, prompts=prompts))  # gone: no fault


async def test_code_call_is_gone_when_the_operator_hangs_up_first(pbx: Pbx, phone: Phone, ours: Edge) -> None:
    call = await dial(pbx, phone, "*11")
    told = await ours.wait(CodeDialled)
    await call.hang_up()
    assert (await ours.wait(CodeCallGone)).channel == told.channel


@pytest.mark.parametrize("code", ["*11", "*32081234567890"])
async def test_code_ends_with_busy_within_two_seconds_when_no_engine_is_there(
    pbx: Pbx, phone: Phone, code: str
) -> None:
    began = time.monotonic()
    call = await dial(pbx, phone, code)
    with pytest.raises(CallFailed) as refused:
        await call.wait_confirmed()
    assert refused.value.sip_code == 486
    assert time.monotonic() - began < 2


async def test_second_code_is_refused_when_the_phone_has_one_under_way(pbx: Pbx, phone: Phone, ours: Edge) -> None:
    first = await dial(pbx, phone, "*11")
    told = await ours.wait(CodeDialled)
    second = await dial(pbx, phone, "*12")
    assert (await second.wait_ended()).sip_code == 486
    assert ours.of(CodeDialled) == [told]
    await ours.do(AnswerCode(channel=told.channel, prompts=()))
    assert (await first.wait_ended()).sip_code == 200


@pytest.mark.parametrize("number", ["*1", "*ab", "**", "11", "112", "s", "%2A%20%20", "081234567890"])
async def test_nothing_else_is_told_or_reached_when_an_operator_dials_it(
    pbx: Pbx, phone: Phone, ours: Edge, number: str
) -> None:
    call = await dial(pbx, phone, number)
    assert (await call.wait_ended()).sip_code in {404, 484, 486}
    assert ours.of(CodeDialled) == []


@pytest.mark.parametrize("number", ["*11", "*12"])
async def test_citizen_is_a_caller_when_the_number_dialled_is_a_code(pbx: Pbx, ours: Edge, number: str) -> None:
    async with Phone.start(name="citizen", bind=TRUNK_BIND) as citizen:
        call = await citizen.call(pbx.uri(number), from_uri=CITIZEN)
        arrived = await ours.wait(CallArrived)
        assert arrived.dialled == number
        assert ours.of(CodeDialled) == []
        await call.hang_up()
        await ours.wait(CallerGone)


async def test_code_call_is_ended_when_an_engine_finds_it_after_its_start(pbx: Pbx, phone: Phone) -> None:
    async with edge(pbx) as before:
        call = await dial(pbx, phone, "*11")
        await before.wait(CodeDialled)
    async with edge(pbx) as after:
        await call.wait_ended()
        assert (await after.wait(SnapshotTaken)).channels == ()
        assert after.of(CodeDialled) == []


async def test_log_has_no_fault_but_the_missing_prompt(pbx: Pbx) -> None:
    assert faults(pbx, "never_built") == []
