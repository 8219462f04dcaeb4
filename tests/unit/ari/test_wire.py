from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.ari.protocol import models
from callflow.ari.protocol.event_types import EVENTS
from callflow.ari.protocol.event_types import Event as AriEvent
from callflow.ari.wire import Wire
from callflow.core.events import (
    CallArrived,
    Caller,
    CallerGone,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    EndpointReported,
    Event,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    SpeechHeard,
)
from callflow.core.ids import BridgeId, CallId, ChannelId, EndpointName, OfferId, PlaybackId
from callflow.core.requests import CodeCallGone, CodeDialled, OperatorKeyPressed

from .samples import CALL, EVENT_CLASSES, NOW, channel, event, full_sample, leg, sample

OURS = CallId(CALL)
OFFER = OfferId(f"{CALL}.o1")
PHONE = "PJSIP/op-ani-00000003"
CITIZEN = f"{CALL}.b1.citizen"
OUTBOUND = CallId(f"{CALL}.b1")
Hear = Callable[..., list[Event]]


@pytest.fixture
def wire() -> Wire:
    return Wire(lambda: NOW)


@pytest.fixture
def hear(wire: Wire) -> Hear:
    def translate(*events: AriEvent) -> list[Event]:
        return [ours for one in events for ours in wire.translate(one)]

    return translate


def bridge(name: str, channels: tuple[str, ...] = ()) -> dict[str, Any]:
    return sample(models.Bridge) | {"id": name, "bridge_type": "mixing", "channels": list(channels)}


def playback(name: str, state: str = "done", target: str = f"channel:{CALL}") -> dict[str, Any]:
    return sample(models.Playback) | {"id": name, "state": state, "target_uri": target}


def test_call_arrives_when_its_channel_enters_our_application(hear: Hear) -> None:
    assert hear(event("StasisStart", channel=channel())) == [
        CallArrived(
            at=NOW,
            call=OURS,
            channel=ChannelId(CALL),
            caller=Caller(number="+6281234567890", raw="081234567890"),
            dialled="112",
            trunk="trunk-carrier",
            arrived_at=datetime(2026, 1, 5, 0, 59, 59, 250_000, UTC),
        )
    ]


def test_arrival_tells_the_step_when_the_call_was_handed_back(hear: Hear) -> None:
    [arrived] = hear(event("StasisStart", channel=channel(variables={"CALLFLOW_ID": CALL, "CALLFLOW_STEP": "queue"})))
    assert isinstance(arrived, CallArrived)
    assert arrived.step == "queue"


@pytest.mark.parametrize("caller", ["op-ani", "../../etc/passwd", "$(reboot)", "0812" * 1024, "é\x00", ""])
def test_call_of_a_hostile_caller_id_arrives_as_a_citizens(hear: Hear, caller: str) -> None:
    [arrived] = hear(event("StasisStart", channel=channel(caller=caller)))
    assert isinstance(arrived, CallArrived)
    assert (arrived.call, arrived.channel, arrived.caller.number) == (OURS, CALL, None)
    assert len(arrived.caller.raw) <= 128


def test_nothing_arrives_when_the_channel_has_no_call_id(hear: Hear) -> None:
    stranger = channel("other-1", name="PJSIP/op-ani-00000003", variables={})
    assert hear(event("StasisStart", channel=stranger), event("StasisEnd", channel=stranger)) == []


def test_offer_rings_answers_and_goes(hear: Hear) -> None:
    assert hear(
        event("ChannelStateChange", channel=leg(state="Ringing")),
        event("ChannelStateChange", channel=leg(state="Up")),
        event("StasisStart", channel=leg()),
        event("StasisEnd", channel=leg()),
        event("ChannelDestroyed", channel=leg(), cause=16),
    ) == [
        OfferRang(at=NOW, call=OURS, offer=OFFER),
        OfferAnswered(at=NOW, call=OURS, offer=OFFER),
        LegGone(at=NOW, call=OURS, offer=OFFER, cause=16),
    ]


@pytest.mark.parametrize("cause", [17, 21, 19, 0])
def test_leg_is_gone_with_its_cause_when_it_was_never_answered(hear: Hear, cause: int) -> None:
    assert hear(event("ChannelDestroyed", channel=leg(state="Ringing"), cause=cause)) == [
        LegGone(at=NOW, call=OURS, offer=OFFER, cause=cause)
    ]


def test_nothing_rings_when_the_ringing_channel_is_no_leg(hear: Hear) -> None:
    assert hear(event("ChannelStateChange", channel=channel(state="Ringing"))) == []


def test_key_is_the_callers_or_the_operators_and_of_nobody_else(hear: Hear) -> None:
    ambulance = channel(f"{CALL}.o2", name="PJSIP/trunk-carrier-00000004")
    assert hear(
        event("ChannelDtmfReceived", channel=channel(), digit="2"),
        event("ChannelDtmfReceived", channel=leg(), digit="*"),
        event("ChannelDtmfReceived", channel=ambulance, digit="9"),
        event("ChannelDtmfReceived", channel=channel("other-1", name=PHONE, variables={}), digit="9"),
    ) == [
        KeyPressed(at=NOW, call=OURS, key="2"),
        OperatorKeyPressed(at=NOW, call=OURS, offer=OFFER, key="*"),
    ]


def test_same_event_is_told_once_when_asterisk_sends_it_twice(hear: Hear) -> None:
    ringing = event("ChannelStateChange", channel=leg(state="Ringing"))
    pressed = event("ChannelDtmfReceived", channel=leg(), digit="1")
    assert len(hear(ringing, ringing)) == 1
    between = event("ChannelEnteredBridge", channel=channel(), bridge=bridge(f"{CALL}.talk"))
    assert [type(one) for one in hear(pressed, between, pressed)] == [OperatorKeyPressed, LegJoined]


def test_key_pressed_twice_is_told_twice_when_the_moments_differ(hear: Hear) -> None:
    first = event("ChannelDtmfReceived", channel=channel(), digit="2")
    second = event("ChannelDtmfReceived", channel=channel(), digit="2", timestamp="2026-01-05T08:00:01.000+0700")
    assert len(hear(first, second)) == 2


@pytest.mark.parametrize(("state", "failed", "prompt"), [("done", False, ""), ("failed", True, "id/greeting")])
def test_playback_ends_well_or_failed_and_names_the_prompt(hear: Hear, state: str, failed: bool, prompt: str) -> None:
    ended = playback(f"{CALL}.p3", state) | {"media_uri": "sound:/srv/callflow/prompts/id/greeting"}
    assert hear(event("PlaybackFinished", playback=ended)) == [
        PlaybackEnded(at=NOW, call=OURS, playback=PlaybackId(f"{CALL}.p3"), failed=failed, prompt=prompt)
    ]


def test_playback_did_not_fail_when_its_caller_is_hanging_up(hear: Hear) -> None:
    [ended] = hear(
        event("ChannelHangupRequest", channel=channel()),
        event("PlaybackFinished", playback=playback(f"{CALL}.p3", "failed")),
    )
    assert isinstance(ended, PlaybackEnded)
    assert not ended.failed


def test_playback_of_somebody_else_is_nothing(hear: Hear) -> None:
    assert hear(event("PlaybackFinished", playback=playback("a-uuid"))) == []


def test_legs_are_joined_when_they_enter_a_bridge(hear: Hear) -> None:
    talk = bridge(f"{CALL}.talk")
    assert hear(
        event("ChannelEnteredBridge", channel=channel(), bridge=talk),
        event("ChannelEnteredBridge", channel=leg(), bridge=talk),
        event("ChannelEnteredBridge", channel=channel("x", variables={}), bridge=talk),
        event("ChannelEnteredBridge", bridge=talk),
    ) == [
        LegJoined(at=NOW, call=OURS, channel=ChannelId(CALL), bridge=BridgeId(f"{CALL}.talk")),
        LegJoined(at=NOW, call=OURS, channel=ChannelId(f"{CALL}.o1"), bridge=BridgeId(f"{CALL}.talk")),
    ]


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        ({}, 16),  # a BYE
        ({"cause": 0}, 16),
        ({"cause": 127, "tech_cause": 487}, 16),  # a CANCEL
        ({"cause": 32, "soft": True}, 16),  # ours: a flag, no cause
        ({"cause": 44}, 44),
    ],
)
def test_caller_is_gone_with_a_cause_of_q850(hear: Hear, request_: dict[str, Any], cause: int) -> None:
    assert hear(
        event("ChannelHangupRequest", channel=channel(), **request_), event("StasisEnd", channel=channel())
    ) == [CallerGone(at=NOW, call=OURS, cause=cause)]


def test_caller_returned_when_the_channel_left_without_a_hang_up(hear: Hear) -> None:
    assert hear(event("StasisEnd", channel=channel())) == [CallerReturned(at=NOW, call=OURS)]


def test_hang_up_is_forgotten_when_it_was_told(hear: Hear) -> None:
    [gone, returned] = hear(
        event("ChannelHangupRequest", channel=channel()),
        event("StasisEnd", channel=channel()),
        event("StasisEnd", channel=channel(), timestamp="2026-01-05T08:00:09.000+0700"),
    )
    assert isinstance(gone, CallerGone)
    assert isinstance(returned, CallerReturned)


@pytest.mark.parametrize("kind", ["EndpointStateChange", "PeerStatusChange"])
@pytest.mark.parametrize(("state", "online"), [("online", True), ("offline", False), ("unknown", False), (None, False)])
def test_phone_is_reported_with_every_channel_on_it(hear: Hear, kind: str, state: str | None, online: bool) -> None:
    phone = {"technology": "PJSIP", "resource": "op-ani", "state": state, "channel_ids": ["a", "b"]}
    assert hear(event(kind, endpoint=phone)) == [
        EndpointReported(
            at=NOW, endpoint=EndpointName("op-ani"), online=online, channels=(ChannelId("a"), ChannelId("b"))
        )
    ]


def test_endpoint_of_another_technology_is_nothing(hear: Hear) -> None:
    assert (
        hear(event("EndpointStateChange", endpoint={"technology": "Local", "resource": "x", "channel_ids": []})) == []
    )


def later(seconds: float) -> str:
    return (datetime(2026, 1, 5, 1, 0, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()


def code_channel(code: str = "*11") -> dict[str, Any]:
    return channel("city-99.3", name=PHONE, state="Ring", caller="op-ani", variables={"CALLFLOW_CODE": code})


def citizen(*, state: str = "Up", **variables: str) -> dict[str, Any]:
    return channel(CITIZEN, name="PJSIP/trunk-carrier-00000009", state=state, caller="0812", variables=variables)


def test_code_is_told_from_its_beginning_to_its_end(hear: Hear) -> None:
    assert hear(
        event("StasisStart", channel=code_channel()),
        event("StasisEnd", channel=code_channel()),
        event("ChannelDestroyed", channel=code_channel(), cause=16),
    ) == [
        CodeDialled(at=NOW, endpoint=EndpointName("op-ani"), channel=ChannelId("city-99.3"), code="*11"),
        CodeCallGone(at=NOW, channel=ChannelId("city-99.3")),
    ]


def test_leg_is_no_code_when_a_variable_says_so(hear: Hear) -> None:
    odd = channel(f"{CALL}.o1", name=PHONE, variables={"CALLFLOW_CODE": "*11"})
    assert [type(one) for one in hear(event("StasisStart", channel=odd))] == [OfferAnswered]


def test_citizen_answers_becomes_a_call_and_is_gone_once(hear: Hear) -> None:
    begun = {"CALLFLOW_ID": OUTBOUND, "CALLFLOW_ARRIVED": "2026-01-05T00:59:59.250Z"}
    told = hear(
        event("StasisStart", channel=citizen()),
        event("StasisEnd", channel=citizen()),
        event("StasisStart", channel=citizen(**begun), timestamp=later(1)),
        event("ChannelHangupRequest", channel=citizen(**begun)),
        event("StasisEnd", channel=citizen(**begun), timestamp=later(2)),
        event("ChannelDestroyed", channel=citizen(**begun), cause=0),
    )
    assert [type(one) for one in told] == [CitizenAnswered, CallArrived, CallerGone]
    assert told[0] == CitizenAnswered(at=NOW, call=OUTBOUND, channel=ChannelId(CITIZEN))
    assert told[2] == CallerGone(at=NOW, call=OUTBOUND, cause=16)
    assert isinstance(told[1], CallArrived)
    assert (told[1].call, told[1].channel) == (OUTBOUND, CITIZEN)


@pytest.mark.parametrize("cause", [1, 17, 19, 34])
def test_citizen_is_not_reached_when_the_channel_ends_unanswered(hear: Hear, cause: int) -> None:
    assert hear(event("ChannelDestroyed", channel=citizen(state="Ringing"), cause=cause)) == [
        CitizenNotReached(at=NOW, call=OUTBOUND, cause=cause)
    ]


def test_citizen_is_not_reached_when_the_answer_is_followed_by_a_hang_up(hear: Hear) -> None:
    """Asterisk knows no cause of such an end: a BYE's is 16."""
    told = hear(
        event("StasisStart", channel=citizen()),
        event("ChannelHangupRequest", channel=citizen()),
        event("StasisEnd", channel=citizen()),
        event("ChannelDestroyed", channel=citizen(), cause=0),
    )
    assert told[1:] == [CitizenNotReached(at=NOW, call=OUTBOUND, cause=16)]


def test_citizen_is_gone_when_the_end_came_in_the_dialplan(hear: Hear) -> None:
    assert hear(event("ChannelDestroyed", channel=citizen(CALLFLOW_ID=OUTBOUND), cause=16)) == [
        CallerGone(at=NOW, call=OUTBOUND, cause=16)
    ]


def test_speech_is_told_once_for_the_caller_and_for_each_leg(hear: Hear) -> None:
    assert hear(
        event("StasisStart", channel=leg()),
        event("ChannelTalkingStarted", channel=channel(), timestamp=later(1)),
        event("ChannelTalkingStarted", channel=leg(), timestamp=later(2)),
        event("ChannelTalkingFinished", channel=channel(), timestamp=later(9), duration=6000),
        event("ChannelTalkingStarted", channel=channel(), timestamp=later(10)),
        event("ChannelTalkingStarted", channel=channel("other", variables={}), timestamp=later(11)),
    )[1:] == [SpeechHeard(at=NOW, call=OURS), SpeechHeard(at=NOW, call=OURS, offer=OFFER)]


def test_speech_is_told_again_when_the_channel_is_answered_anew(hear: Hear) -> None:
    told = hear(
        event("ChannelTalkingStarted", channel=channel(), timestamp=later(1)),
        event("StasisEnd", channel=channel(), timestamp=later(2)),
        event("StasisStart", channel=channel(), timestamp=later(3)),
        event("ChannelTalkingStarted", channel=channel(), timestamp=later(4)),
    )
    assert [type(one) for one in told] == [SpeechHeard, CallerReturned, CallArrived, SpeechHeard]


def test_sound_before_the_answer_is_no_speech(wire: Wire, hear: Hear) -> None:
    ringing, up = leg(state="Down"), leg()
    hear(event("ChannelTalkingStarted", channel=ringing, timestamp=later(1)))
    assert wire.speech.sounds_early(ringing["id"])
    hear(event("StasisStart", channel=up, timestamp=later(4)))
    assert hear(event("ChannelTalkingFinished", channel=up, timestamp=later(6), duration=2500)) == []
    assert not wire.speech.sounds_early(ringing["id"])
    [heard] = hear(event("ChannelTalkingStarted", channel=up, timestamp=later(7)))
    assert isinstance(heard, SpeechHeard)


def test_speech_is_told_when_done_if_it_began_before_the_answer(hear: Hear) -> None:
    hear(event("ChannelTalkingStarted", channel=leg(state="Down"), timestamp=later(1)))
    hear(event("StasisStart", channel=leg(), timestamp=later(4)))
    [heard] = hear(event("ChannelTalkingFinished", channel=leg(), timestamp=later(9), duration=5500))
    assert isinstance(heard, SpeechHeard)


def test_nothing_is_kept_of_channels_that_are_gone(wire: Wire, hear: Hear) -> None:
    hear(
        event("ChannelTalkingStarted", channel=leg(state="Down"), timestamp=later(1)),
        event("StasisStart", channel=leg(), timestamp=later(2)),
        event("ChannelTalkingStarted", channel=leg(), timestamp=later(3)),
        event("ChannelDestroyed", channel=leg(), timestamp=later(4), cause=16),
    )
    assert all(not kept for kept in vars(wire.speech).values())


@given(st.lists(st.sampled_from(sorted(EVENTS.keys() - {"RESTResponse"})), max_size=12))
def test_translating_never_raises_whatever_comes_in_what_order(kinds: list[str]) -> None:
    wire = Wire(lambda: NOW)
    for kind in kinds:
        assert len(list(wire.translate(EVENTS[kind](full_sample(EVENT_CLASSES[kind]))))) <= 1
