"""Parties beside an operator, on real phones: who hears whom, what is recorded, whose keys and speech we learn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from callflow.ari.protocol.event_types import ChannelTalkingStarted
from callflow.ari.resync import take_stock
from callflow.core.city import Destination
from callflow.core.commands import (
    AddCaller,
    AddLeg,
    DestroyBridge,
    DialDestination,
    HoldCaller,
    JoinLegs,
    Prompt,
    RecordBridge,
    ReleaseLeg,
    Whisper,
)
from callflow.core.events import CallArrived, CallerGone, KeyPressed, LegJoined, OfferAnswered, SpeechHeard, Whereabouts
from callflow.core.ids import OfferId, TrunkRoute, consult_bridge, offer_id, playback_id, talk_bridge
from callflow.core.requests import OperatorKeyPressed
from callflow.demo.audio import energy_spans, read_audio
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.phone import Phone

from .edge_lab import CITIZEN, WAITING, Edge, edge, faults, hears, operator_phone, tones, write_tone
from .pbx import MEDICAL_NUMBERS, OUTSIDE_BIND, TRUNK_BIND, Pbx, start_pbx

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITIZEN_HZ, OPERATOR_HZ, PARTY_HZ, PROMPT_HZ = 1300, 1750, 2150, 2600
ALL = (CITIZEN_HZ, OPERATOR_HZ, PARTY_HZ, PROMPT_HZ)
DTMF_HZ = (697, 770, 852, 941, 1209, 1336, 1477)
DISPLAY = "PRANK? 4 of 5 calls in 30 days"
WHISPER = Prompt(name="party_not_reached", language="id")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Pbx]:
    async with start_pbx() as running:
        write_tone(running.settings.prompts_dir / "id" / f"{WHISPER.name}.wav", PROMPT_HZ, 3)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(pbx: Pbx) -> AsyncIterator[tuple[Phone, Phone, Phone]]:
    """A citizen, an operator, and an ambulance service."""
    async with (
        Phone.start(name="citizen", bind=TRUNK_BIND) as citizen,
        operator_phone(pbx, "ani", OPERATOR_HZ) as operator,
        Phone.start(name="outside", bind=OUTSIDE_BIND, port=pbx.outside_port) as outside,
    ):
        yield citizen, operator, outside


class Talk:
    """A citizen with an operator, and an ambulance service that has answered."""

    def __init__(self, ours: Edge, arrived: CallArrived, citizen: PhoneCall) -> None:
        self.ours = ours
        self.arrived = arrived
        self.call = arrived.call
        self.citizen = citizen
        self.party_offer = offer_id(arrived.call, 2)
        self.operator: tuple[OfferId, IncomingCall]
        self.party: tuple[OfferId, IncomingCall]

    async def join(self, operator: Phone) -> None:
        self.operator = await self.ours.answered_operator(self.arrived, operator, display=DISPLAY)
        offer = self.operator[0]
        await self.ours.do(
            JoinLegs(call=self.call, bridge=talk_bridge(self.call), caller_channel=self.arrived.channel, offer=offer)
        )
        for channel in (self.arrived.channel, offer):
            await self.joined(channel, "talk")

    async def dial(self, outside: Phone, tone_hz: float | None = PARTY_HZ) -> None:
        await outside.auto_answer(tone_hz=tone_hz)
        await self.ring_party()
        incoming = await outside.wait_incoming()
        await incoming.wait_confirmed()
        await self.ours.wait(OfferAnswered, lambda event: event.offer == self.party_offer)
        self.party = self.party_offer, incoming

    async def add_party(self) -> None:
        bridge = talk_bridge(self.call)
        await self.ours.do(AddLeg(call=self.call, bridge=bridge, offer=self.party[0], absorb_keys=False))
        await self.joined(self.party[0], "talk")

    async def ring_party(self) -> None:
        await self.ours.do(
            DialDestination(
                call=self.call,
                offer=self.party_offer,
                caller_channel=self.arrived.channel,
                destination=Destination(name="118", number=MEDICAL_NUMBERS[0], trunk=TrunkRoute("trunk-carrier")),
                ring_seconds=10,
                caller_number=self.arrived.caller.number,
            )
        )

    async def announce(self, outside: Phone) -> IncomingCall:
        """The outside number rings, and its carrier plays something meanwhile."""
        await outside.answer_by_hand()
        await self.ring_party()
        incoming = await outside.wait_incoming()
        await incoming.open_early()
        await incoming.play_tone(PARTY_HZ)
        await self.ours.told(ChannelTalkingStarted, self.party_offer)
        return incoming

    async def joined(self, channel: str, bridge: str) -> LegJoined:
        return await self.ours.wait(
            LegJoined, lambda event: event.channel == channel and event.bridge == f"{self.call}.{bridge}"
        )

    async def consult(self) -> None:
        bridge = consult_bridge(self.call)
        await self.ours.do(
            HoldCaller(call=self.call, channel=self.arrived.channel, bridge=WAITING),
            RecordBridge(call=self.call, bridge=bridge, name=f"{self.call}-consult-1"),
            AddLeg(call=self.call, bridge=bridge, offer=self.operator[0], absorb_keys=True),
            AddLeg(call=self.call, bridge=bridge, offer=self.party[0], absorb_keys=False),
        )
        await self.joined(self.operator[0], "consult")
        await self.joined(self.party[0], "consult")

    async def end(self) -> None:
        for part in ("talk", "consult"):
            bridge = talk_bridge(self.call) if part == "talk" else consult_bridge(self.call)
            await self.ours.do(DestroyBridge(call=self.call, bridge=bridge))
        for number in (1, 2):
            await self.ours.do(ReleaseLeg(call=self.call, offer=offer_id(self.call, number)))
        if self.citizen.end is None:
            await self.citizen.hang_up()


async def nobody_left(phones: Iterable[Phone]) -> None:
    """End every call of these phones, that of a talk which never came about too, and wait until each is over."""
    for phone in phones:
        for call in list(phone.calls.values()):
            if call.end is None:
                await call.hang_up()
            await call.wait_ended()


@pytest_asyncio.fixture(loop_scope="module")
async def talk(pbx: Pbx, phones: tuple[Phone, Phone, Phone]) -> AsyncIterator[Talk]:
    """Citizen and operator talk; the citizen's tone sounds."""
    citizen, operator, _ = phones
    for phone in phones:
        phone.drop_arrived()  # a call that an earlier test never took up is not ours
    async with edge(pbx) as ours, AsyncExitStack() as cleaning:
        await ours.prepare()
        call = await citizen.call(pbx.uri(), from_uri=CITIZEN, tone_hz=CITIZEN_HZ)
        cleaning.push_async_callback(nobody_left, phones)
        there = Talk(ours, await ours.answered_caller(call), call)
        cleaning.push_async_callback(there.end)
        await there.join(operator)
        yield there


async def test_three_hear_each_other_when_a_party_is_added_to_the_talk(
    talk: Talk, phones: tuple[Phone, Phone, Phone]
) -> None:
    await talk.dial(phones[2])
    await talk.add_party()
    heard = await asyncio.gather(*(hears(each) for each in (talk.citizen, talk.operator[1], talk.party[1])))
    assert [tones(each, ALL) for each in heard] == [
        {OPERATOR_HZ, PARTY_HZ},
        {CITIZEN_HZ, PARTY_HZ},
        {CITIZEN_HZ, OPERATOR_HZ},
    ]


async def test_consultation_is_apart_and_recorded_and_the_caller_has_music(
    pbx: Pbx, talk: Talk, phones: tuple[Phone, Phone, Phone]
) -> None:
    await talk.dial(phones[2])
    await talk.consult()
    at_operator, at_party, music = await asyncio.gather(
        *(hears(each) for each in (talk.operator[1], talk.party[1], talk.citizen))
    )
    assert tones(at_operator, ALL) == {PARTY_HZ}
    assert tones(at_party, ALL) == {OPERATOR_HZ}
    assert tones(music, ALL) == set()
    assert energy_spans(music)
    stock = await take_stock(talk.ours.connection, talk.ours.wire)
    assert {one.channel: one.where for one in stock.snapshot.channels} == {
        talk.arrived.channel: Whereabouts.WAITING,
        talk.operator[0]: Whereabouts.CONSULTING,
        talk.party[0]: Whereabouts.CONSULTING,
    }
    # repeated, as after a restart: nothing is doubled
    await talk.consult()
    bridge = talk_bridge(talk.call)
    await talk.ours.do(
        AddCaller(call=talk.call, bridge=bridge, channel=talk.arrived.channel),
        AddLeg(call=talk.call, bridge=bridge, offer=talk.operator[0], absorb_keys=True),
        AddLeg(call=talk.call, bridge=bridge, offer=talk.party[0], absorb_keys=False),
        DestroyBridge(call=talk.call, bridge=consult_bridge(talk.call)),
    )
    assert tones(await hears(talk.citizen), ALL) == {OPERATOR_HZ, PARTY_HZ}
    recording = read_audio(pbx.recordings()[f"{talk.call}-consult-1"])
    assert recording.seconds > 1.2
    assert tones(recording, ALL) == {OPERATOR_HZ, PARTY_HZ}


async def test_whisper_is_mixed_in_for_the_operator_alone_and_ends_by_itself(pbx: Pbx, talk: Talk) -> None:
    offer, operator = talk.operator
    await talk.ours.do(Whisper(call=talk.call, offer=offer, playback=playback_id(talk.call, 7), prompts=(WHISPER,)))
    at_operator, at_citizen = await asyncio.gather(hears(operator, 1.0), hears(talk.citizen, 1.0))
    assert tones(at_operator, ALL) == {CITIZEN_HZ, PROMPT_HZ}
    assert tones(at_citizen, ALL) == {OPERATOR_HZ}
    bridge = consult_bridge(talk.call)
    async with asyncio.timeout(1):  # a move does not wait for what is whispered
        await talk.ours.do(AddLeg(call=talk.call, bridge=bridge, offer=offer, absorb_keys=True))
        await talk.joined(offer, "consult")
    async with asyncio.timeout(5):
        while any("Snoop" in name for name in await pbx.channels()):
            pass


async def test_whisper_is_no_fault_when_the_leg_is_gone(talk: Talk) -> None:
    gone = offer_id(talk.call, 9)
    await talk.ours.do(Whisper(call=talk.call, offer=gone, playback=playback_id(talk.call, 8), prompts=(WHISPER,)))


@pytest.mark.parametrize("by_info", [False, True])
async def test_operators_keys_are_ours_alone_when_pressed_in_a_talk(pbx: Pbx, talk: Talk, by_info: bool) -> None:
    offer, operator = talk.operator
    await operator.play_silence()
    await hears(talk.citizen, 0.2)  # the tone on its way is over
    began = time.monotonic()
    await operator.send_dtmf("*3*#", by_info=by_info)
    await talk.ours.wait(OperatorKeyPressed, lambda event: event.key == "#")
    assert [(event.offer, event.key) for event in talk.ours.of(OperatorKeyPressed)] == [(offer, key) for key in "*3*#"]
    assert talk.ours.of(KeyPressed) == []
    await hears(talk.citizen, 0.2)
    assert talk.citizen.recording is not None
    heard = read_audio(talk.citizen.recording.path)
    assert energy_spans(heard.between(began - talk.citizen.recording.started_monotonic, None)) == ()
    assert talk.citizen.digits == ""
    await talk.citizen.hang_up()
    await talk.ours.wait(CallerGone)
    out = read_audio(pbx.recordings()[f"{talk.call}-out"])
    assert tones(out, DTMF_HZ) == set()


async def test_keys_of_caller_and_ambulance_are_no_codes(talk: Talk, phones: tuple[Phone, Phone, Phone]) -> None:
    await talk.dial(phones[2])
    await talk.add_party()
    await talk.party[1].send_dtmf("*36")
    await talk.citizen.send_dtmf("5")
    await talk.ours.wait(KeyPressed)
    assert [event.key for event in talk.ours.of(KeyPressed)] == ["5"]
    assert talk.ours.of(OperatorKeyPressed) == []


async def test_speech_is_told_once_of_who_speaks_and_never_of_who_is_silent(
    talk: Talk, phones: tuple[Phone, Phone, Phone]
) -> None:
    caller = await talk.ours.wait(SpeechHeard)
    assert (caller.call, caller.offer) == (talk.call, None)
    await talk.dial(phones[2], tone_hz=None)
    await talk.add_party()
    await talk.citizen.play_silence()
    assert talk.party[1].recording is not None
    await talk.party[1].wait_heard(time.monotonic() - talk.party[1].recording.started_monotonic + 10)
    assert talk.ours.of(SpeechHeard) == [caller]
    await talk.party[1].play_tone(PARTY_HZ)
    await talk.citizen.play_tone(CITIZEN_HZ)
    party = await talk.ours.wait(SpeechHeard, lambda event: event.offer is not None)
    assert (party.call, party.offer) == (talk.call, talk.party[0])
    await hears(talk.citizen)
    assert talk.ours.of(SpeechHeard) == [caller, party]


@pytest.mark.parametrize("until_the_answer", [False, True])
async def test_sound_before_the_answer_is_no_speech(
    talk: Talk, phones: tuple[Phone, Phone, Phone], until_the_answer: bool
) -> None:
    incoming = await talk.announce(phones[2])
    if not until_the_answer:
        await incoming.play_silence()
    await incoming.answer()
    await incoming.play_silence()
    await talk.ours.wait(OfferAnswered, lambda event: event.offer == talk.party_offer)
    await hears(talk.citizen, 1.2)
    assert [event for event in talk.ours.of(SpeechHeard) if event.offer is not None] == []
    await incoming.play_tone(PARTY_HZ)
    await talk.ours.wait(SpeechHeard, lambda event: event.offer == talk.party_offer)


async def test_speech_is_told_when_a_ring_tone_runs_on_into_it(talk: Talk, phones: tuple[Phone, Phone, Phone]) -> None:
    incoming = await talk.announce(phones[2])
    await incoming.answer()
    await talk.ours.wait(SpeechHeard, lambda event: event.offer == talk.party_offer)


async def test_display_name_and_number_are_on_the_operators_phone(talk: Talk) -> None:
    invite = talk.operator[1]
    assert (invite.caller.display, invite.caller.user) == (DISPLAY, "+6281234567890")


async def test_citizens_number_goes_with_the_leg_outside(talk: Talk, phones: tuple[Phone, Phone, Phone]) -> None:
    await talk.dial(phones[2])
    assert talk.party[1].caller.user == "+6281234567890"
    assert talk.party[1].invite.request_uri.startswith(f"sip:{MEDICAL_NUMBERS[0]}@")


async def test_log_has_no_fault_but_the_repeated_recording(pbx: Pbx) -> None:
    assert faults(pbx, "-consult-1' already exists") == []
