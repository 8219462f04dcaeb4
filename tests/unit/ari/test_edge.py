from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from callflow.ari import edge as edge_module
from callflow.ari.edge import CLAIMS_AT_ONCE, AriEdge
from callflow.ari.errors import AriError, Conflict, NotFound, OutcomeUnknown
from callflow.ari.protocol import models
from callflow.ari.testing import FakeAriConnection
from callflow.ari.wire import Wire
from callflow.core.centre_facts import AlarmKind
from callflow.core.events import CallArrived, CitizenAnswered, Event, OfferAnswered, SnapshotTaken
from callflow.core.faults import FaultReported

from .samples import CALL, NOW, channel, event, leg, sample

CLAIM = "POST events/claim"
DESTROY = "DELETE bridges/{bridgeId}"
HANGUP = "DELETE channels/{channelId}"
SET_VARIABLE = "POST channels/{channelId}/variable"


class Desk:
    """An edge on a fake connection, and what it posted."""

    def __init__(self) -> None:
        self.ari = FakeAriConnection()
        self.posted: list[Event] = []
        self.in_charge = True
        self.edge = AriEdge(self.ari, Wire(lambda: NOW), self.posted.append, may_claim=lambda: self.in_charge)

    async def offer(self) -> None:
        self.edge.on_event(event("CallBroadcast", channel=channel(), called="112"))
        ours = {task for task in asyncio.all_tasks() if task.get_name() == "claim"}
        await asyncio.gather(*ours)


async def test_call_is_claimed_for_our_application_when_it_is_offered() -> None:
    desk = Desk()
    await desk.offer()
    [request] = desk.ari.sent
    assert (request.operation, dict(request.query)) == (CLAIM, {"channelId": CALL, "application": "callflow-a"})
    assert (desk.edge.claimed, desk.edge.lost_claims, desk.posted) == (1, 0, [])


async def test_call_is_left_to_the_dialplan_when_the_engine_is_not_in_charge() -> None:
    desk = Desk()
    desk.in_charge = False
    await desk.offer()
    assert desk.ari.sent == []
    assert (desk.edge.claimed, desk.edge.lost_claims) == (0, 1)


@pytest.mark.parametrize(
    "error", [Conflict(409, CLAIM, "taken"), NotFound(404, CLAIM, "gone"), OutcomeUnknown(CLAIM, "no answer")]
)
async def test_claim_is_counted_lost_when_asterisk_says_no_or_nothing(error: AriError) -> None:
    desk = Desk()
    desk.ari.tell(CLAIM, error)
    await desk.offer()
    assert (desk.edge.claimed, desk.edge.lost_claims) == (0, 1)
    (reported,) = desk.posted
    assert isinstance(reported, FaultReported)
    assert (reported.kind, reported.lasting) == (AlarmKind.LATE_CLAIM, False)


async def test_calls_are_left_to_the_dialplan_when_too_many_wait_for_their_claims() -> None:
    desk = Desk()
    for _ in range(CLAIMS_AT_ONCE + 5):
        desk.edge.on_event(event("CallBroadcast", channel=channel(), called="112"))
    assert desk.edge.lost_claims == 5
    assert [type(one) for one in desk.posted] == [FaultReported]  # one alarm tells of them all
    await desk.offer()
    assert desk.edge.claimed == CLAIMS_AT_ONCE

    await desk.offer()  # Asterisk has answered all of them
    assert desk.edge.claimed == CLAIMS_AT_ONCE + 1


def test_event_is_handed_on_translated() -> None:
    desk = Desk()
    desk.edge.on_event(event("StasisStart", channel=channel()))
    desk.edge.on_event(event("RecordingStarted"))
    assert [type(one) for one in desk.posted] == [CallArrived]


async def take_stock(desk: Desk, *channels: dict[str, Any], bridges: Sequence[dict[str, Any]] = ()) -> None:
    answers: dict[str, Any] = {
        "GET applications/{applicationName}": sample(models.Application)
        | {"channel_ids": [one["id"] for one in channels]},
        "GET channels": list(channels),
        "GET bridges": list(bridges),
    }
    for operation, answer in answers.items():
        desk.ari.tell(operation, answer)
    await desk.edge.on_connected()


async def test_stock_is_taken_when_the_connection_is_new() -> None:
    desk = Desk()
    await take_stock(desk)
    assert desk.posted == [SnapshotTaken(at=NOW, channels=())]
    desk.edge.on_disconnected()


@pytest.mark.parametrize("gone", [None, NotFound(404, HANGUP, "gone")])
async def test_citizen_is_told_and_code_is_ended_when_they_are_found(gone: AriError | None) -> None:
    desk = Desk()
    desk.ari.tell(HANGUP, gone)
    citizen = channel(f"{CALL}.b1.citizen", variables={})
    code = channel("city-9.9", name="PJSIP/op-ani-00000003", variables={"CALLFLOW_CODE": "*41"})
    await take_stock(desk, citizen, code)
    assert [type(one) for one in desk.posted] == [SnapshotTaken, CitizenAnswered]
    assert (desk.ari.sent[-1].operation, desk.ari.sent[-1].path) == (HANGUP, "channels/city-9.9")


@pytest.mark.parametrize("gone", [None, NotFound(404, DESTROY, "gone")])
async def test_bridge_of_a_call_that_is_over_is_destroyed_when_it_is_found(gone: AriError | None) -> None:
    desk = Desk()
    desk.ari.tell(DESTROY, gone)
    await take_stock(desk, bridges=[sample(models.Bridge) | {"id": "city-8.talk", "channels": []}])
    assert (desk.ari.sent[-1].operation, desk.ari.sent[-1].path) == (DESTROY, "bridges/city-8.talk")


@pytest.mark.parametrize("error", [None, NotFound(404, SET_VARIABLE, "gone"), OutcomeUnknown(SET_VARIABLE, "?")])
async def test_speech_is_listened_for_anew_when_a_ring_tone_sounded_until_the_answer(
    error: AriError | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "RING_TONE_LINGERS_SECONDS", 0)
    desk = Desk()
    desk.ari.tell(SET_VARIABLE, error)
    desk.edge.on_event(event("ChannelTalkingStarted", channel=leg(state="Down")))
    desk.edge.on_event(event("StasisStart", channel=leg()))
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "listen anew"))
    assert {request.operation for request in desk.ari.sent} == {SET_VARIABLE}
    asked = [tuple(dict(request.query).values()) for request in desk.ari.sent]
    wanted = [("TALK_DETECT(remove)", ""), ("TALK_DETECT(set)", "2500,256")]
    assert asked == (wanted if error is None else wanted[:1])
    assert [type(one) for one in desk.posted] == [OfferAnswered]


def test_nothing_is_asked_when_it_was_silent_until_the_answer() -> None:
    desk = Desk()
    desk.edge.on_event(event("StasisStart", channel=leg()))
    assert desk.ari.sent == []


async def test_stock_is_taken_once_the_engine_has_settled() -> None:
    desk, settled = Desk(), []

    async def settle() -> None:
        settled.append(len(desk.ari.sent))

    desk.edge = AriEdge(desk.ari, Wire(lambda: NOW), desk.posted.append, settle=settle)
    await take_stock(desk)
    assert settled == [0]
    assert [type(one) for one in desk.posted] == [SnapshotTaken]


def test_engine_is_told_when_the_connection_is_gone() -> None:
    desk, lost = Desk(), []
    edge = AriEdge(desk.ari, Wire(lambda: NOW), desk.posted.append, on_lost=lambda: lost.append(True))
    edge.on_disconnected()
    assert lost == [True]
