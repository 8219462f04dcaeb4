"""Events that are valid and that nothing led to, in any order: answers of offers never made, keys of calls that ended.

There is no Asterisk here that would make sense of them. Whatever is told, no decision raises, no rule breaks, and a
switchboard that was read from the state decides the same.
"""

from __future__ import annotations

import copy
import dataclasses
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core import requests
from callflow.core.centre_facts import AlarmKind
from callflow.core.city import Classification
from callflow.core.codes import CODES
from callflow.core.events import (
    CallArrived,
    Caller,
    CallerGone,
    CallerHistory,
    CallerHistoryKnown,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    CommandFailed,
    DecisionFailed,
    EndpointReported,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    SeenChannel,
    SnapshotTaken,
    SpeechHeard,
    TimerFired,
    TrunkHeadersRead,
    Whereabouts,
)
from callflow.core.faults import FaultMended, FaultReported
from callflow.core.ids import (
    CallId,
    ChannelId,
    EndpointName,
    OperatorId,
    RequestId,
    callback_call,
    citizen_channel,
    consult_bridge,
    offer_channel,
    offer_id,
    playback_id,
    talk_bridge,
)
from callflow.core.reports import FallbackQueueReported, FallbackWitnessed, RecordingMissed, TrunkReported
from callflow.core.switchboard import Switchboard
from callflow.core.timers import Timer, TimerKind

from .centre import START
from .invariants import Invariants
from .world import World

EXAMPLES = 250
NAMES = ("ani", "budi")
CALLERS = tuple(CallId(f"node1-c{number}") for number in (1, 2))
CALLS = (*CALLERS, callback_call(CALLERS[0], 1), CallId("node1-unknown"))
OFFERS = tuple(offer_id(call, number) for call in CALLS for number in (1, 2, 3))
PLAYBACKS = tuple(playback_id(call, number) for call in CALLS for number in (1, 2))
CHANNELS = tuple(ChannelId(f"chan-{call}") for call in CALLERS)
ENDPOINTS = tuple(EndpointName(f"op-{name}") for name in (*NAMES, "nobody"))
COMMANDS = ("AddCaller", "AnswerCaller", "BeginOutbound", "CallCitizen", "DialDestination", "EndCall", "HandBack",
            "HoldCaller", "JoinLegs", "OfferCall", "Play", "ReleaseLeg", "Whisper", "AddLeg")  # fmt: skip

calls = st.sampled_from(CALLS)
offers = st.sampled_from(OFFERS)
keys = st.sampled_from("0123456789*#ABCD")
causes = st.sampled_from((0, 16, 17, 19, 21, 31, 41, 127))
operators = st.sampled_from([OperatorId(name) for name in (*NAMES, "nobody")])
asked = st.just(RequestId("r1"))
callers = st.sampled_from((Caller(number=None, raw=""), Caller(number="+628120001", raw="08120001")))
channels = st.sampled_from((*CHANNELS, *(offer_channel(offer) for offer in OFFERS), citizen_channel(CALLS[2])))
bridges = st.sampled_from([make(call) for call in CALLS for make in (talk_bridge, consult_bridge)])


def _at(kind: Any, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An event of this kind; its moment is set when it is told."""
    return st.builds(kind, at=st.just(START), **fields)


def _of_offer(kind: Any, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """As Asterisk's edge tells it: the leg's own call is in the offer's id."""
    return st.sampled_from([(call, offer_id(call, n)) for call in CALLS for n in (1, 2, 3)]).flatmap(
        lambda pair: _at(kind, call=st.just(pair[0]), offer=st.just(pair[1]), **fields)
    )


arrivals = st.sampled_from(tuple(zip(CALLERS, CHANNELS, strict=True))).flatmap(
    lambda who: _at(
        CallArrived,
        call=st.just(who[0]),
        channel=st.just(who[1]),
        caller=callers,
        dialled=st.just("112"),
        trunk=st.just("trunk-city"),
        arrived_at=st.just(START),
        step=st.sampled_from((None, "queued", "connected", "nonsense")),
    )
)
seen_callers = st.builds(
    lambda pair, where: SeenChannel(
        call=pair[0], channel=pair[1], offer=None, where=where, caller=Caller(number=None, raw=""), dialled="112",
        endpoint="trunk-city", arrived_at=START,
    ),
    st.sampled_from(tuple(zip(CALLERS, CHANNELS, strict=True))),
    st.sampled_from((Whereabouts.ALONE, Whereabouts.WAITING, Whereabouts.TALKING)),
)  # fmt: skip
seen_legs = st.builds(
    lambda call, number, where, endpoint: SeenChannel(
        call=call, channel=offer_channel(offer_id(call, number)), offer=offer_id(call, number), where=where,
        caller=Caller(number=None, raw=""), dialled="", endpoint=endpoint, arrived_at=START,
    ),
    calls, st.integers(1, 3), st.sampled_from(list(Whereabouts)), st.sampled_from(ENDPOINTS),
)  # fmt: skip
snapshots = _at(
    SnapshotTaken,
    channels=st.lists(st.one_of(seen_callers, seen_legs), max_size=4, unique_by=lambda one: one.channel).map(tuple),
)
timers = st.builds(Timer, st.sampled_from(list(TimerKind)), st.sampled_from((*CALLS, *OFFERS, *NAMES, "")))
events = st.one_of(
    arrivals,
    _at(KeyPressed, call=calls, key=keys),
    _at(PlaybackEnded, call=calls, playback=st.sampled_from(PLAYBACKS), failed=st.booleans()),
    _at(CallerGone, call=calls, cause=causes),
    _at(CallerReturned, call=calls),
    _at(CallerHistoryKnown, call=calls, history=st.sampled_from((None, CallerHistory(calls=3)))),
    _at(TrunkHeadersRead, call=calls, headers=st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2)),
    _at(CitizenAnswered, call=calls, channel=st.just(citizen_channel(CALLS[2]))),
    _at(CitizenNotReached, call=calls, cause=causes),
    _of_offer(OfferRang),
    _of_offer(OfferAnswered),
    _of_offer(OfferAnswered),
    _of_offer(LegGone, cause=causes),
    _of_offer(SpeechHeard),
    _of_offer(requests.OperatorKeyPressed, key=keys),
    _at(LegJoined, call=calls, channel=channels, bridge=bridges),
    _at(SpeechHeard, call=calls),
    _at(TimerFired, timer=timers),
    _at(CommandFailed, call=calls, command=st.sampled_from(COMMANDS), reason=st.just("late"), offer=offers),
    _at(CommandFailed, call=calls, command=st.just("Play"), reason=st.just("x"), playback=st.sampled_from(PLAYBACKS)),
    _at(DecisionFailed, call=calls, event=st.just("KeyPressed"), error=st.just("KeyError")),
    _at(EndpointReported, endpoint=st.sampled_from(ENDPOINTS), online=st.booleans(),
        channels=st.lists(channels, max_size=2, unique=True).map(tuple)),
    _at(requests.SignInRequested, request=asked, operator=operators),
    _at(requests.SignOutRequested, request=asked, operator=operators),
    _at(requests.PauseRequested, request=asked, operator=operators, reason=st.sampled_from(("makan", ""))),
    _at(requests.ResumeRequested, request=asked, operator=operators),
    _at(requests.TalkRequested, request=asked, operator=operators, action=st.sampled_from(list(requests.TalkAction)),
        target=st.sampled_from((*NAMES, "medical", "119", "+62215550", ""))),
    _at(requests.ClassificationRequested, request=asked, by=st.just("ani"), call=calls,
        classification=st.sampled_from(list(Classification))),
    _at(requests.CallbackRequested, request=asked, by=st.just("ani"), operator=operators, callback=calls,
        action=st.sampled_from(list(requests.CallbackAction)),
        outcome=st.sampled_from((None, *requests.CallbackOutcome))),
    _at(requests.CodeDialled, endpoint=st.sampled_from(ENDPOINTS), channel=st.just(ChannelId("code-1")),
        code=st.sampled_from((*CODES, "*41", "*99", ""))),
    _at(requests.CodeCallGone, channel=channels),
    _at(FallbackWitnessed, call=calls, caller=callers, dialled=st.just("112"), trunk=st.just("trunk-city"),
        arrived_at=st.just(START), answered_at=st.none(), answered_by=st.sampled_from((None, *ENDPOINTS)),
        ended_at=st.just(START), hung_up_by=st.sampled_from((None, "trunk-city")), cause=causes),
    _at(RecordingMissed, call=calls, reason=st.just("no file came")),
    _at(TrunkReported, trunk=st.just("trunk-city"), reachable=st.booleans()),
    _at(FallbackQueueReported, waiting=st.integers(0, 5)),
    _at(FaultReported, kind=st.sampled_from(list(AlarmKind)), subject=st.just(""), detail=st.just("x")),
    _at(FaultMended, kind=st.sampled_from(list(AlarmKind)), subject=st.just("")),
    snapshots,
)  # fmt: skip
"""Every event that Asterisk, a person, a timer or another process of ours can bring about, of a few names."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((0.0, 0.0, 0.01, 3.0, 40.0)), st.one_of(arrivals, events, events, events)),
        max_size=40,
    ),
    st.booleans(),
)
def test_no_decision_raises_and_no_rule_breaks_when_events_come_of_nothing(
    told: list[tuple[float, Any]], signed_in: bool
) -> None:
    opened = World({name: [] for name in NAMES}, signed_in=signed_in)
    switchboard = Switchboard(copy.deepcopy(opened.switchboard.state))
    again = Switchboard(copy.deepcopy(opened.switchboard.state))
    invariants = Invariants(switchboard.state)
    now = opened.schedule.now
    for seconds, event in told:
        now += timedelta(seconds=seconds)
        moment = dataclasses.replace(event, at=now)
        commands = switchboard.handle(moment)
        invariants.check(moment, commands, switchboard.state)
        assert again.handle(moment) == commands
        if seconds:
            again = Switchboard(copy.deepcopy(switchboard.state))
