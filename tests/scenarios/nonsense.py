"""Events that are late, repeated, about nothing, or about something else: legal, and of no consequence for a caller."""

from __future__ import annotations

import random
from datetime import timedelta

from callflow.core.events import (
    Caller,
    CallerGone,
    CallerHistory,
    CallerHistoryKnown,
    CitizenAnswered,
    CitizenNotReached,
    CommandFailed,
    Event,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    SpeechHeard,
    TimerFired,
)
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId, PlaybackId, citizen_channel, talk_bridge
from callflow.core.reports import FallbackQueueReported, FallbackWitnessed, RecordingMeasured, TrunkReported
from callflow.core.requests import CodeCallGone, OperatorKeyPressed
from callflow.core.timers import Timer, TimerKind

from .world import World

_UNKNOWN = CallId("node1-unknown")
_NO_OFFER = OfferId("node1-unknown.o1")


def nonsense(rng: random.Random, world: World, call: CallId, offer: OfferId) -> Event:
    """One such event, now."""
    at = world.schedule.now
    timers = [running.timer for running in world.switchboard.state.timers.values()]
    timer = rng.choice([*timers, Timer(rng.choice(list(TimerKind)), call)])
    channel = ChannelId(rng.choice((str(offer), "chan-c1")))
    witnessed = FallbackWitnessed(
        at=at,
        call=call,
        caller=Caller(number=None, raw=""),
        dialled="112",
        trunk="trunk-city",
        arrived_at=at - timedelta(seconds=60),
        answered_at=None,
        answered_by=EndpointName("op-ani"),
        ended_at=at,
        hung_up_by=rng.choice((None, "trunk-city", "op-ani", "trunk-other")),
        cause=16,
    )
    return rng.choice(
        (
            KeyPressed(at=at, call=_UNKNOWN, key="1"),
            PlaybackEnded(at=at, call=call, playback=PlaybackId(f"{call}.p1"), failed=rng.random() < 0.2),
            OfferRang(at=at, call=call, offer=offer),
            LegJoined(at=at, call=call, channel=channel, bridge=talk_bridge(_UNKNOWN)),
            TimerFired(at=at, timer=timer),
            RecordingMeasured(at=at, call=call, tracks=()),
            CommandFailed(at=at, call=call, command="DestroyBridge", reason="late"),
            CommandFailed(at=at, call=call, command="JoinLegs", reason="late", offer=_NO_OFFER),
            CommandFailed(at=at, call=_UNKNOWN, command="CallCitizen", reason="late"),
            OfferAnswered(at=at, call=_UNKNOWN, offer=_NO_OFFER),
            LegGone(at=at, call=_UNKNOWN, offer=_NO_OFFER, cause=16),
            CallerGone(at=at, call=_UNKNOWN, cause=16),
            SpeechHeard(at=at, call=_UNKNOWN, offer=rng.choice((None, _NO_OFFER))),
            CallerHistoryKnown(at=at, call=call, history=rng.choice((None, CallerHistory(calls=3)))),
            CitizenNotReached(at=at, call=_UNKNOWN, cause=19),
            CitizenAnswered(at=at, call=_UNKNOWN, channel=citizen_channel(_UNKNOWN)),
            CodeCallGone(at=at, channel=channel),
            OperatorKeyPressed(at=at, call=_UNKNOWN, offer=_NO_OFFER, key=rng.choice("*3#")),
            TrunkReported(at=at, trunk="trunk-city", reachable=rng.random() < 0.5),
            FallbackQueueReported(at=at, waiting=rng.choice((0, 3))),
            witnessed,
        )
    )
