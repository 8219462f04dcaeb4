from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callflow.demo.phones import protocol as say
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.errors import CallFailed, NotInTime
from callflow.demo.phones.protocol import CallState, EndedBy
from callflow.demo.phones.waiting import Changes


class Holder:
    """The phone's side of a call: remembers orders, and lets reports in."""

    def __init__(self) -> None:
        self.orders: list[say.Order] = []
        self.changes = Changes("anna")

    async def give(self, order: say.Order) -> None:
        self.orders.append(order)


@pytest.fixture
def holder() -> Holder:
    return Holder()


@pytest.fixture
def call(holder: Holder) -> PhoneCall:
    return PhoneCall("anna", "out1", "local", holder.give, holder.changes)


def ended(code: int) -> say.CallEnded:
    return say.CallEnded(call="out1", sip_code=code, reason="Busy", cause=17, ended_by=EndedBy.FAR_END)


def progressed(state: CallState, code: int) -> say.CallProgressed:
    return say.CallProgressed(call="out1", state=state, sip_code=code)


async def test_waits_see_each_state_when_the_call_goes_well(call: PhoneCall, holder: Holder) -> None:
    ringing = asyncio.create_task(call.wait_progress())
    confirmed = asyncio.create_task(call.wait_confirmed())
    call.take(progressed(CallState.CALLING, 0))
    call.take(progressed(CallState.EARLY, 180))
    holder.changes.tell()
    assert (await ringing).sip_code == 180
    assert not confirmed.done()
    call.take(progressed(CallState.CONFIRMED, 200))
    holder.changes.tell()
    assert (await confirmed).state is CallState.CONFIRMED
    assert call.end is None
    call.take(ended(200))
    assert (await call.wait_ended()).cause == 17
    assert (await call.wait_confirmed()).sip_code == 200


async def test_wait_fails_with_the_code_when_the_call_ends_before(call: PhoneCall) -> None:
    call.take(ended(486))
    with pytest.raises(CallFailed) as failed:
        await call.wait_confirmed()
    assert (failed.value.sip_code, failed.value.cause, failed.value.awaited) == (486, 17, "an answer")


async def test_digits_are_joined_when_they_come_singly(call: PhoneCall) -> None:
    for digit in "12#":
        call.take(say.DigitHeard(call="out1", digit=digit))
    await call.wait_digits("2#")
    with pytest.raises(NotInTime, match="keys of the far end"):
        await call.wait_digits("9", timeout_seconds=0.01)


async def test_recording_is_given_when_it_holds_the_seconds_asked_for(call: PhoneCall, holder: Holder) -> None:
    call.take(say.RecordingStarted(call="out1", path="/x.wav", at=10.0, monotonic=5.0))
    recording = await call.wait_recording()
    assert (recording.path, recording.started_at.timestamp()) == (Path("/x.wav"), 10.0)
    with pytest.raises(NotInTime):
        await call.wait_heard(2, timeout_seconds=0.01)
    call.take(say.Heard(call="out1", seconds=2))
    assert await call.wait_heard(1.5) == recording
    assert holder.orders[-1] == say.TellWhenHeard(call="out1", seconds=1.5)


async def test_orders_name_the_call_when_its_holder_acts(call: PhoneCall, holder: Holder) -> None:
    await call.send_dtmf("1")
    await call.play_tone(440)
    await call.play_silence()
    await call.play_file(Path("/a.wav"), loop=True)
    await call.hang_up()
    assert holder.orders == [
        say.SendDigits(call="out1", digits="1"),
        say.PlayTone(call="out1", hz=440),
        say.PlayTone(call="out1", hz=None),
        say.PlayFile(call="out1", path="/a.wav", loop=True),
        say.HangUp(call="out1"),
    ]


async def test_caller_is_read_from_the_invite_when_a_call_comes_in(holder: Holder) -> None:
    arrived = say.CallArrived(
        call="in1",
        line="anna",
        request_uri="sip:anna@x",
        headers=(("From", '"Budi" <sip:0812@t>'), ("P-Asserted-Identity", "<tel:0813>")),
    )
    call = IncomingCall("anna", arrived, holder.give, holder.changes)
    assert (call.caller.display, call.caller.user, call.line) == ("Budi", "0812", "anna")
    assert call.header("p-asserted-identity") == "<tel:0813>"
    await call.ring()
    await call.answer()
    await call.reject(603)
    assert [order.code for order in holder.orders if isinstance(order, say.Answer)] == [180, 200, 603]
