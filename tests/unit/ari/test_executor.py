from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callflow.ari import legs
from callflow.ari.errors import (
    AriError,
    BadRequest,
    Conflict,
    NotConnected,
    NotFound,
    OutcomeUnknown,
    ServerFault,
    Unprocessable,
)
from callflow.ari.executor import AriExecutor
from callflow.ari.protocol import models
from callflow.ari.request import Request
from callflow.ari.testing import FakeAriConnection
from callflow.ari.wire import Wire
from callflow.core.city import Destination
from callflow.core.commands import (
    AddCaller,
    AddLeg,
    AnswerCaller,
    AnswerCode,
    BeginOutbound,
    CallCitizen,
    Command,
    DestroyBridge,
    DialDestination,
    DialplanLabel,
    EndCall,
    HandBack,
    HoldCaller,
    JoinLegs,
    OfferCall,
    Play,
    PrepareCentre,
    Prompt,
    ReadTrunkHeaders,
    RecordBridge,
    ReleaseLeg,
    Reply,
    StopPlayback,
    Whisper,
)
from callflow.core.events import CallerGone, EndpointReported, LegGone, TrunkHeadersRead
from callflow.core.ids import (
    BridgeId,
    CallId,
    ChannelId,
    EndpointName,
    OfferId,
    PlaybackId,
    RequestId,
    TrunkRoute,
)

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .samples import CALL, NOW, channel, sample

OURS = CallId(CALL)
CHANNEL = ChannelId(CALL)
OFFER = OfferId(f"{CALL}.o1")
TALK = BridgeId(f"{CALL}.talk")
WAITING = BridgeId("waiting-city")
BRIDGE = sample(models.Bridge)
PLAYBACK = sample(models.Playback)

ANSWER = AnswerCaller(call=OURS, channel=CHANNEL)
PLAY = Play(
    call=OURS,
    channel=CHANNEL,
    playback=PlaybackId(f"{CALL}.p1"),
    prompts=(Prompt(name="greeting", language="id"), Prompt(name="greeting", language="en")),
)
STOP = StopPlayback(call=OURS, playback=PlaybackId(f"{CALL}.p1"))
HOLD = HoldCaller(call=OURS, channel=CHANNEL, bridge=WAITING)
RING = OfferCall(
    call=OURS,
    offer=OFFER,
    caller_channel=CHANNEL,
    endpoint=EndpointName("op-ani"),
    ring_seconds=19.6,
    caller_number="+6281234567890",
)
DIAL = DialDestination(
    call=OURS,
    offer=OFFER,
    caller_channel=CHANNEL,
    destination=Destination(name="province", number="+62333421000", trunk=TrunkRoute("trunk-carrier")),
    ring_seconds=25,
    caller_number=None,
)
RELEASE = ReleaseLeg(call=OURS, offer=OFFER)
JOIN = JoinLegs(call=OURS, bridge=TALK, caller_channel=CHANNEL, offer=OFFER)
DESTROY = DestroyBridge(call=OURS, bridge=TALK)
END = EndCall(call=OURS, channel=CHANNEL)
BACK = HandBack(call=OURS, channel=CHANNEL, label=DialplanLabel.FALLBACK, step="queue")
HEADERS = ReadTrunkHeaders(call=OURS, channel=CHANNEL)
CONSULT = BridgeId(f"{CALL}.consult")
ADD_LEG = AddLeg(call=OURS, bridge=TALK, offer=OFFER, absorb_keys=True)
ADD_CALLER = AddCaller(call=OURS, bridge=TALK, channel=CHANNEL)
RECORD = RecordBridge(call=OURS, bridge=CONSULT, name=f"{CALL}-consult-1")
DONE = Prompt(name="code_done", language="id")
WHISPER = Whisper(call=OURS, offer=OFFER, playback=PlaybackId(f"{CALL}.p7"), prompts=(DONE, DONE))
OUTBOUND = CallId(f"{CALL}.b1")
CITIZEN = ChannelId(f"{CALL}.b1.citizen")
CALL_CITIZEN = CallCitizen(
    call=OUTBOUND,
    channel=CITIZEN,
    destination=Destination(name="citizen", number="+6281234567890", trunk=TrunkRoute("trunk-carrier")),
    ring_seconds=45,
)
BEGIN = BeginOutbound(call=OUTBOUND, channel=CITIZEN)
CODE = AnswerCode(channel=ChannelId("city-9.9"), prompts=(DONE,))
PREPARE = PrepareCentre(bridge=WAITING, endpoints=(EndpointName("op-ani"), EndpointName("op-new")))

CREATE = "POST bridges/{bridgeId}"
LOOK = "GET bridges/{bridgeId}"
ADD = "POST bridges/{bridgeId}/addChannel"
PLAY_VERB = "POST channels/{channelId}/play/{playbackId}"
ORIGINATE = "POST channels/{channelId}"
CONTINUE = "POST channels/{channelId}/continue"
SET_STEP = "POST channels/{channelId}/variable"
GET_VARIABLE = "GET channels/{channelId}/variable"
HANGUP = "DELETE channels/{channelId}"
RECORD_VERB = "POST bridges/{bridgeId}/record"
SNOOP = "POST channels/{channelId}/snoop/{snoopId}"


@pytest.fixture
def ari() -> FakeAriConnection:
    connection = FakeAriConnection()
    connection.tell(CREATE, BRIDGE)
    connection.tell(LOOK, BRIDGE)
    connection.tell(PLAY_VERB, PLAYBACK)
    connection.tell(ORIGINATE, channel(OFFER))
    connection.tell(SNOOP, channel(f"{CALL}.p7"))
    connection.tell(RECORD_VERB, sample(models.LiveRecording))
    connection.tell("POST applications/{applicationName}/subscription", sample(models.Application))
    return connection


@pytest.fixture
def executor(ari: FakeAriConnection) -> AriExecutor:
    return AriExecutor(ari, Wire(lambda: NOW), Path("/prompts"))


def line(request: Request[Any]) -> str:
    """A request on one line."""
    query = "&".join(f"{name}={value}" for name, value in request.query)
    return f"{request.method} {request.path}" + (f"?{query}" if query else "")


ORIGINATED = "&app=callflow-a&callerId={caller}&timeout={seconds}&originator=" + CALL


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (ANSWER, [f"POST channels/{CALL}/answer"]),
        (
            PLAY,
            [f"POST channels/{CALL}/play/{CALL}.p1?media=sound:/prompts/id/greeting,sound:/prompts/en/greeting"],
        ),
        (STOP, [f"DELETE playbacks/{CALL}.p1"]),
        (
            RING,
            [f"POST channels/{CALL}.o1?endpoint=PJSIP/op-ani" + ORIGINATED.format(caller="+6281234567890", seconds=20)],
        ),
        (
            DIAL,
            [
                f"POST channels/{CALL}.o1?endpoint=PJSIP/+62333421000@trunk-carrier"
                + ORIGINATED.format(caller="", seconds=25)
            ],
        ),
        (RELEASE, [f"DELETE channels/{CALL}.o1"]),
        (
            JOIN,
            [
                f"POST bridges/{CALL}.talk?type=mixing,video_sfu&name={CALL}.talk",
                f"POST bridges/{CALL}.talk/addChannel?channel={CALL}.o1&absorbDTMF=true",
                f"POST bridges/{CALL}.talk/addChannel?channel={CALL}",
            ],
        ),
        (
            ADD_LEG,
            [
                f"POST bridges/{CALL}.talk?type=mixing,video_sfu&name={CALL}.talk",
                f"POST bridges/{CALL}.talk/addChannel?channel={CALL}.o1&absorbDTMF=true",
            ],
        ),
        (
            replace(ADD_LEG, absorb_keys=False),
            [
                f"POST bridges/{CALL}.talk?type=mixing,video_sfu&name={CALL}.talk",
                f"POST bridges/{CALL}.talk/addChannel?channel={CALL}.o1&absorbDTMF=false",
            ],
        ),
        (
            ADD_CALLER,
            [
                f"POST bridges/{CALL}.talk?type=mixing,video_sfu&name={CALL}.talk",
                f"POST bridges/{CALL}.talk/addChannel?channel={CALL}",
            ],
        ),
        (
            RECORD,
            [
                f"POST bridges/{CALL}.consult?type=mixing,video_sfu&name={CALL}.consult",
                f"POST bridges/{CALL}.consult/record?name={CALL}-consult-1&format=wav",
            ],
        ),
        (
            WHISPER,
            [
                f"POST channels/{CALL}.o1/snoop/{CALL}.p7?whisper=out&app=callflow-a",
                f"POST channels/{CALL}.p7/variable?variable=CALLFLOW_TOLD&value="
                "/prompts/id/code_done&/prompts/id/code_done",
                f"POST channels/{CALL}.p7/continue?context=whisper&extension=s&priority=1",
            ],
        ),
        (
            CALL_CITIZEN,
            [
                f"POST channels/{CITIZEN}?endpoint=PJSIP/+6281234567890@trunk-carrier"
                "&app=callflow-a&callerId=112&timeout=45"
            ],
        ),
        (BEGIN, [f"POST channels/{CITIZEN}/continue?context=callback&extension=s&priority=1"]),
        (
            CODE,
            [
                "POST channels/city-9.9/variable?variable=CALLFLOW_TOLD&value=/prompts/id/code_done",
                "POST channels/city-9.9/continue?context=feature-code-told&extension=s&priority=1",
            ],
        ),
        (
            replace(CODE, prompts=()),
            ["POST channels/city-9.9/continue?context=feature-code-told&extension=s&priority=1"],
        ),
        (DESTROY, [f"DELETE bridges/{CALL}.talk"]),
        (END, [f"DELETE channels/{CALL}"]),
        (
            BACK,
            [
                f"POST channels/{CALL}/variable?variable=CALLFLOW_STEP&value=queue",
                f"POST channels/{CALL}/continue?context=from-trunk&extension=s&label=fallback",
            ],
        ),
    ],
)
async def test_command_becomes_exactly_these_requests(
    ari: FakeAriConnection, executor: AriExecutor, command: Command, lines: list[str]
) -> None:
    assert list(await executor.execute(command)) == []
    assert [line(request) for request in ari.sent] == lines


async def test_caller_waits_in_the_holding_bridge(ari: FakeAriConnection, executor: AriExecutor) -> None:
    await executor.execute(HOLD)
    [request] = ari.sent
    assert line(request).startswith(f"POST bridges/waiting-city/addChannel?channel={CALL}&role=")


@pytest.mark.parametrize("command", [ANSWER, HOLD, RING, DIAL, WHISPER, CALL_CITIZEN, BEGIN, CODE, BACK])
async def test_what_may_block_goes_over_http(ari: FakeAriConnection, executor: AriExecutor, command: Command) -> None:
    await executor.execute(command)
    assert ari.by_http == ari.sent


async def test_joining_goes_over_http_but_for_the_bridge(ari: FakeAriConnection, executor: AriExecutor) -> None:
    await executor.execute(JOIN)
    assert [request.operation for request in ari.by_http] == [ADD, ADD]


@pytest.mark.parametrize(
    ("command", "operation", "error"),
    [
        (ANSWER, "POST channels/{channelId}/answer", NotFound),
        (PLAY, PLAY_VERB, NotFound),
        (PLAY, PLAY_VERB, Conflict),
        (STOP, "DELETE playbacks/{playbackId}", NotFound),
        (HOLD, ADD, BadRequest),
        (HOLD, ADD, Conflict),
        (RING, ORIGINATE, Conflict),
        (DIAL, ORIGINATE, Conflict),
        (JOIN, CREATE, Conflict),
        (DESTROY, "DELETE bridges/{bridgeId}", NotFound),
        (BACK, CONTINUE, NotFound),
        (BACK, CONTINUE, Conflict),
        (BACK, SET_STEP, NotFound),
        (ADD_LEG, CREATE, Conflict),
        (ADD_CALLER, CREATE, Conflict),
        (RECORD, RECORD_VERB, Conflict),
        (WHISPER, SNOOP, NotFound),
        (WHISPER, SNOOP, Conflict),
        (WHISPER, SET_STEP, NotFound),
        (WHISPER, CONTINUE, NotFound),
        (CALL_CITIZEN, ORIGINATE, Conflict),
        (BEGIN, CONTINUE, NotFound),
        (BEGIN, CONTINUE, Conflict),
        (CODE, CONTINUE, NotFound),
        (CODE, CONTINUE, Conflict),
    ],
)
async def test_what_is_done_already_or_gone_is_no_fault(
    ari: FakeAriConnection, executor: AriExecutor, command: Command, operation: str, error: type[Any]
) -> None:
    ari.tell(operation, error(404, operation, "as told"))
    assert list(await executor.execute(command)) == []


@pytest.mark.parametrize(
    ("command", "operation", "error"),
    [
        (ANSWER, "POST channels/{channelId}/answer", Conflict),
        (PLAY, PLAY_VERB, ServerFault),
        (RING, ORIGINATE, ServerFault),  # a phone that is not registered
        (DIAL, ORIGINATE, BadRequest),
        (JOIN, ADD, BadRequest),
        (END, HANGUP, ServerFault),
        (ADD_LEG, ADD, BadRequest),
        (ADD_CALLER, ADD, Unprocessable),
        (RECORD, RECORD_VERB, ServerFault),
        (CALL_CITIZEN, ORIGINATE, ServerFault),  # a trunk that is not there
        (WHISPER, SNOOP, NotConnected),
    ],
)
async def test_command_fails_when_it_could_not_be_done(
    ari: FakeAriConnection, executor: AriExecutor, command: Command, operation: str, error: type[Any]
) -> None:
    ari.tell(operation, error(operation) if error is NotConnected else error(500, operation, "as told"))
    with pytest.raises(error):
        await executor.execute(command)


@pytest.mark.parametrize(
    ("display", "number", "caller_id"),
    [
        ("4 of 5 calls prank", "+6281234567890", '"4 of 5 calls prank" <+6281234567890>'),
        ("unknown caller", None, '"unknown caller" <>'),
        ('a"b\\c<1>\r\né', "112", '"abc1" <112>'),
        ("", None, ""),
    ],
)
async def test_display_stands_beside_the_number_and_ends_where_it_ends(
    ari: FakeAriConnection, executor: AriExecutor, display: str, number: str | None, caller_id: str
) -> None:
    await executor.execute(replace(RING, display=display, caller_number=number))
    assert dict(ari.sent[0].query)["callerId"] == caller_id


async def test_legs_outside_are_watched_for_speech_and_operators_are_not(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    for command in (RING, DIAL, CALL_CITIZEN):
        await executor.execute(command)
    watched = {"TALK_DETECT(set)": "2500,256"}
    assert [request.body for request in ari.sent] == [
        None,
        {"variables": watched},
        {"variables": {"CALLFLOW_CALLBACK": OUTBOUND, "CALLFLOW_CITIZEN": "+6281234567890"} | watched},
    ]


@pytest.mark.parametrize("caller", [CITIZEN, ChannelId("")])
async def test_offer_names_no_originator_when_the_citizen_is_not_called_yet(
    ari: FakeAriConnection, executor: AriExecutor, caller: ChannelId
) -> None:
    await executor.execute(replace(RING, caller_channel=caller))
    assert "originator" not in dict(ari.sent[0].query)


async def test_whisper_waits_until_its_channel_is_in_our_application(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(SET_STEP, Conflict(409, SET_STEP, "not in Stasis"), None)
    ari.tell(CONTINUE, Conflict(409, CONTINUE, "not in Stasis"), None)
    await executor.execute(WHISPER)
    asked = [request.operation for request in ari.sent]
    assert asked == [SNOOP, SET_STEP, SET_STEP, CONTINUE, SET_STEP, CONTINUE]


async def test_whisper_is_let_go_when_its_channel_never_is_ours(
    ari: FakeAriConnection, executor: AriExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legs, "pauses", lambda: itertools.repeat(0.0))
    ari.tell(SET_STEP, Conflict(409, SET_STEP, "not in Stasis"))
    await executor.execute(WHISPER)
    assert (ari.sent[-1].operation, ari.sent[-1].path) == (HANGUP, f"channels/{WHISPER.playback}")


async def test_code_call_is_hung_up_when_the_dialplan_cannot_be_had(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(CONTINUE, ServerFault(500, CONTINUE, "no"))
    ari.tell(HANGUP, NotFound(404, HANGUP, "gone"))
    await executor.execute(CODE)
    assert [request.operation for request in ari.sent].count(CONTINUE) == 5
    assert ari.sent[-1].operation == HANGUP


async def test_waiting_bridge_is_made_anew_when_it_is_gone(ari: FakeAriConnection, executor: AriExecutor) -> None:
    ari.tell(ADD, NotFound(404, ADD, "Bridge not found"), None)
    await executor.execute(HOLD)
    assert [request.operation for request in ari.sent] == [ADD, CREATE, ADD]


async def test_leg_is_reported_gone_when_there_is_none_to_release(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(HANGUP, NotFound(404, HANGUP, "Channel not found"))
    assert list(await executor.execute(RELEASE)) == [LegGone(at=NOW, call=OURS, offer=OFFER, cause=0)]


async def test_caller_is_reported_gone_when_there_is_none_to_hang_up(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(HANGUP, NotFound(404, HANGUP, "Channel not found"))
    assert list(await executor.execute(END)) == [CallerGone(at=NOW, call=OURS, cause=0)]


@pytest.mark.parametrize("error", [ServerFault(500, CONTINUE, "no"), OutcomeUnknown(CONTINUE, "no answer")])
async def test_hand_back_is_tried_again_until_it_is_done(
    ari: FakeAriConnection, executor: AriExecutor, error: AriError
) -> None:
    ari.tell(CONTINUE, error, error, None)
    await executor.execute(BACK)
    assert [request.operation for request in ari.sent].count(CONTINUE) == 3


async def test_hand_back_is_done_when_the_second_try_meets_a_channel_that_has_left(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(CONTINUE, OutcomeUnknown(CONTINUE, "no answer"), Conflict(409, CONTINUE, "not in Stasis"))
    await executor.execute(BACK)
    assert len(ari.sent) == 4


async def test_hand_back_gives_up_after_five_tries(ari: FakeAriConnection, executor: AriExecutor) -> None:
    ari.tell(CONTINUE, ServerFault(500, CONTINUE, "no"))
    with pytest.raises(ServerFault):
        await executor.execute(BACK)
    assert [request.operation for request in ari.sent].count(CONTINUE) == 5


async def test_only_headers_that_are_there_are_told_and_none_is_longer_than_a_kilobyte(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    values = {"P-Asserted-Identity": "<tel:112>", "Diversion": "x" * 5000, "Geolocation": ""}

    def read(request: Request[Any]) -> Any:
        name = dict(request.query)["variable"].removeprefix("PJSIP_HEADER(read,").removesuffix(")")
        return {"value": values[name]} if name in values else NotFound(404, GET_VARIABLE, "no such variable")

    ari.tell(GET_VARIABLE, read)
    assert list(await executor.execute(HEADERS)) == [
        TrunkHeadersRead(at=NOW, call=OURS, headers=(("P-Asserted-Identity", "<tel:112>"), ("Diversion", "x" * 1024)))
    ]


async def test_centre_is_prepared_though_a_phone_is_not_in_asterisk_yet(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    def phone(request: Request[Any]) -> Any:
        if request.path.endswith("op-new"):
            return NotFound(404, request.operation, "Endpoint not found")
        return {"technology": "PJSIP", "resource": "op-ani", "state": "online", "channel_ids": ["x"]}

    ari.tell("GET endpoints/{tech}/{resource}", phone)
    ari.tell(CREATE, Conflict(409, CREATE, "exists"))
    assert list(await executor.execute(PREPARE)) == [
        EndpointReported(at=NOW, endpoint=EndpointName("op-ani"), online=True, channels=(ChannelId("x"),))
    ]
    assert [line(request) for request in ari.sent][:3] == [
        "POST bridges/waiting-city?type=holding&name=waiting-city",
        "POST applications/callflow-a/subscription?eventSource=endpoint:PJSIP/op-ani",
        "GET endpoints/PJSIP/op-ani",
    ]


async def test_bridge_is_made_again_when_a_deleted_one_held_its_id_for_a_moment(
    ari: FakeAriConnection, executor: AriExecutor
) -> None:
    ari.tell(CREATE, Conflict(409, CREATE, "exists"), Conflict(409, CREATE, "exists"), BRIDGE)
    ari.tell(LOOK, NotFound(404, LOOK, "Bridge not found"))
    await executor.execute(JOIN)
    assert [request.operation for request in ari.sent] == [CREATE, LOOK, CREATE, LOOK, CREATE, ADD, ADD]


async def test_joining_fails_when_a_deleted_bridge_holds_its_id_for_ever(
    ari: FakeAriConnection, executor: AriExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.ari.bridging._UNTIL_FREE_SECONDS", (0.0, 0.0))
    ari.tell(CREATE, Conflict(409, CREATE, "exists"))
    ari.tell(LOOK, NotFound(404, LOOK, "Bridge not found"))
    ari.tell(ADD, NotFound(404, ADD, "Bridge not found"))
    with pytest.raises(NotFound):
        await executor.execute(JOIN)
    assert [request.operation for request in ari.sent[:5]] == [CREATE, LOOK, CREATE, LOOK, CREATE]


@pytest.mark.parametrize("operation", [CREATE, "POST applications/{applicationName}/subscription"])
@pytest.mark.parametrize("kind", [NotConnected, ServerFault])
def test_preparing_fails_when_asterisk_does_not_do_it_for_long(
    ari: FakeAriConnection, executor: AriExecutor, operation: str, kind: type[Any]
) -> None:
    ari.tell(operation, kind(operation) if kind is NotConnected else kind(503, operation, "as told"))

    async def main() -> None:
        with pytest.raises(kind):
            await executor.execute(PREPARE)
        assert asyncio.get_running_loop().time() > 20

    run(main())


def test_headers_hold_up_a_call_for_no_longer_than_a_second_when_they_are_not_told(
    ari: FakeAriConnection, executor: AriExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(request: Request[Any], *, timeout_seconds: float) -> Any:
        await asyncio.sleep(timeout_seconds)
        raise OutcomeUnknown(request.operation, "no answer")

    monkeypatch.setattr(ari, "request_http", never)

    async def main() -> None:
        assert list(await executor.execute(HEADERS)) == [TrunkHeadersRead(at=NOW, call=OURS, headers=())]
        assert asyncio.get_running_loop().time() <= 1.0

    run(main())


def test_whisper_holds_up_a_call_for_no_longer_than_three_seconds_when_nothing_is_answered(
    ari: FakeAriConnection, executor: AriExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def never(request: Request[Any], *, timeout_seconds: float = 5.0) -> Any:
        asked.append(request.operation)
        await asyncio.sleep(timeout_seconds)
        raise OutcomeUnknown(request.operation, "no answer")

    monkeypatch.setattr(ari, "request_http", never)

    async def main() -> None:
        with pytest.raises(OutcomeUnknown):
            await executor.execute(WHISPER)
        assert asyncio.get_running_loop().time() <= 3.0

    run(main())
    assert asked == [SNOOP, HANGUP]


def test_caller_goes_on_without_the_step_when_what_plays_holds_it_up(
    ari: FakeAriConnection, executor: AriExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def held_up(request: Request[Any], *, timeout_seconds: float) -> Any:
        asked.append(request.operation)
        if request.operation == SET_STEP:
            await asyncio.sleep(timeout_seconds)
            raise OutcomeUnknown(request.operation, "no answer")

    monkeypatch.setattr(ari, "request_http", held_up)

    async def main() -> None:
        await executor.execute(BACK)
        assert asyncio.get_running_loop().time() <= 1.0

    run(main())
    assert asked == [SET_STEP, CONTINUE]


async def test_command_for_somebody_else_is_our_own_fault(executor: AriExecutor) -> None:
    with pytest.raises(AssertionError):
        await executor.execute(Reply(request=RequestId("r")))


def test_fake_is_as_new_after_a_reset(ari: FakeAriConnection) -> None:
    ari.reset()
    assert (ari.sent, ari.by_http) == ([], [])
