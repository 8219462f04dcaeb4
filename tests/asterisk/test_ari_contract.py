"""Pins what callflow relies on of ARI's semantics, on the real Asterisk, through our own connection and executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from callflow.ari.errors import BadRequest, Conflict, Fenced, NotFound, OutcomeUnknown, ServerFault, Unauthorized
from callflow.ari.executor import AriExecutor
from callflow.ari.generate import PROTOCOL, generate
from callflow.ari.protocol import applications, bridges, channels, endpoints, playbacks
from callflow.ari.protocol import asterisk as asterisk_verbs
from callflow.ari.protocol.event_types import (
    CallBroadcast,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelHangupRequest,
    ChannelLeftBridge,
    ChannelStateChange,
    PlaybackFinished,
    StasisEnd,
    StasisStart,
)
from callflow.ari.resync import take_stock
from callflow.ari.unwanted import UNWANTED_EVENTS
from callflow.ari.wire import Wire
from callflow.asterisk.locate import locate
from callflow.core.commands import DialplanLabel, HandBack, JoinLegs, OfferCall, ReadTrunkHeaders
from callflow.core.events import CallerGone, TrunkHeadersRead, Whereabouts
from callflow.core.ids import BridgeId, CallId, ChannelId, EndpointName, OfferId, offer_id, talk_bridge
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.phone import Phone

from .ari_lab import Engine, connection_to, engine, http_only
from .pbx import HOST, TRUNK_BIND, Pbx, start_pbx

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITIZEN = "sip:081234567890@carrier.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Pbx]:
    async with start_pbx() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def citizen() -> AsyncIterator[Phone]:
    async with Phone.start(name="citizen", bind=TRUNK_BIND) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(pbx: Pbx) -> AsyncIterator[Phone]:
    async with Phone.start(name="ani") as phone:
        await phone.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        yield phone


@asynccontextmanager
async def calling(pbx: Pbx, citizen: Phone, **options: object) -> AsyncIterator[PhoneCall]:
    """A citizen on the line, who hangs up at the end if nobody did before."""
    call = await citizen.call(pbx.uri(), from_uri=CITIZEN, **options)  # type: ignore[arg-type]
    try:
        yield call
    finally:
        if call.end is None:
            await call.hang_up()
            await call.wait_ended()


@asynccontextmanager
async def claimed(pbx: Pbx, citizen: Phone, ours: Engine) -> AsyncIterator[str]:
    """A citizen whose answered call is ours; gives the channel."""
    async with calling(pbx, citizen) as call:
        channel = await ours.arrival()
        await ours.connection.request_http(channels.answer(channel_id=channel))
        await call.wait_confirmed()
        yield channel


def cut_off(ours: Engine) -> None:
    """End its websocket as a kill does, without a word."""
    socket = ours.connection._socket
    assert socket is not None
    socket._response.connection.transport.abort()  # type: ignore[union-attr]


def executor_of(pbx: Pbx, ours: Engine) -> AriExecutor:
    return AriExecutor(ours.connection, Wire(lambda: datetime.now(UTC)), pbx.settings.prompts_dir)


def offer(call: str, channel: str, endpoint: str, number: int = 1, ring_seconds: float = 5) -> OfferCall:
    return OfferCall(
        call=CallId(call),
        offer=offer_id(CallId(call), number),
        caller_channel=ChannelId(channel),
        endpoint=EndpointName(endpoint),
        ring_seconds=ring_seconds,
        caller_number="+6281234567890",
    )


async def watch(ours: Engine, endpoint: str) -> None:
    """Hear of a phone's channels from their first moment, as PrepareCentre does."""
    await ours.connection.request(
        applications.subscribe(
            application_name=ours.connection.application, event_source=[f"endpoint:PJSIP/{endpoint}"]
        )
    )


def gone_with(ours: Engine, channel: str | None = None) -> list[int]:
    """The causes with which the wire tells the core of callers who are gone: of this channel, or of all."""
    wire = Wire(lambda: datetime.now(UTC))
    about = [event for event in ours.events if channel in (None, getattr(getattr(event, "channel", None), "id", None))]
    told = [each for event in about for each in wire.translate(event)]
    return [each.cause for each in told if isinstance(each, CallerGone)]


async def never_told_of_its_end(pbx: Pbx, ours: Engine, channel: str) -> None:
    """The channel is gone from Asterisk, what it still had to tell is told, and its end was not in that."""
    gone = False
    while not gone:
        try:
            await ours.connection.request(channels.get(channel_id=channel))
        except NotFound:
            gone = True
    assert "ChannelDestroyed" not in ours.about(channel)


async def call_of(ours: Engine, channel: str) -> str:
    got = await ours.connection.request(channels.get_channel_var(channel_id=channel, variable="CALLFLOW_ID"))
    return got.value


async def test_protocol_is_what_the_installed_asterisk_describes() -> None:
    fresh = generate(locate().rest_api_dir)
    assert fresh == {path.name: path.read_text(encoding="utf-8") for path in PROTOCOL.glob("*.py")}
    assert fresh == generate(locate().rest_api_dir)


async def test_engine_is_told_events_when_it_connects_while_asterisk_closes_the_websocket_that_was_cut_off(
    pbx: Pbx,
) -> None:
    ended = []
    for _ in range(60):
        ours = Engine(connection_to(pbx, "callflow-a"), claims=False)
        ours.running = asyncio.create_task(ours.connection.run(ours))
        await ours.until(lambda ours=ours: ours.stocks == 1)  # type: ignore[misc]
        await ours.connection._pulse.beat()
        assert ours.connection.connects == 1
        cut_off(ours)
        ours.running.cancel()
        ended.append(ours.running)
    await asyncio.gather(*ended, return_exceptions=True)


async def test_first_claim_wins_when_two_engines_claim(pbx: Pbx, citizen: Phone) -> None:
    async with (
        engine(pbx, "callflow-a", claims=False) as first,
        engine(pbx, "callflow-b", claims=False) as second,
        calling(pbx, citizen),
    ):
        offered = await first.wait(CallBroadcast)
        assert (await second.wait(CallBroadcast)).channel.id == offered.channel.id
        await first.claim(offered.channel.id)
        await second.claim(offered.channel.id)
        assert first.refused == []
        assert [type(error) for error in second.refused] == [Conflict]
        assert await first.arrival() == offered.channel.id
        assert "StasisStart" not in second.about(offered.channel.id)


async def test_dialplan_goes_on_after_half_a_second_when_nobody_claims(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx, claims=False) as silent, calling(pbx, citizen) as call:
        offered = await silent.wait(CallBroadcast)
        answered = await call.wait_confirmed()  # by the fallback
        assert 0.4 < answered.at - offered.timestamp.timestamp() < 1.5
        async with http_only(pbx) as http:
            status = channels.get_channel_var(channel_id=offered.channel.id, variable="STASISSTATUS")
            assert (await http.send(status, 5)).value == "TIMEOUT"
        await silent.claim(offered.channel.id)
        assert [type(error) for error in silent.refused] in ([Conflict], [NotFound])


async def test_recording_is_on_before_the_engine_first_hears_of_a_call(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, calling(pbx, citizen) as call:
        offered = (await ours.wait(CallBroadcast)).channel
        assert offered.channelvars is not None
        name = str(offered.channelvars["CALLFLOW_ID"])
        recorders = await pbx.server.cli(f"mixmonitor list {offered.name}")
        for track in (name, f"{name}-in", f"{name}-out"):
            assert f"{pbx.settings.recordings_dir}/{track}" in recorders
        await ours.connection.request_http(channels.answer(channel_id=await ours.arrival()))
        await call.wait_heard(0.2)
        assert {name, f"{name}-in", f"{name}-out"} <= pbx.recordings().keys()


async def test_hang_up_of_the_caller_is_a_request_and_then_the_end(pbx: Pbx, citizen: Phone) -> None:
    """A BYE's request bears no cause: the wire takes it for 16. ChannelDestroyed never comes."""
    async with engine(pbx) as ours, calling(pbx, citizen) as call:
        channel = await ours.arrival()
        await ours.connection.request_http(channels.answer(channel_id=channel))
        await call.wait_confirmed()
        await call.hang_up()
        await ours.wait(StasisEnd)
        await never_told_of_its_end(pbx, ours, channel)
        kinds = ours.about(channel)
        assert kinds.index("ChannelHangupRequest") < kinds.index("StasisEnd")
        assert gone_with(ours, channel) == [16]  # a caller of the test before may end only now


async def test_cause_is_normal_when_the_caller_cancels_before_the_answer(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, calling(pbx, citizen) as call:
        await ours.arrival()
        await call.hang_up()
        await ours.wait(StasisEnd)
        request = await ours.wait(ChannelHangupRequest)
        assert (request.cause, request.tech_cause) == (127, 487)
        assert gone_with(ours) == [16]


async def test_cause_is_normal_when_we_hang_up(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        await ours.connection.request(channels.hangup(channel_id=channel))
        await ours.wait(StasisEnd)
        request = await ours.wait(ChannelHangupRequest)
        assert (request.cause, request.soft) == (32, True)  # a flag of Asterisk's, no cause
        assert gone_with(ours) == [16]


@pytest.mark.parametrize("bridge_type", ["holding", "mixing"])
async def test_hang_up_is_told_alike_when_the_caller_is_in_a_bridge(pbx: Pbx, citizen: Phone, bridge_type: str) -> None:
    async with engine(pbx) as ours, calling(pbx, citizen) as call:
        channel = await ours.arrival()
        await ours.connection.request_http(channels.answer(channel_id=channel))
        await call.wait_confirmed()
        made = await ours.connection.request(bridges.create(type=bridge_type))
        await ours.connection.request_http(bridges.add_channel(bridge_id=made.id, channel=(channel,)))
        await ours.wait(ChannelEnteredBridge)
        await call.hang_up()
        await ours.wait(StasisEnd)
        kinds = ours.about(channel)
        assert kinds.index("ChannelHangupRequest") < kinds.index("StasisEnd")
        assert gone_with(ours) == [16]
        await ours.connection.request(bridges.destroy(bridge_id=made.id))


async def test_call_leaves_without_a_hang_up_and_is_offered_again_when_handed_back(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        call = await call_of(ours, channel)
        ours.claims = False
        back = HandBack(call=CallId(call), channel=ChannelId(channel), label=DialplanLabel.OFFER, step="queue")
        assert await executor_of(pbx, ours).execute(back) == ()
        await ours.wait(StasisEnd)
        assert "ChannelHangupRequest" not in ours.about(channel)
        await ours.until(lambda: ours.about(channel).count("CallBroadcast") == 2)
        again = [event for event in ours.events if isinstance(event, CallBroadcast)][-1]
        assert again.channel.channelvars is not None
        assert again.channel.channelvars["CALLFLOW_ID"] == call
        assert again.channel.channelvars["CALLFLOW_STEP"] == "queue"
        await ours.claim(channel)
        await ours.until(lambda: ours.about(channel).count("StasisStart") == 2)


async def test_caller_stays_when_the_websocket_drops_and_is_heard_again_after_a_reconnect(
    pbx: Pbx, citizen: Phone
) -> None:
    async with AsyncExitStack() as stack, http_only(pbx) as http:
        async with engine(pbx) as before:
            call = await stack.enter_async_context(calling(pbx, citizen))
            channel = await before.arrival()
        await http.send(channels.answer(channel_id=channel), 5)
        await call.wait_confirmed()
        application = await http.send(applications.get(application_name="callflow-a"), 5)
        assert application.channel_ids == (channel,)
        async with engine(pbx) as after:
            snapshot = (await take_stock(after.connection, Wire(lambda: datetime.now(UTC)))).snapshot
            [seen] = [one for one in snapshot.channels if one.channel == channel]
            assert (seen.where, seen.offer, seen.caller.number) == (Whereabouts.ALONE, None, "+6281234567890")
            assert seen.dialled == "112"
            assert after.about(channel) == []  # what came in between is not told again
            await call.send_dtmf("5")
            assert (await after.wait(ChannelDtmfReceived)).digit == "5"
            await call.hang_up()
            await after.wait(StasisEnd)


async def test_watchdog_can_hand_back_when_the_websocket_is_down(pbx: Pbx, citizen: Phone) -> None:
    async with AsyncExitStack() as stack, http_only(pbx) as http:
        async with engine(pbx) as before:
            call = await stack.enter_async_context(calling(pbx, citizen))
            channel = await before.arrival()
        go_on = channels.continue_in_dialplan(channel_id=channel, context="from-trunk", extension="s", label="fallback")
        await http.send(go_on, 5)
        await call.wait_confirmed()  # by the fallback
        with pytest.raises(Conflict):
            await http.send(go_on, 5)


async def test_first_engine_is_fenced_for_good_when_another_takes_its_name(pbx: Pbx) -> None:
    async with engine(pbx) as first, engine(pbx) as second:
        with pytest.raises(Fenced):
            await first.running
        assert first.disconnects == 1
        assert first.connection.connects == 1
        with pytest.raises(Fenced):
            await first.connection.request(bridges.list_all())
        with pytest.raises(Fenced):
            await first.connection.request_http(bridges.list_all())
        await second.connection.request(bridges.list_all())
        assert not second.running.done()


async def test_answers_are_swallowed_when_only_some_events_are_allowed(pbx: Pbx) -> None:
    async with engine(pbx) as ours, http_only(pbx) as http:
        assert await ours.connection.request(asterisk_verbs.ping()) is not None  # ours: a list of unwanted events
        narrow = applications.filter(application_name="callflow-a", filter={"allowed": [{"type": "StasisStart"}]})
        await http.send(narrow, 5)
        with pytest.raises(OutcomeUnknown):
            await ours.connection.request(asterisk_verbs.ping(), timeout_seconds=0.5)
        ours_again = {"allowed": [], "disallowed": [{"type": name} for name in UNWANTED_EVENTS]}
        await http.send(applications.filter(application_name="callflow-a", filter=ours_again), 5)
        assert await ours.connection.request(asterisk_verbs.ping()) is not None


async def test_unwanted_events_do_not_arrive(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        await ours.connection.request(channels.set_channel_var(channel_id=channel, variable="SEEN", value="no"))
        await ours.connection.request(channels.play_with_id(channel_id=channel, playback_id="p", media=("tone:ring",)))
        await ours.connection.request(playbacks.stop(playback_id="p"))
        await ours.wait(PlaybackFinished)
        assert not {event.type for event in ours.events} & set(UNWANTED_EVENTS)
        assert ours.connection.skipped == 0


async def test_repeat_is_a_conflict_when_the_id_exists(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    """An originate that is refused so leaves a SIP session behind: Asterisk then has to be killed at its end (10 s)."""
    await operator.answer_by_hand()
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        ask = ours.connection.request
        bridge = bridges.create_with_id(bridge_id="twice", type="mixing", name="twice")
        await ask(bridge)
        with pytest.raises(Conflict):
            await ask(bridges.create_with_id(bridge_id="twice", type="holding", name="twice"))
        await ask(bridges.destroy(bridge_id="twice"))
        call = await call_of(ours, channel)
        leg = channels.originate_with_id(channel_id=f"{call}.o1", endpoint="PJSIP/op-ani", app="callflow-a", timeout=5)
        await ask(leg)
        with pytest.raises(Conflict):
            await ask(leg)
        assert await executor_of(pbx, ours).execute(offer(call, channel, "op-ani")) == ()
        await ask(channels.hangup(channel_id=f"{call}.o1"))
        await (await operator.wait_incoming()).wait_ended()


async def test_playback_of_the_same_id_is_taken_again_so_that_none_may_be_repeated(pbx: Pbx, citizen: Phone) -> None:
    """Unlike a channel or a bridge: a second one waits behind the first, and each is to be stopped."""
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        play = channels.play_with_id(channel_id=channel, playback_id="twice", media=("tone:ring",))
        await ours.connection.request(play)
        await ours.connection.request(play)
        for finished in (1, 2):
            await ours.connection.request(playbacks.stop(playback_id="twice"))
            await ours.until(
                lambda finished=finished: sum(isinstance(e, PlaybackFinished) for e in ours.events) == finished  # type: ignore[misc]
            )


async def test_ids_are_the_same_over_websocket_and_http_when_quoted(pbx: Pbx) -> None:
    async with engine(pbx) as ours:
        odd = "a b;1/%41"
        await ours.connection.request(bridges.create_with_id(bridge_id=odd, type="mixing", name="odd"))
        assert (await ours.connection.request_http(bridges.get(bridge_id=odd))).id == odd
        await ours.connection.request(bridges.destroy(bridge_id=odd))


async def test_refusals_are_told_apart(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        bridge = await ours.connection.request(bridges.create(type="mixing"))
        with pytest.raises(BadRequest, match="not found"):
            await ours.connection.request_http(bridges.add_channel(bridge_id=bridge.id, channel=("nobody",)))
        with pytest.raises(NotFound):
            await ours.connection.request_http(bridges.add_channel(bridge_id="nowhere", channel=(channel,)))
        await ours.connection.request(bridges.destroy(bridge_id=bridge.id))
        for gone in (
            channels.hangup(channel_id="nobody"),
            playbacks.stop(playback_id="nothing"),
            bridges.destroy(bridge_id="nowhere"),
        ):
            with pytest.raises(NotFound):
                await ours.connection.request(gone)
        with pytest.raises(NotFound):
            await ours.connection.request(
                channels.play_with_id(channel_id="nobody", playback_id="x", media=("tone:ring",))
            )


async def test_kept_headers_are_read_and_missing_ones_left_out(pbx: Pbx, citizen: Phone) -> None:
    headers = {
        "Diversion": "<sip:0333421000@carrier.example>;reason=unconditional",
        "Geolocation": "<https://x.example>",
    }
    async with engine(pbx) as ours, calling(pbx, citizen, headers=headers):
        channel = await ours.arrival()
        read = ReadTrunkHeaders(call=CallId("c"), channel=ChannelId(channel))
        [told] = await executor_of(pbx, ours).execute(read)
        assert isinstance(told, TrunkHeadersRead)
        assert dict(told.headers) == headers


async def test_leg_starts_when_its_phone_answers(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    await operator.auto_answer()
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        call = await call_of(ours, channel)
        await executor_of(pbx, ours).execute(offer(call, channel, "op-ani"))
        started = await ours.wait(StasisStart, lambda event: event.channel.id == f"{call}.o1")
        assert started.channel.state == "Up"
        await ours.connection.request(channels.hangup(channel_id=started.channel.id))
        assert (await ours.wait(ChannelDestroyed)).channel.id == started.channel.id
        await (await operator.wait_incoming()).wait_ended()


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (603, 21), (480, 19)])
async def test_leg_ends_with_its_cause_when_the_phone_refuses(
    pbx: Pbx, citizen: Phone, operator: Phone, status: int, cause: int
) -> None:
    await operator.auto_reject(status)
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        call = await call_of(ours, channel)
        await watch(ours, "op-ani")
        await executor_of(pbx, ours).execute(offer(call, channel, "op-ani"))
        gone = await ours.wait(ChannelDestroyed)
        assert (gone.channel.id, gone.cause) == (f"{call}.o1", cause)
        assert "StasisStart" not in ours.about(gone.channel.id)
        await operator.wait_incoming()


async def test_leg_rings_and_ends_when_nobody_answers_in_time(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    await operator.answer_by_hand()
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        call = await call_of(ours, channel)
        await watch(ours, "op-ani")
        await executor_of(pbx, ours).execute(offer(call, channel, "op-ani", ring_seconds=1))
        rung = await operator.wait_incoming()
        await rung.ring()
        await ours.wait(ChannelStateChange, lambda event: event.channel.state == "Ringing")
        gone = await ours.wait(ChannelDestroyed)
        assert (gone.channel.id, gone.cause) == (f"{call}.o1", 19)
        await rung.wait_ended()


async def test_offer_fails_at_once_when_the_phone_is_not_registered(pbx: Pbx, citizen: Phone) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        call = await call_of(ours, channel)
        await watch(ours, "op-budi")
        with pytest.raises(ServerFault):  # the lane makes a CommandFailed of it
            await executor_of(pbx, ours).execute(offer(call, channel, "op-budi"))
        with pytest.raises(NotFound):
            await ours.connection.request(channels.get(channel_id=f"{call}.o1"))


async def test_phone_with_its_channels_is_told_when_it_is_watched(pbx: Pbx, operator: Phone) -> None:
    async with engine(pbx) as ours:
        phone = await ours.connection.request(endpoints.get(tech="PJSIP", resource="op-ani"))
        assert (phone.state, phone.channel_ids) == ("online", ())
        away = await ours.connection.request(endpoints.get(tech="PJSIP", resource="op-budi"))
        assert away.state == "offline"
        with pytest.raises(NotFound):
            await ours.connection.request(endpoints.get(tech="PJSIP", resource="op-nobody"))


async def test_playback_in_the_holding_bridge_stops_when_deleted_and_the_caller_moves_straight_to_talk(
    pbx: Pbx, citizen: Phone
) -> None:
    async with engine(pbx) as ours, claimed(pbx, citizen, ours) as channel:
        ask = ours.connection.request
        for bridge, kind in (("hold", "holding"), ("talk", "mixing")):
            await ask(bridges.create_with_id(bridge_id=bridge, type=kind, name=bridge))
        await ours.connection.request_http(
            bridges.add_channel(bridge_id="hold", channel=(channel,), role="participant")
        )
        await ours.wait(ChannelEnteredBridge, lambda event: event.bridge.id == "hold")
        await ask(channels.play_with_id(channel_id=channel, playback_id="beside", media=("tone:ring",)))
        assert (await ask(playbacks.get(playback_id="beside"))).state in {"queued", "playing"}
        await ask(playbacks.stop(playback_id="beside"))
        assert (await ours.wait(PlaybackFinished)).playback.id == "beside"
        await ours.connection.request_http(bridges.add_channel(bridge_id="talk", channel=(channel,)))
        await ours.wait(ChannelEnteredBridge, lambda event: event.bridge.id == "talk")
        await ours.wait(ChannelLeftBridge, lambda event: event.bridge.id == "hold")
        assert (await ask(bridges.get(bridge_id="hold"))).channels == ()
        assert "StasisEnd" not in ours.about(channel)
        for bridge in ("hold", "talk"):
            await ask(bridges.destroy(bridge_id=bridge))


async def test_operators_keys_reach_us_and_never_the_caller(pbx: Pbx, citizen: Phone, operator: Phone) -> None:
    await operator.auto_answer()
    async with engine(pbx) as ours, calling(pbx, citizen) as caller:
        channel = await ours.arrival()
        await ours.connection.request_http(channels.answer(channel_id=channel))
        call = CallId(await call_of(ours, channel))
        executor = executor_of(pbx, ours)
        await executor.execute(offer(call, channel, "op-ani"))
        leg = f"{call}.o1"
        await ours.wait(StasisStart, lambda event: event.channel.id == leg)
        await executor.execute(
            JoinLegs(call=call, bridge=talk_bridge(call), caller_channel=ChannelId(channel), offer=OfferId(leg))
        )
        for each in (channel, leg):
            await ours.wait(ChannelEnteredBridge, lambda event, each=each: event.channel.id == each)  # type: ignore[misc]
        taken = await operator.wait_incoming()
        await taken.wait_confirmed()
        await taken.send_dtmf("7")
        told = await ours.wait(ChannelDtmfReceived)
        assert (told.channel.id, told.digit) == (leg, "7")
        await caller.send_dtmf("3")
        await taken.wait_digits("3")  # the caller's way is open, so ours would have been
        assert caller.digits == ""
        snapshot = (await take_stock(ours.connection, Wire(lambda: datetime.now(UTC)))).snapshot
        where = {one.channel: one.where for one in snapshot.channels}
        assert where == {channel: Whereabouts.TALKING, leg: Whereabouts.TALKING}
        await ours.connection.request(channels.hangup(channel_id=leg))
        await taken.wait_ended()
        await ours.connection.request(bridges.destroy(bridge_id=BridgeId(talk_bridge(call))))


async def test_wrong_password_is_told_and_never_shown(pbx: Pbx) -> None:
    wrong = connection_to(pbx, "callflow-a")
    wrong._rest = type(wrong._rest)(pbx.settings.ari_url, pbx.settings.ari_user, "wrong-word")
    with pytest.raises(Unauthorized) as caught:
        await wrong.request_http(bridges.list_all())
    assert "wrong-word" not in str(caught.value)
    await wrong._rest.close()


async def test_connection_comes_back_when_asterisk_drops_it(pbx: Pbx) -> None:
    async with engine(pbx) as ours:
        socket = ours.connection._socket
        assert socket is not None
        assert socket._response.connection is not None
        transport = socket._response.connection.transport
        assert transport is not None
        transport.abort()
        await ours.until(lambda: ours.disconnects == 1)
        await ours.until(lambda: ours.stocks == 2)
        assert ours.connection.connects == 2
        assert await ours.connection.request(asterisk_verbs.ping()) is not None
