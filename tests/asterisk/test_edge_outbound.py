"""Calling a citizen back: the operator first, then the citizen, who becomes a recorded call or is not reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callflow.ari.errors import ServerFault
from callflow.asterisk.witness import fallback_calls
from callflow.core.city import Destination
from callflow.core.commands import BeginOutbound, CallCitizen, EndCall, JoinLegs, OfferCall
from callflow.core.events import (
    CallArrived,
    CallerGone,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    LegJoined,
    OfferAnswered,
    SpeechHeard,
)
from callflow.core.ids import (
    CallId,
    ChannelId,
    EndpointName,
    TrunkRoute,
    callback_call,
    citizen_channel,
    offer_id,
    talk_bridge,
)
from callflow.demo.audio import read_audio
from callflow.demo.phones.call import IncomingCall
from callflow.demo.phones.phone import Phone

from .edge_lab import Edge, edge, faults, hears, operator_phone, tones
from .pbx import OUTSIDE_BIND, Pbx, start_pbx

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITIZEN_HZ, OPERATOR_HZ = 1300, 1750
NUMBER = "081234567890"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Pbx]:
    async with start_pbx() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def citizen(pbx: Pbx) -> AsyncIterator[Phone]:
    async with Phone.start(name="citizen", bind=OUTSIDE_BIND, port=pbx.outside_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(pbx: Pbx) -> AsyncIterator[Phone]:
    async with operator_phone(pbx, "ani", OPERATOR_HZ) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def ours(pbx: Pbx) -> AsyncIterator[Edge]:
    async with edge(pbx) as connected:
        await connected.prepare()
        yield connected


def call_citizen(name: str, ring_seconds: float = 10) -> CallCitizen:
    call = callback_call(CallId(f"banyuwangi-{name}"), 1)
    return CallCitizen(
        call=call,
        channel=citizen_channel(call),
        destination=Destination(name="citizen", number=NUMBER, trunk=TrunkRoute("trunk-carrier")),
        ring_seconds=ring_seconds,
    )


async def reach(ours: Edge, citizen: Phone, command: CallCitizen) -> IncomingCall:
    """The citizen's phone has answered."""
    await citizen.auto_answer(tone_hz=CITIZEN_HZ)
    await ours.do(command)
    incoming = await citizen.wait_incoming()
    await incoming.wait_confirmed()
    answered = await ours.wait(CitizenAnswered)
    assert (answered.call, answered.channel) == (command.call, command.channel)
    return incoming


async def test_citizen_becomes_a_recorded_call_with_the_operator_who_waits(
    pbx: Pbx, ours: Edge, citizen: Phone, operator: Phone
) -> None:
    command = call_citizen("1.1")
    offer = offer_id(command.call, 1)
    await ours.do(
        OfferCall(
            call=command.call,
            offer=offer,
            caller_channel=command.channel,
            endpoint=EndpointName("op-ani"),
            ring_seconds=10,
            caller_number=f"+62{NUMBER[1:]}",
        )
    )
    await ours.wait(OfferAnswered)
    at_operator = await operator.wait_incoming()
    at_citizen = await reach(ours, citizen, command)
    assert at_citizen.caller.user == "112"
    assert at_citizen.invite.request_uri.startswith(f"sip:{NUMBER}@")
    await ours.do(BeginOutbound(call=command.call, channel=command.channel))
    arrived = await ours.wait(CallArrived)
    assert (arrived.call, arrived.channel, arrived.step) == (command.call, command.channel, None)
    assert (arrived.caller.number, arrived.trunk) == (f"+62{NUMBER[1:]}", "trunk-carrier")
    bridge = talk_bridge(command.call)
    await ours.do(JoinLegs(call=command.call, bridge=bridge, caller_channel=command.channel, offer=offer))
    for channel in (command.channel, offer):
        await ours.wait(LegJoined, lambda event, channel=channel: event.channel == channel)
    heard = await asyncio.gather(hears(at_citizen), hears(at_operator))
    assert [tones(each, (CITIZEN_HZ, OPERATOR_HZ)) for each in heard] == [{OPERATOR_HZ}, {CITIZEN_HZ}]
    assert (await ours.wait(SpeechHeard)).offer is None
    await at_citizen.hang_up()
    gone = await ours.wait(CallerGone)
    assert (gone.call, gone.cause) == (command.call, 16)
    await at_operator.hang_up()
    assert ours.of(CallerGone) == [gone]
    assert ours.of(CallerReturned) == []
    assert ours.of(CitizenNotReached) == []
    recorded = pbx.recordings()
    both = read_audio(recorded[command.call])
    assert tones(both, (CITIZEN_HZ, OPERATOR_HZ)) == {CITIZEN_HZ, OPERATOR_HZ}
    assert tones(read_audio(recorded[f"{command.call}-in"]), (CITIZEN_HZ, OPERATOR_HZ)) == {CITIZEN_HZ}


@pytest.mark.parametrize(("code", "cause"), [(486, 17), (603, 21), (404, 1), (503, 34)])
async def test_citizen_is_not_reached_when_the_line_says_no(ours: Edge, citizen: Phone, code: int, cause: int) -> None:
    await citizen.auto_reject(code)
    command = call_citizen(f"2.{code}")
    await ours.do(command)
    missed = await ours.wait(CitizenNotReached)
    assert (missed.call, missed.cause) == (command.call, cause)
    assert ours.of(CitizenAnswered) == []
    await citizen.wait_incoming()


async def test_citizen_is_not_reached_when_nobody_answers_in_time(ours: Edge, citizen: Phone) -> None:
    await citizen.answer_by_hand()
    await ours.do(call_citizen("3.1", ring_seconds=1))
    await (await citizen.wait_incoming()).ring()
    assert (await ours.wait(CitizenNotReached)).cause == 19


async def test_citizen_is_not_reached_when_we_take_the_call_back(ours: Edge, citizen: Phone) -> None:
    await citizen.answer_by_hand()
    command = call_citizen("4.1")
    await ours.do(command)
    incoming = await citizen.wait_incoming()
    await incoming.ring()
    await ours.do(EndCall(call=command.call, channel=command.channel))
    assert (await ours.wait(CitizenNotReached)).cause == 16
    await incoming.wait_ended()


async def test_citizen_is_gone_when_the_answer_is_followed_by_a_hang_up(ours: Edge, citizen: Phone) -> None:
    command = call_citizen("5.1")
    incoming = await reach(ours, citizen, command)
    await incoming.hang_up()
    assert (await ours.wait(CitizenNotReached)).cause == 16
    await ours.do(BeginOutbound(call=command.call, channel=command.channel))


async def test_request_fails_when_the_trunk_is_unknown(ours: Edge) -> None:
    wrong = call_citizen("6.1")
    destination = Destination(name="x", number=NUMBER, trunk=TrunkRoute("trunk-none"))
    with pytest.raises(ServerFault):
        await ours.do(
            CallCitizen(call=wrong.call, channel=ChannelId(wrong.channel), destination=destination, ring_seconds=5)
        )


async def test_answer_is_told_again_when_the_engine_starts_anew(pbx: Pbx, citizen: Phone) -> None:
    command = call_citizen("7.1")
    async with edge(pbx) as before:
        incoming = await reach(before, citizen, command)
    async with edge(pbx) as after:
        again = await after.wait(CitizenAnswered)
        assert (again.call, again.channel) == (command.call, command.channel)
        await after.do(BeginOutbound(call=command.call, channel=command.channel))
        assert (await after.wait(CallArrived)).call == command.call
        await incoming.hang_up()
        await after.wait(CallerGone)


async def test_person_takes_the_citizen_when_no_engine_does(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    command = call_citizen("8.1")
    async with edge(pbx) as ours:
        incoming = await reach(ours, citizen, command)
        ours.listener.on_event = lambda event: None  # type: ignore[method-assign]  # frozen
        await ours.do(BeginOutbound(call=command.call, channel=command.channel))
        taken = await operator.wait_incoming()
        await taken.wait_confirmed()
        heard = await hears(incoming)
        assert tones(heard, (OPERATOR_HZ,)) == {OPERATOR_HZ}
        await taken.hang_up()
        await incoming.wait_ended()
    marks = [row["userdeftype"] for row in pbx.cel() if row["eventtype"] == "USER_DEFINED"]
    assert "CALLFLOW_OUTBOUND" in marks
    assert fallback_calls(pbx.rendered.cel_database, 0) == []
    assert command.call in pbx.recordings()


async def test_log_has_no_fault_but_the_unknown_trunk(pbx: Pbx) -> None:
    assert faults(pbx, "trunk-none") == []
